# METADATA
# title: Build provenance is complete
# description: Provenance binds each artifact to a builder, a build type and its inputs.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [build.provenance, training.provenance]
#   artifacts: [weights, adapter, container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attach SLSA provenance by a trusted builder with an input by digest, or collected training provenance.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.3.2, PO.3.3]}
#     SLSA-1.2: {relation: partly supports, ids: [Build-L1, Build-L2]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.1, MEASURE 2.8]}
#     NIST-800-53r5: {relation: supports, ids: [SR-4]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.3]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-BR-06.01]}
#     CoSAI: {relation: partly supports,
#       ids: [controlModelAndDataIntegrityManagement, controlModelAndDataInventoryManagement]}
package gate.controls.build.provenance

import data.gate.lib.attested
import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(statements.verified)
}

subjects := {name |
	some name, artifact in document.artifacts
	artifact.kind in {"adapter", "container", "weights"}
}

# Statements of how each came to be. Of a training, only what was collected while it ran says more than its signer.
found[name] := digests if {
	some name in subjects
	digests := statements.about("build.provenance", name) | trainings(name)
}

trainings(name) := attested.collected(statements.about("training.provenance", name))

complete contains pair if {
	some name, digests in found
	some digest in digests
	is_complete(statements.verified[digest].facts)
	pair := [name, digest]
}

default is_complete(_) := false

is_complete(facts) if {
	shape.is_text(facts.builder_id)
	shape.is_text(facts.build_type)
	is_object(facts.dependencies)
	some digests in facts.dependencies
	is_object(digests)
	some digest in digests
	is_string(digest)
	regex.match(`^[0-9a-f]{32,128}$`, digest)
}

# A training names its builder by its signature, and its build type by its method.
is_complete(facts) if {
	facts.method in {"fine-tuning", "training"}
	some input_digest in training_inputs(facts)
	is_string(input_digest)
	regex.match(`^(sha256:[0-9a-f]{64}|[0-9a-f]{40,64})$`, input_digest)
}

training_inputs(facts) := ({facts.code.commit} | {digest | some digest in facts.base}) | {digest |
	some digest in facts.datasets
} if {
	is_object(facts.base)
	is_object(facts.datasets)
}

proved := {name | some [name, _] in complete}

violations contains entry if {
	some name, digests in found
	count(digests) == 0
	message := "no verified build provenance covers it"
	entry := result.violation("build.provenance.missing", message, {"artifact": name})
}

violations contains entry if {
	some name, digests in found
	count(digests) > 0
	not name in proved
	message := "its provenance lacks the builder, the build type or an input with a digest"
	entry := result.violation("build.provenance.incomplete", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name in subjects
	digests := statements.about("build.provenance", name)
	count({story(statements.verified[digest].facts) | some digest in digests}) > 1
	message := "its provenance statements disagree on builder, build type or inputs"
	entry := result.violation("build.provenance.conflict", message, {"artifact": name, "evidence": digests})
}

story(facts) := [object.get(facts, field, null) | some field in ["builder_id", "build_type", "dependencies"]]

evidence := {digest | some [_, digest] in complete}

default reason := null

reason := "no weights, adapter or container asks for admission" if count(subjects) == 0
