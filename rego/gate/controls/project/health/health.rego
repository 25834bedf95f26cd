# METADATA
# title: Project is healthy
# description: Each project that something was built from has a Scorecard result that is high enough.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [scorecard, build.provenance]
#   artifacts: [weights, adapter, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attach a signed Scorecard result for the commit that it was built from, and mend what scores too low.
#   parameters:
#     - {name: kinds, type: list, choices: artifact-kinds, least: 1,
#        default: [container, package], meaning: kinds of artifacts whose project is judged}
#     - {name: limit, type: number, least: 1, default: 5000, meaning: the least score; the best is 10000}
#     - {name: checks, type: numbers, default: {}, meaning: the least score of single checks by their names}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PW.4.1, PW.4.4]}
#     S2C2F: {relation: partly supports, ids: [SCA-5]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 6.1, MANAGE 3.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [SA-22, SR-6]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 25]}
#     ISO-42001: {relation: partly supports, ids: [A.10.3]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-AC-03.01, OSPS-QA-07.01]}
#     CoSAI: {relation: partly supports, ids: [controlVulnerabilityManagement]}
package gate.controls.project.health

import data.gate.lib.builds
import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.scorecards
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_number(limit)
	is_object(checks)
}

settings := parameters.of("project.health")

limit := value if {
	value := object.get(settings, "limit", 5000)
	shape.is_count(value)
	value > 0
}

checks := values if {
	values := object.get(settings, "checks", {})
	shape.is_object_of_counts(values)
}

subjects := names if {
	kinds := object.get(settings, "kinds", ["container", "package"])
	shape.is_texts(kinds)
	built := builds.subjects
	names := {name | some name in built; document.artifacts[name].kind in kinds}
}

# Results whose subject is the artifact itself.
direct := {[name, digest] | some name in subjects; some digest in statements.about("scorecard", name)}

results := {pair | some pair in (direct | scorecards.near); pair[0] in subjects}

# What is too low: [name, statement, check]; the whole score has no name.
low contains [name, digest, ""] if {
	some [name, digest] in results
	not scorecards.score(statements.verified[digest].facts) >= limit
}

low contains entry if {
	some [name, digest] in results
	some check, least in checks
	not scorecards.score(statements.verified[digest].facts.checks[check]) >= least
	entry := [name, digest, check]
}

# Whatever is too low is a violation; here it is enough that there is a result, about it or about each of its sources.
unmeasured := {name | some [name, _] in (builds.origins - {[one, source] | some [one, source, _] in scorecards.joined})}

proved := told | ({name | some [name, _] in builds.origins} - unmeasured)

told := {name | some [name, _] in (direct - scorecards.strayed)}

violations contains entry if {
	some name in subjects
	not name in {one | some [one, _] in results}
	message := "no verified Scorecard result is about it or the commit that it was built from"
	entry := result.violation("project.health.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in (subjects - proved)
	digests := {digest | some [one, digest] in results; one == name}
	count(digests) > 0
	message := "the Scorecard results that are here are not about each commit of each repository that it was built from"
	entry := result.violation("project.health.elsewhere", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some [name, digest, check] in low
	check == ""
	message := "the score of its project is too low"
	entry := result.violation("project.health.score", message, {"artifact": name, "evidence": [digest]})
}

violations contains entry if {
	some [name, digest, check] in low
	check != ""
	message := sprintf("its project scores too low, or nothing, in %s", [check])
	entry := result.violation("project.health.check", message, {"artifact": name, "evidence": [digest]})
}

evidence := {digest | some [_, digest] in results}

default reason := null

reason := "nothing asks for admission whose project is judged" if count(subjects) == 0
