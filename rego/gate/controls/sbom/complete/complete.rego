# METADATA
# title: Bills of materials are complete
# description: A signed SBOM covers each artifact, has it as its root, and none says that parts of it are missing.
# schemas:
#   - input: schema.input
# custom:
#   severity: medium
#   claims: [sbom]
#   artifacts: [weights, adapter, dataset, package, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Sign a CycloneDX or SPDX 3 document about the artifact that has its SHA-256 and declares completeness.
#   parameters:
#     - {name: kinds, type: list, choices: artifact-kinds, least: 1,
#        default: [adapter, container, dataset, package, weights], meaning: what needs one}
#     - {name: accept_spdx_2, type: boolean, default: false, meaning: whether SPDX 2 counts that leaves it open}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0023]}
#     NIST-800-218A: {relation: supports, ids: [PS.3.2]}
#     OWASP-AISVS-1.0: {relation: partly supports, ids: [6.2.1, 6.2.3]}
#     S2C2F: {relation: partly supports, ids: [INV-1, AUD-4]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 1.6, MAP 4.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-8, SR-4(4)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.4.2, A.4.4]}
#     OpenSSF-Baseline: {relation: supports, ids: [OSPS-QA-02.02]}
#     CoSAI: {relation: supports, ids: [controlModelAndDataInventoryManagement]}
package gate.controls.sbom.complete

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
	shape.is_texts(settings.kinds)
	is_boolean(settings.accept_spdx_2)
}

defaults := {"kinds": ["adapter", "container", "dataset", "package", "weights"], "accept_spdx_2": false}

settings := object.union(defaults, parameters.of("sbom.complete"))

subjects := {name | some name, artifact in document.artifacts; artifact.kind in settings.kinds}

# Documents about each artifact, [name, statement], and those of them that pass one more question each.
covering := {[name, digest] | some name in subjects; some digest in statements.about("sbom", name)}

naming := {pair | some pair in covering; bom.is_named(pair[0], pair[1])}

rooted := {pair | some pair in naming; bom.has_root(bom.documents[pair[1]])}

own := {pair | some pair in rooted; not bom.is_of_another(pair[0], pair[1])}

whole := {pair | some pair in own; bom.declares_all(bom.documents[pair[1]], settings.accept_spdx_2)}

names(pairs) := {name | some [name, _] in pairs}

proved := names(whole)

violations contains entry if {
	some name in (subjects - names(covering))
	entry := result.violation("sbom.complete.missing", "no signed SBOM covers it", {"artifact": name})
}

violations contains entry if {
	some [code, message, before, after] in steps
	some name in (names(before) - names(after))
	digests := {digest | some [one, digest] in before; one == name}
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

# One that says itself that parts are missing stands against one that says they are all there.
violations contains entry if {
	some name in proved
	digests := {digest |
		some [one, digest] in naming
		one == name
		bom.documents[digest].completeness == "incomplete"
	}
	count(digests) > 0
	message := "an SBOM that names it says that parts are missing and another that they are all there"
	entry := result.violation("sbom.complete.conflict", message, {"artifact": name, "evidence": digests})
}

steps := [
	["sbom.complete.unnamed", "no SBOM that covers it has its SHA-256 or those of all its files", covering, naming],
	["sbom.complete.rootless", "no SBOM that names it says which of its components it is about", naming, rooted],
	["sbom.complete.other_root", "the root of each SBOM that names it has the SHA-256 of something else", rooted, own],
	["sbom.complete.incomplete", "no SBOM that names it declares that its parts are all there", own, whole],
]

evidence := {digest | some [_, digest] in whole}

default reason := null

reason := "nothing that needs an SBOM asks for admission" if count(subjects) == 0
