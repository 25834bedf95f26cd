# METADATA
# title: Models have a card
# description: A card bound to the digest of each model says what it is for and what it is not fit for.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [model.card, sbom]
#   artifacts: [weights, adapter]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attest it with `gate attest create --type model-card`, or sign an ML-BOM with its digest and its card.
#   parameters:
#     - {name: required, type: list, least: 1,
#        default: [intended_use, limitations], meaning: what a card has to say}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM09]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0023]}
#     NIST-800-218A: {relation: partly supports, ids: [PS.3.2]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 2.2, MEASURE 2.9]}
#     NIST-800-53r5: {relation: partly supports, ids: [SA-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11, Article 13, Article 53]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.7, A.8.2]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataInventoryManagement]}
package gate.controls.model.card

import data.gate.lib.attested
import data.gate.lib.bom
import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(bom.documents)
	is_object(document.artifacts)
	count(required) > 0
}

kinds := {"adapter", "weights"}

subjects := {name | some name, artifact in document.artifacts; artifact.kind in kinds}

required := wanted if {
	fields := object.get(parameters.of("model.card"), "required", ["intended_use", "limitations"])
	shape.is_texts(fields)
	wanted := {field | some field in fields}
}

# The cards of each model: [name, statement, component, card], without a component where the statement is the card.
found contains entry if {
	some name in subjects
	some digest in attested.collected(statements.about("model.card", name))
	entry := [name, digest, null, statements.verified[digest].facts]
}

found contains entry if {
	some name in subjects
	some digest in statements.about("sbom", name)
	some ref in bom.parts(name, digest)
	card := bom.documents[digest].cards[ref]
	entry := [name, digest, ref, object.union(card, {"license": sort(bom.licenses(digest, ref))})]
}

complete := {[name, digest, ref] |
	some [name, digest, ref, card] in found
	every field in required {
		says(card[field])
	}
}

default says(_) := false

says(true) := true

says(value) if {
	is_string(value)
	trim(value, " \t\r\n") != ""
}

says(value) if {
	shape.is_texts(value)
	count(value) > 0
}

proved := bom.spoken_of(complete)

lacking := {name | some [name, _, _, _] in found} - proved

violations contains entry if {
	some kind in kinds
	some [fault, name, digests] in attested.problems(kind, "model.card", proved)
	name in faulty[fault]
	[code, message] := faults[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name in lacking
	digests := {digest | some [about, digest, _, _] in found; about == name}
	message := sprintf("no card of all of it says everything that is asked for: %s", [concat(", ", required)])
	entry := result.violation("model.card.incomplete", message, {"artifact": name, "evidence": digests})
}

# A statement that says no counts always, what is missing only where no other source has it.
faulty := {"failed": subjects, "missing": open, "uncollected": open} if open := subjects - (proved | lacking)

faults := {
	"failed": ["model.card.failed", "a model card that covers it says no"],
	"missing": ["model.card.missing", "no model card covers it, nor an SBOM that names it and has one"],
	"uncollected": ["model.card.uncollected", "what covers it is its signer's word; nothing was collected"],
}

evidence := {digest | some [name, digest, _] in complete; name in proved}

default reason := null

reason := "no weights or adapter asks for admission" if count(subjects) == 0
