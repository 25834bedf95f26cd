# METADATA
# title: Image is signed
# description: A verified signature of a trusted signer is about the very digest of each container image.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: [artifact.signature]
#   artifacts: [container]
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Sign the image by its digest, as cosign does, by a signer that gate.yaml trusts, and collect the signature.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0013]}
#     NIST-800-218A: {relation: supports, ids: [PS.2.1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: supports, ids: [CM-14, SI-7(15)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     OpenSSF-Baseline: {relation: supports, ids: [OSPS-BR-06.01]}
#     CoSAI: {relation: partly supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.container.signed

import data.gate.lib.attested
import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations)

subjects := attested.of_kind("container")

# Signatures that name the image itself, and not only files of it.
signatures contains entry if {
	some name in subjects
	some digest in statements.about("artifact.signature", name)
	is_object(statements.verified[digest].subjects[document.artifacts[name].digest])
	entry := [name, digest]
}

proved := {name | some [name, _] in signatures}

violations contains entry if {
	some name in (subjects - proved)
	message := "no verified signature of a trusted signer is about the digest of the image"
	entry := result.violation("container.signed.missing", message, {"artifact": name})
}

evidence := {digest | some [_, digest] in signatures}

default reason := null

reason := "no container asks for admission" if count(subjects) == 0
