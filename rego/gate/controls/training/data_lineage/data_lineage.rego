# METADATA
# title: Training data is known
# description: Each dataset that a model was trained with is named by digest, and is admitted or attested itself.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [training.provenance, dataset]
#   artifacts: [weights, adapter]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attest the training with its datasets by digest, and attest each dataset or let it ask for admission too.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM04]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0025]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.2, PW.3.2]}
#     OWASP-ML-2023: {relation: supports, ids: [ML02]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 2.3, MAP 4.1]}
#     NIST-800-53r5: {relation: supports, ids: [SR-4]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 10]}
#     ISO-42001: {relation: supports, ids: [A.7.5]}
#     CoSAI: {relation: partly supports, ids: [controlTrainingDataManagement]}
package gate.controls.training.data_lineage

import data.gate.lib.attested
import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import data.gate.lib.weights
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(statements.verified)
}

subjects := {name | some name, artifact in document.artifacts; artifact.kind in {"adapter", "weights"}}

stories[name] := digests if {
	some name in subjects
	digests := attested.collected(statements.about("training.provenance", name))
}

# What stands for a dataset that is known: one that asks for admission, or one with a statement of its own.
known := admitted | described

admitted := {digest |
	some name in attested.of_kind("dataset")
	some digest in (weights.whole(name) | weights.parts(name))
}

described := {digest |
	some one, statement in statements.verified
	statement.claim == "dataset"
	one in attested.collected({one})
	is_object(statement.subjects)
	some digest, _ in statement.subjects
}

# Each dataset that a training names: [model, statement, name, digest].
named contains entry if {
	some name, digests in stories
	some digest in digests
	datasets := statements.verified[digest].facts.datasets
	is_object(datasets)
	some dataset, content in datasets
	entry := [name, digest, dataset, content]
}

told := {name | some [name, _, _, _] in named}

unknown := {entry | some entry in named; not entry[3] in known}

proved := told - {name | some [name, _, _, _] in unknown}

violations contains entry if {
	some name in subjects
	count(stories[name]) == 0
	message := "no collected statement says how it was trained"
	entry := result.violation("training.data_lineage.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in (subjects - told)
	count(stories[name]) > 0
	message := "the statement about its training names no dataset"
	entry := result.violation("training.data_lineage.unnamed", message, {"artifact": name, "evidence": stories[name]})
}

violations contains entry if {
	some [name, digest, dataset, _] in unknown
	message := sprintf("the dataset %s is neither admitted nor attested", [dataset])
	entry := result.violation("training.data_lineage.unknown", message, {"artifact": name, "evidence": [digest]})
}

evidence := {digest | some [name, digest, _, _] in named; name in proved}

default reason := null

reason := "no weights or adapter asks for admission" if count(subjects) == 0
