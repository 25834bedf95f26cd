# METADATA
# title: Workloads connect only where they may
# description: A network policy selects each pod of the manifests for egress, and lets it reach listed peers alone.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: []
#   artifacts: [container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Add a network policy with the policy type Egress that selects the pod, and list what it may reach.
#   parameters:
#     - name: allowed
#       type: list
#       default: []
#       meaning: 'peers besides nothing: a CIDR as written, "pods", "namespaces" or "namespace <name>"'
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM02]}
#     NIST-800-218A: {relation: partly supports, ids: [PW.9.1]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: supports, ids: [SC-7(5)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     CoSAI: {relation: partly supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.deploy.egress

import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.workloads
import future.keywords.not

default status := "error"

status := result.status(workloads.ids, proved, violations) if shape.is_texts(allowed)

allowed := object.get(parameters.of("deploy.egress"), "allowed", [])

# What no list can allow: it is everything, or nobody knows what.
_everything := {"0.0.0.0/0", "::/0", "any", "unknown"}

limited contains id if {
	some id, workload in workloads.judged
	count(workload.egress.policies) > 0
	not "network" in workload.pod.host_namespaces
}

forbidden contains [id, peer] if {
	some id in limited
	some peer in workloads.entries[id].egress.peers
	not _is_allowed(peer)
}

default _is_allowed(_) := false

_is_allowed(peer) if {
	peer in allowed
	not peer in _everything
}

proved := limited - {id | some [id, _] in forbidden}

violations contains entry if {
	some id, message in workloads.unreadable
	entry := workloads.refusal("deploy.egress.unreadable", id, message)
}

violations contains entry if {
	some id in (object.keys(workloads.judged) - limited)
	entry := workloads.refusal("deploy.egress.open", id, "no network policy limits where it connects to")
}

violations contains entry if {
	some [id, peer] in forbidden
	message := sprintf("it may connect to %s, which is not on the list", [peer])
	entry := workloads.refusal("deploy.egress.peer", id, message)
}

evidence := set()

default reason := "no manifest is configured"

reason := sprintf("workloads whose egress is limited: %d", [count(proved)]) if count(workloads.ids) > 0
