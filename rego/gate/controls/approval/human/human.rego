# METADATA
# title: People approved it
# description: Enough people other than its authors approved each artifact as it is now, and nobody rejected it.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [approval]
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Let somebody who signed nothing else about it run `gate attest create --type approval` and sign.
#   parameters:
#     - {name: minimum, type: number, least: 1, default: 1, meaning: how many different people must approve}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM06]}
#     NIST-800-218A: {relation: supports, ids: [PO.2.1, PO.4.1]}
#     SLSA-1.2: {relation: partly supports, ids: [Source-L4]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 3.2, MANAGE 1.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-3]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 17]}
#     ISO-42001: {relation: partly supports, ids: [A.3.2, A.6.2.5]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-QA-07.01]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.approval.human

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.people
import data.gate.lib.result
import data.gate.lib.shape
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(people.signers)
	is_number(minimum)
}

minimum := value if {
	value := object.get(parameters.of("approval.human"), "minimum", 1)
	shape.is_count(value)
	value > 0
}

subjects := object.keys(document.artifacts)

decided[name] := digests if {
	some name in subjects
	digests := people.deciding({"approval"}, name)
}

concerning[name] := digests if {
	some name in subjects
	digests := people.concerning({"approval"}, name)
}

# Who made what is approved does not approve it.
approvers[name] := found if {
	some name, digests in decided
	found := people.approving(digests) - people.authors(name)
}

proved := {name | some name, found in approvers; count(found) >= minimum}

violations contains entry if {
	some name, found in concerning
	count(found) == 0
	message := "no verified approval is about it as it is now"
	entry := result.violation("approval.human.missing", message, {"artifact": name})
}

violations contains entry if {
	some name, digests in decided
	count(digests) == 0
	found := concerning[name]
	count(found) > 0
	message := "the approvals that are here were not collected or are not about all of it"
	entry := result.violation("approval.human.incomplete", message, {"artifact": name, "evidence": found})
}

violations contains entry if {
	some name, digests in decided
	count(digests) > 0
	not name in proved
	message := sprintf("people who approved it and did not make it: %d of %d", [count(approvers[name]), minimum])
	entry := result.violation("approval.human.too_few", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name, digests in decided
	against := people.against(digests)
	count(against) > 0
	message := "somebody rejected it"
	entry := result.violation("approval.human.rejected", message, {"artifact": name, "evidence": against})
}

evidence := {digest | some digests in decided; some digest in digests}

default reason := null

reason := "no artifact asks for admission" if count(subjects) == 0
