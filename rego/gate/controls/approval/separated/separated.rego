# METADATA
# title: Duties are separated
# description: Who made an artifact, who evaluated it and who approved it are different people, and nobody rejected it.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [approval, review, eval, eval.result, test.result]
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Let the author, the evaluator and the approver sign with keys or accounts of their own.
#   parameters:
#     - {name: duties, type: list, choices: [approval, evaluation, making], least: 1, default: [approval, making],
#        meaning: what somebody must have signed}
#   frameworks:
#     OWASP-LLM-2025: {relation: partly supports, ids: [LLM06]}
#     NIST-800-218A: {relation: supports, ids: [PO.2.1]}
#     SLSA-1.2: {relation: partly supports, ids: [Source-L4]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 2.1, MEASURE 1.3]}
#     NIST-800-53r5: {relation: supports, ids: [AC-5]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 17]}
#     ISO-42001: {relation: partly supports, ids: [A.3.2]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-QA-07.01]}
#     CoSAI: {relation: partly supports, ids: [controlProductGovernance]}
package gate.controls.approval.separated

import data.gate.lib.document
import data.gate.lib.lineage
import data.gate.lib.parameters
import data.gate.lib.people
import data.gate.lib.result
import data.gate.lib.shape
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(people.signers)
	is_set(required)
}

required := wanted if {
	values := object.get(parameters.of("approval.separated"), "duties", ["approval", "making"])
	shape.is_texts(values)
	wanted := {duty | some duty in values}
	wanted != set()
}

# Whoever evaluates makes the files of an evaluation, so of those nothing can be separated.
subjects := {name | some name, artifact in document.artifacts; artifact.kind != "evaluation"} if {
	is_object(document.artifacts)
}

# Who did what for each artifact.
duties[name] := who if {
	some name in subjects
	who := {
		"approval": people.signing(decisions, name),
		"evaluation": people.signing(people.evaluations, name),
		"making": people.makers(name),
	}
}

decided[name] := digests if {
	some name in subjects
	digests := people.deciding(decisions, name)
}

decisions := {"approval", "review"}

# What is wrong: [name, fault, detail].
faults contains [name, "missing", duty] if {
	some name, who in duties
	some duty in required
	not count(who[duty]) > 0
}

# It is not enough that somebody signed an approval; it must say yes, of all of it.
faults contains [name, "incomplete", "approval"] if {
	some name, who in duties
	"approval" in required
	count(who.approval) > 0
	count(people.approving(decided[name])) == 0
}

faults contains [name, "same", pair] if {
	some name, who in duties
	some [one, other] in [["approval", "evaluation"], ["approval", "making"], ["evaluation", "making"]]
	count(who[one] & who[other]) > 0
	pair := sprintf("%s and %s", [one, other])
}

# Whatever speaks against one is a fault; here it is enough that its duties are known.
proved := object.keys(duties)

violations contains entry if {
	some [name, "missing", duty] in faults
	message := sprintf("nobody signed for its %s", [duty])
	entry := result.violation("approval.separated.missing", message, {"artifact": name})
}

violations contains entry if {
	some [name, "incomplete", duty] in faults
	message := sprintf("whoever signed for its %s did not say yes to all of it in a collected statement", [duty])
	entry := result.violation("approval.separated.incomplete", message, {"artifact": name})
}

violations contains entry if {
	some name, digests in decided
	count(people.against(digests)) > 0
	where := {"artifact": name, "evidence": people.against(digests)}
	entry := result.violation("approval.separated.rejected", "somebody rejected it", where)
}

violations contains entry if {
	some [name, "same", pair] in faults
	message := sprintf("the same person signed for its %s", [pair])
	entry := result.violation("approval.separated.same", message, {"artifact": name})
}

evidence := {digest | some digest, statement in lineage.shaped; some name in statement.artifacts; name in subjects}

default reason := null

reason := "nothing asks for admission that people make" if count(subjects) == 0
