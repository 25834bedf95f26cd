# METADATA
# title: Workloads are restricted
# description: Each pod of the manifests meets Pod Security's restricted level, and what the profile asks besides.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: []
#   artifacts: [container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Set the security context, limits and volumes that the violation names; render charts before they are judged.
#   parameters:
#     - name: level
#       type: string
#       choices: [baseline, restricted]
#       default: restricted
#       meaning: level of Pod Security
#     - name: besides
#       type: list
#       choices: [limits, probes, read_only_root, requests, token]
#       default: [limits, read_only_root]
#       meaning: what else is asked for
#   frameworks:
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0005]}
#     NIST-800-218A: {relation: partly supports, ids: [PW.9.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: supports, ids: [AC-6, CM-7, SC-39]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     CoSAI: {relation: partly supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.deploy.restricted

import data.gate.lib.parameters
import data.gate.lib.pods
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.workloads
import future.keywords.not

default status := "error"

status := result.status(workloads.ids, proved, violations) if {
	level in {"baseline", "restricted"}
	shape.is_texts(besides)
}

level := object.get(parameters.of("deploy.restricted"), "level", "restricted")

besides := object.get(parameters.of("deploy.restricted"), "besides", ["limits", "read_only_root"])

breaks contains entry if some entry in pods.baseline

breaks contains entry if {
	not level == "baseline"
	some entry in pods.restricted
}

breaks contains [reason_, id, message] if {
	some [reason_, name, id, message] in pods.beyond
	name in besides
}

proved := object.keys(workloads.judged) - {id | some [_, id, _] in breaks}

codes := {
	"capabilities": "deploy.restricted.capabilities",
	"escalation": "deploy.restricted.escalation",
	"host": "deploy.restricted.host",
	"limits": "deploy.restricted.limits",
	"privileged": "deploy.restricted.privileged",
	"probes": "deploy.restricted.probes",
	"profile": "deploy.restricted.profile",
	"requests": "deploy.restricted.requests",
	"root": "deploy.restricted.root",
	"root_filesystem": "deploy.restricted.root_filesystem",
	"token": "deploy.restricted.token",
	"volume": "deploy.restricted.volume",
}

violations contains entry if {
	some id, message in workloads.unreadable
	entry := workloads.refusal("deploy.restricted.unreadable", id, message)
}

violations contains entry if {
	some [reason_, id, message] in breaks
	code := codes[reason_]
	entry := workloads.refusal(code, id, message)
}

evidence := set()

default reason := "no manifest is configured"

reason := sprintf("workloads within the level: %d", [count(proved)]) if count(workloads.ids) > 0
