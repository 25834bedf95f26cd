# METADATA
# title: The base model is the admitted one
# description: What was tuned or adapted names as its base the very model that asks for admission with it, signed.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [training.provenance, composition]
#   artifacts: [weights, adapter]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Name the base in gate.yaml, sign it, and attest the training or a composition over the base that is there.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM04]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.3.2, PW.4.4]}
#     OWASP-ML-2023: {relation: supports, ids: [ML07]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.2, MANAGE 3.2]}
#     NIST-800-53r5: {relation: supports, ids: [SR-4]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11, Article 25]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.3, A.10.3]}
#     CoSAI: {relation: partly supports,
#       ids: [controlModelAndDataIntegrityManagement, controlModelAndDataInventoryManagement]}
package gate.controls.training.base_lineage

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

models := {name | some name, artifact in document.artifacts; artifact.kind in {"adapter", "weights"}}

# What says which base a model has: statements about its training, and compositions in which it is an adapter.
stories[name] := digests if {
	some name in models
	trainings := statements.about("training.provenance", name)
	compositions := {digest |
		some digest in statements.about("composition", name)
		is_among(name, statements.verified[digest].facts.adapters)
	}
	digests := attested.collected(trainings | compositions)
}

default is_among(_, _) := false

is_among(name, parts) if {
	is_object(parts)
	weights.is_named(name, {digest | some digest in parts})
}

adapters := {name | some name in models; document.artifacts[name].kind == "adapter"}

declared := {name | some name in models; not is_null(document.artifacts[name].base)}

told := {name |
	some name, digests in stories
	some digest in digests
	not statements.verified[digest].facts.base == {}
}

# Adapters, and weights of which gate.yaml or a statement says that they have a base.
subjects := (adapters | declared) | told

bases[name] := base if {
	some name in subjects
	base := document.artifacts[name].base
	is_object(document.artifacts[base])
	base != name
}

matches contains pair if {
	some name, base in bases
	some digest in stories[name]
	is_among(base, statements.verified[digest].facts.base)
	pair := [name, digest]
}

signed := {name | some name, base in bases; count(statements.about("artifact.signature", base)) > 0}

proved := {name | some [name, _] in matches}

violations contains entry if {
	some name in (subjects - object.keys(bases))
	message := "gate.yaml names no base for it that asks for admission too"
	entry := result.violation("training.base_lineage.unadmitted", message, {"artifact": name})
}

violations contains entry if {
	some name, _ in bases
	count(stories[name]) == 0
	message := "no collected statement says which base it was made from"
	entry := result.violation("training.base_lineage.missing", message, {"artifact": name})
}

violations contains entry if {
	some name, base in bases
	some digest in stories[name]
	not [name, digest] in matches
	message := sprintf("what it was made from is not %s as it is now", [base])
	entry := result.violation("training.base_lineage.differs", message, {"artifact": name, "evidence": [digest]})
}

violations contains entry if {
	some name, base in bases
	not name in signed
	message := sprintf("no verified signature covers its base %s", [base])
	entry := result.violation("training.base_lineage.unsigned", message, {"artifact": name})
}

evidence := {digest | some [_, digest] in matches}

default reason := null

reason := "no adapter, and no weights with a base" if count(subjects) == 0
