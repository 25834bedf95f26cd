# METADATA
# title: Models are loaded safely
# description: Flags keep known serving software to formats that run no code; its image has no library that is too old.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [sbom]
#   artifacts: [weights, adapter, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Ask for safetensors (such as --load-format safetensors), remove flags and update packages that are named.
#   parameters:
#     - {name: minimum_versions, type: object, default: {},
#        meaning: "oldest versions of packages that images of servers may have, by package URL"}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0011]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-6, CM-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     CoSAI: {relation: supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.deploy.safe_loading

import data.gate.lib.installed
import data.gate.lib.result
import data.gate.lib.workloads
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(workloads.entries)
	is_object(minimums)
}

minimums := installed.minimums

loading[[id, name]] := found if {
	some id, workload in workloads.judged
	some name, container in workload.containers
	found := container.loading
}

serving := {place | some place, found in loading; is_string(found.server)}

images[[id, name]] := image if {
	some [id, name] in serving
	image := workloads.judged[id].containers[name].digest
}

subjects := {id | some [id, _] in serving}

safe := {place |
	some place in serving
	count(loading[place].safe) > 0
	count(loading[place].unsafe) == 0
	count(loading[place].unknown) == 0
	installed.is_current(images[place], minimums)
}

proved := subjects - {id | some [id, _] in (serving - safe)}

violations contains entry if {
	some id, message in workloads.unreadable
	entry := workloads.refusal("deploy.safe_loading.unreadable", id, message)
}

violations contains entry if {
	some [id, name], found in loading
	some what in found.unsafe
	message := sprintf("container %s: %s", [name, what])
	entry := workloads.refusal("deploy.safe_loading.unsafe", id, message)
}

violations contains entry if {
	some [id, name], found in loading
	[id, name] in serving
	count(found.safe) == 0
	count(found.unsafe) == 0
	message := sprintf("container %s: nothing keeps its server to safe formats", [name])
	entry := workloads.refusal("deploy.safe_loading.unbound", id, message)
}

violations contains entry if {
	some [id, name], found in loading
	[id, name] in serving
	some what in found.unknown
	message := sprintf("container %s: %s cannot be seen", [name, what])
	entry := workloads.refusal("deploy.safe_loading.hidden", id, message)
}

violations contains entry if {
	some [id, name], image in images
	some what in installed.older(image, minimums)
	message := sprintf("container %s: its image has %s", [name, what])
	entry := workloads.refusal("deploy.safe_loading.old", id, message)
}

violations contains entry if {
	some [id, name], image in images
	some what in installed.unclear(image, minimums)
	message := sprintf("container %s: %s", [name, what])
	entry := workloads.refusal("deploy.safe_loading.unversioned", id, message)
}

evidence := {digest |
	count(minimums) > 0
	some image in images
	some [about, _, digest] in installed.bills
	about == image
}

default reason := "no container of a manifest runs serving software that is known"

reason := sprintf("containers that load safely: %d", [count(safe)]) if count(subjects) > 0
