# METADATA
# title: Bills of materials are signed
# description: A trusted signer signed an SBOM of each artifact, apart from its makers if asked, and none was rejected.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [sbom]
#   artifacts: [weights, adapter, dataset, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Let a signer who is trusted for sbom sign an SBOM about the artifact; remove or replace the rejected one.
#   parameters:
#     - {name: kinds, type: list, choices: artifact-kinds, least: 1,
#        default: [adapter, container, dataset, package, weights], meaning: what needs one}
#     - {name: apart_from, type: list, choices: claims,
#        default: [], meaning: claims about the artifact that others have to sign}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0023]}
#     NIST-800-218A: {relation: supports, ids: [PS.2.1]}
#     OWASP-AISVS-1.0: {relation: partly supports, ids: [6.2.2]}
#     S2C2F: {relation: supports, ids: [AUD-4]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [SR-4(4)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.4.2]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-QA-02.02]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataInventoryManagement]}
package gate.controls.sbom.signed

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.people
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(people.signers)
	is_object(rejected)
	is_object(document.artifacts)
	shape.is_texts(settings.kinds)
	is_array(apart)
}

defaults := {"kinds": ["adapter", "container", "dataset", "package", "weights"], "apart_from": []}

settings := object.union(defaults, parameters.of("sbom.signed"))

apart := values if {
	values := settings.apart_from
	shape.is_texts(values)
}

subjects := {name | some name, artifact in document.artifacts; artifact.kind in settings.kinds}

# What was rejected, with the artifacts and the claim that it is said to be about.
rejected := document.rejected if {
	every item in document.rejected {
		shape.is_texts(item.artifacts)
		shape.is_optional_text(item.claimed)
	}
}

documents[name] := digests if {
	some name in subjects
	digests := statements.about("sbom", name)
}

makers[name] := persons if {
	some name in subjects
	persons := {person |
		some claim in apart
		some digest in statements.about(claim, name)
		some person in people.signers[digest]
	}
}

shared := {[name, digest] |
	some name, digests in documents
	some digest in digests
	count(people.signers[digest] - makers[name]) == 0
}

proved := {name | some name, digests in documents; count(digests) > 0}

violations contains entry if {
	some name in (subjects - proved)
	entry := result.violation("sbom.signed.missing", "no SBOM by a signer trusted for it covers it", {"artifact": name})
}

violations contains entry if {
	some [name, digest] in shared
	message := "its SBOM is signed by nobody but those who signed what it has to be apart from"
	entry := result.violation("sbom.signed.maker", message, {"artifact": name, "evidence": [digest]})
}

# What does not say which claim it makes may be an SBOM too.
violations contains entry if {
	some digest, item in rejected
	item.claimed in {null, "sbom"}
	some name in item.artifacts
	name in subjects
	message := sprintf("an SBOM about it was rejected: %s", [item.code])
	entry := result.violation("sbom.signed.rejected", message, {"artifact": name, "evidence": [digest]})
}

evidence := {digest | some digests in documents; some digest in digests}

default reason := null

reason := "nothing that needs an SBOM asks for admission" if count(subjects) == 0
