# METADATA
# title: Licences are allowed
# description: Each model and dataset has a licence, and every licence that anything states for it is on the list.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [model.card, dataset, sbom]
#   artifacts: [weights, adapter, dataset, package]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: State the licence in a model card, a dataset statement or an SBOM; put it on the list if you may use it.
#   parameters:
#     - {name: allowed, type: list, default: [], meaning: SPDX identifiers and other licences as they are written}
#     - {name: kinds, type: list, choices: artifact-kinds, least: 1,
#        default: [adapter, dataset, weights], meaning: kinds of artifacts that need a licence}
#   frameworks:
#     S2C2F: {relation: supports, ids: [SCA-2]}
#     NIST-800-218A: {relation: partly supports, ids: [PW.4.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 6.1, MAP 4.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-10]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 53]}
#     ISO-42001: {relation: partly supports, ids: [A.10.3]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-LE-02.02]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.model.license

import data.gate.lib.attested
import data.gate.lib.bom
import data.gate.lib.document
import data.gate.lib.licenses
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(bom.documents)
	shape.is_texts(settings.allowed)
	is_object(document.artifacts)
	shape.is_texts(settings.kinds)
}

settings := object.union({"allowed": [], "kinds": ["adapter", "dataset", "weights"]}, parameters.of("model.license"))

subjects := {name | some name, artifact in document.artifacts; artifact.kind in settings.kinds}

# Licences that are stated: [name, statement, component, licence], without a component where all of it is meant.
stated contains entry if {
	some name in subjects
	some claim in {"dataset", "model.card"}
	some digest in attested.collected(statements.about(claim, name))
	license := statements.verified[digest].facts.license
	entry := [name, digest, null, license]
}

stated contains entry if {
	some name in subjects
	some digest, _ in bom.documents
	some ref in bom.parts(name, digest)
	some license in bom.licenses(digest, ref)
	entry := [name, digest, ref, license]
}

# What could state a licence for it, or does for a part of it.
near[name] := digests if {
	some name in subjects
	covering := {digest | some claim in {"dataset", "model.card", "sbom"}; some digest in statements.about(claim, name)}
	digests := covering | {digest | some [one, digest, _, _] in stated; one == name}
}

refused := {entry | some entry in stated; not licenses.is_allowed(entry[3], settings.allowed)}

proved := bom.spoken_of({[name, digest, ref] | some [name, digest, ref, _] in stated})

violations contains entry if {
	some name, digests in near
	count(digests) == 0
	message := "nothing that states licences is about it"
	entry := result.violation("model.license.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in (subjects - proved)
	count(near[name]) > 0
	message := "what is about it states no licence for all of it, or was not collected"
	entry := result.violation("model.license.unstated", message, {"artifact": name, "evidence": near[name]})
}

violations contains entry if {
	some [name, digest, _, license] in refused
	licenses.is_stated(license)
	message := sprintf("its licence %s is not on the list", [license])
	entry := result.violation("model.license.refused", message, {"artifact": name, "evidence": [digest]})
}

violations contains entry if {
	some [name, digest, _, license] in refused
	not licenses.is_stated(license)
	message := "a statement about it says that it has no licence or that nobody knows"
	entry := result.violation("model.license.unknown", message, {"artifact": name, "evidence": [digest]})
}

evidence := {digest | some [name, digest, _, _] in stated; name in proved}

default reason := null

reason := "nothing that needs a licence asks for admission" if count(subjects) == 0
