# METADATA
# title: Artifact is pinned by digest
# description: No artifact is named by something that can be another one tomorrow.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: []
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Name the image by `@sha256:` digest instead of a tag; replace links in folders by files.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: partly supports, ids: [AML.M0014]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.2]}
#     NIST-800-53r5: {relation: partly supports, ids: [CM-2, SI-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-BR-02.02]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.artifact.pinned

import data.gate.lib.document
import data.gate.lib.result
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if is_object(document.artifacts)

subjects := object.keys(document.artifacts)

proved := {name |
	some name, artifact in document.artifacts
	artifact.mutable_reference == false
	is_string(artifact.digest)
}

violations contains entry if {
	some name in (subjects - proved)
	not is_only_undigested(document.artifacts[name])
	message := "its reference can point to something else tomorrow"
	entry := result.violation("artifact.pinned.mutable", message, {"artifact": name})
}

violations contains entry if {
	some name in (subjects - proved)
	is_only_undigested(document.artifacts[name])
	message := "it has no digest: it is empty, or holds something that is not a regular file"
	entry := result.violation("artifact.pinned.undigested", message, {"artifact": name})
}

default is_only_undigested(_) := false

is_only_undigested(artifact) if {
	artifact.mutable_reference == false
	is_string(artifact.path)
}

evidence := set()

default reason := "no artifact asks for admission"

reason := sprintf("artifacts with a digest: %d", [count(proved)]) if count(proved) > 0
