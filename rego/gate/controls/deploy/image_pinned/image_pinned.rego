# METADATA
# title: Images of workloads are admitted
# description: Each image that manifests run or mount is named by digest and is an artifact, a container if it runs.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: []
#   artifacts: [container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Name each image as repository@sha256:..., and list it in gate.yaml, as a container or mounted weights.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0013]}
#     NIST-800-218A: {relation: supports, ids: [PS.2.1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-2, CM-7(5)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     CoSAI: {relation: partly supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.deploy.image_pinned

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.workloads
import future.keywords.not

default status := "error"

status := result.status(workloads.ids, proved, violations) if is_object(document.artifacts)

admitted contains digest if {
	some artifact in document.artifacts
	artifact.kind == "container"
	digest := artifact.digest
}

# A model in an image asks as weights. It is mounted, and does not run.
mounted contains digest if {
	some artifact in document.artifacts
	artifact.kind == "weights"
	shape.is_text(artifact.reference)
	digest := artifact.digest
}

# Every image that a workload runs or mounts, by workload and place.
images[[id, place]] := container if {
	some id, workload in workloads.judged
	some name, container in workload.containers
	place := sprintf("container %s", [name])
}

images[[id, place]] := image if {
	some id, workload in workloads.judged
	some name, image in workload.pod.images
	place := sprintf("volume %s", [name])
}

# A volume of an image that is not told is one that nobody knows.
images[[id, place]] := {} if {
	some id, workload in workloads.judged
	some name, kind in workload.pod.volumes
	kind in {"image", "several"}
	not name in object.keys(workload.pod.images)
	place := sprintf("volume %s", [name])
}

pinned := {place | some place, image in images; shape.is_digest(image.digest)}

known contains place if {
	some place in pinned
	images[place].digest in admitted
}

known contains place if {
	some place in pinned
	startswith(place[1], "volume ")
	images[place].digest in mounted
}

proved := object.keys(workloads.judged) - {id | some [id, _] in (object.keys(images) - known)}

violations contains entry if {
	some id, message in workloads.unreadable
	entry := workloads.refusal("deploy.image_pinned.unreadable", id, message)
}

violations contains entry if {
	some [id, place] in (object.keys(images) - pinned)
	message := sprintf("the image of %s is not named by a SHA-256 digest", [place])
	entry := workloads.refusal("deploy.image_pinned.unpinned", id, message)
}

violations contains entry if {
	some [id, place] in (pinned - known)
	message := sprintf("the image of %s is no artifact that asks for admission", [place])
	entry := workloads.refusal("deploy.image_pinned.unadmitted", id, message)
}

evidence := set()

default reason := "no manifest is configured"

reason := sprintf("images that are admitted: %d", [count(known)]) if count(workloads.ids) > 0
