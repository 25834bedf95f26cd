# METADATA
# title: Datasets are governed
# description: Owner, classification, personal data and licence of each dataset are stated, and no two sources disagree.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [dataset, sbom]
#   artifacts: [dataset]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attest it with `gate attest create --type dataset`, or sign an SBOM that has its digest and says all four.
#   parameters:
#     - {name: personal_data, type: boolean, default: false, meaning: whether a dataset may hold personal data}
#     - {name: licenses, type: list, default: [], meaning: the licences that are allowed; any if the list is empty}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM04]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0025]}
#     NIST-800-218A: {relation: partly supports, ids: [PW.3.2]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML02]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.1, MEASURE 2.10]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 10]}
#     ISO-42001: {relation: partly supports, ids: [A.4.3, A.7.3]}
#     CoSAI: {relation: partly supports, ids: [controlTrainingDataManagement]}
package gate.controls.dataset.governed

import data.gate.lib.attested
import data.gate.lib.bom
import data.gate.lib.datasets
import data.gate.lib.licenses
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(bom.documents)
	is_boolean(settings.personal_data)
	shape.is_texts(settings.licenses)
}

settings := object.union({"personal_data": false, "licenses": []}, parameters.of("dataset.governed"))

subjects := attested.of_kind("dataset")

complete := {[name, digest, ref] | some [name, digest, ref, what] in datasets.said; datasets.is_complete(what)}

proved := bom.spoken_of(complete)

violations contains entry if {
	some [fault, name, digests] in attested.problems("dataset", "dataset", proved)
	name in faulty[fault]
	[code, message] := faults[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name in subjects
	some field in ["owner", "classification", "personal_data", "licenses"]
	about := {[digest, value] |
		some [one, digest, _, what] in datasets.said
		one == name
		value := what[field]
		value != set()
	}
	count({value | some [_, value] in about}) > 1
	message := sprintf("its sources disagree: %s", [field])
	digests := {digest | some [digest, _] in about}
	entry := result.violation("dataset.governed.conflict", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some [name, digest, _, what] in datasets.said
	what.personal_data == true
	settings.personal_data == false
	message := "it holds personal data"
	entry := result.violation("dataset.governed.personal_data", message, {"artifact": name, "evidence": [digest]})
}

violations contains entry if {
	some [name, digest, _, what] in datasets.said
	count(settings.licenses) > 0
	some license in what.licenses
	not licenses.is_allowed(license, settings.licenses)
	message := sprintf("its licence %s is not on the list", [license])
	entry := result.violation("dataset.governed.license", message, {"artifact": name, "evidence": [digest]})
}

# A statement that says no counts always, what is missing only where no other source has it.
faulty := {"failed": subjects, "missing": open, "uncollected": open, "incomplete": open} if open := subjects - proved

faults := {
	"failed": ["dataset.governed.failed", "a dataset statement that covers it says no"],
	"missing": ["dataset.governed.missing", "no dataset statement covers it and no SBOM that names it says all"],
	"uncollected": ["dataset.governed.uncollected", "what covers it is its signer's word; nothing was collected"],
	"incomplete": ["dataset.governed.incomplete", "owner, classification, personal data or licence is not stated"],
}

evidence := {digest | some [name, digest, _] in complete; name in proved}

default reason := null

reason := "no dataset asks for admission" if count(subjects) == 0
