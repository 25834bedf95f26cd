# METADATA
# title: Source was reviewed
# description: The very commit that each artifact was built from is vouched for by a verifier, or people reviewed it.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [source.summary, build.provenance, review]
#   artifacts: [weights, adapter, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Let the verifier of the repository sign a summary of the commit, or let somebody else sign a review of it.
#   parameters:
#     - {name: level, type: number, least: 1,
#        default: 4, meaning: the least SLSA source level that a summary must state}
#     - {name: properties, type: list, default: [], meaning: stated properties of which one is enough instead}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PW.7.1, PW.7.2]}
#     SLSA-1.2: {relation: supports, ids: [Source-L1, Source-L2, Source-L3, Source-L4]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 1.3]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3, SA-11]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 17]}
#     ISO-42001: {relation: partly supports, ids: [A.6.1.3]}
#     OpenSSF-Baseline: {relation: supports, ids: [OSPS-QA-07.01]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.source.reviewed

import data.gate.lib.builds
import data.gate.lib.parameters
import data.gate.lib.people
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(people.signers)
	is_set(enough)
}

# What a summary must state, one of it.
enough := {text | some text, number in builds.source_levels; number >= least} | {text | some text in properties} if {
	settings := parameters.of("source.reviewed")
	least := object.get(settings, "level", 4)
	shape.is_count(least)
	least > 0
	properties := object.get(settings, "properties", [])
	shape.is_texts(properties)
}

subjects := builds.subjects

sources := builds.origins

vouching contains entry if {
	some [digest, source] in builds.summaries
	facts := statements.verified[digest].facts
	facts.result == "passed"
	shape.is_texts(facts.levels)
	some level in facts.levels
	level in enough
	entry := [digest, source]
}

decided[name] := digests if {
	some name in subjects
	digests := people.deciding({"review"}, name)
}

approved := {name | some name, digests in decided; count(people.approving(digests) - people.authors(name)) > 0}

unreviewed := {name | some [name, source] in sources; not source in {one | some [_, one] in vouching}} - approved

# Provenance that names no source is a violation; here it is enough that there is one.
proved := {name | some [name, _] in sources}

violations contains entry if {
	some name in (subjects - proved)
	count(builds.placeless[name]) == 0
	message := "no verified build provenance covers it"
	entry := result.violation("source.reviewed.missing", message, {"artifact": name})
}

violations contains entry if {
	some name, digests in builds.placeless
	count(digests) > 0
	message := "its verified provenance does not say from which commit of which repository it was built"
	entry := result.violation("source.reviewed.unstated", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name in unreviewed
	message := "no verifier vouches for its commit, and nobody but its authors reviewed it"
	entry := result.violation("source.reviewed.unreviewed", message, {"artifact": name})
}

violations contains entry if {
	some [name, source] in sources
	some digest in {one | some [one, about] in builds.summaries; about[1] == source[1]}
	not statements.verified[digest].facts.result == "passed"
	message := "a verifier says that its commit did not pass"
	entry := result.violation("source.reviewed.failed", message, {"artifact": name, "evidence": [digest]})
}

violations contains entry if {
	some name, digests in decided
	count(people.against(digests)) > 0
	where := {"artifact": name, "evidence": people.against(digests)}
	entry := result.violation("source.reviewed.rejected", "somebody rejected it", where)
}

used := {digest | some [_, source] in sources; some [digest, about] in vouching; about == source}

evidence := used | {digest | some digests in decided; some digest in digests}

default reason := null

reason := "nothing that is built asks for admission" if count(subjects) == 0
