# METADATA
# title: Builder is good enough
# description: Every provenance of an artifact is by a listed builder whose level is high enough; none gives itself one.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [build.provenance]
#   artifacts: [weights, adapter, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: List the builder and its signer under `trust.builders` in gate.yaml, or build it on one of a higher level.
#   parameters:
#     - {name: minimum, type: number, least: 1, default: 2, meaning: the least SLSA build level}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     NIST-800-218A: {relation: supports, ids: [PO.3.2, PO.5.1]}
#     SLSA-1.2: {relation: supports, ids: [Build-L1, Build-L2, Build-L3]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.2]}
#     NIST-800-53r5: {relation: partly supports, ids: [SA-10, SA-15]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.1.3]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.build.level

import data.gate.lib.builds
import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_number(minimum)
	is_object(document.builders)
}

minimum := value if {
	value := object.get(parameters.of("build.level"), "minimum", 2)
	shape.is_count(value)
	value > 0
}

subjects := builds.subjects

found[name] := digests if {
	some name in subjects
	digests := statements.about("build.provenance", name)
}

# The levels of statements: [statement, level]. One has a level where the builder that it names is listed and one of
# that builder's signers signed it.
granted contains entry if {
	some digests in found
	some digest in digests
	statement := statements.verified[digest]
	some builder in document.builders
	builder.id == statement.facts.builder_id
	some signer in statement.signers
	signer.name in builder.signers
	entry := [digest, builder.level]
}

# Every statement needs a level.
unlisted[name] := left if {
	some name, digests in found
	left := digests - {digest | some [digest, _] in granted}
}

# The lowest of its levels counts.
lowest[name] := least if {
	some name, digests in found
	least := min({level | some [digest, level] in granted; digest in digests})
}

# Whatever speaks against a builder is a violation; here it is enough that there is one with a level.
proved := object.keys(lowest)

violations contains entry if {
	some name, digests in found
	count(digests) == 0
	message := "no verified build provenance covers it"
	entry := result.violation("build.level.missing", message, {"artifact": name})
}

violations contains entry if {
	some name, digests in unlisted
	count(digests) > 0
	named := {id | some digest in digests; id := statements.verified[digest].facts.builder_id; is_string(id)}
	message := sprintf("gate.yaml lists no builder whose signer signed its provenance by %s", [concat(", ", named)])
	entry := result.violation("build.level.unlisted", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name, level in lowest
	level < minimum
	message := sprintf("its builder has level %d of %d", [level, minimum])
	digests := {digest | some [digest, low] in granted; digest in found[name]; low < minimum}
	entry := result.violation("build.level.too_low", message, {"artifact": name, "evidence": digests})
}

evidence := {digest | some [digest, level] in granted; level >= minimum}

default reason := null

reason := "nothing that is built asks for admission" if count(subjects) == 0
