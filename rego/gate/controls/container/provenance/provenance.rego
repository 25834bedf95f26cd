# METADATA
# title: Image has provenance
# description: Verified build provenance is about the very digest of each container image and names its builder.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [build.provenance]
#   artifacts: [container]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Let the builder of the image sign SLSA provenance of its digest, and collect it from the registry.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.3.2]}
#     SLSA-1.2: {relation: supports, ids: [Build-L1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.1]}
#     NIST-800-53r5: {relation: supports, ids: [SR-4]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 11]}
#     ISO-42001: {relation: partly supports, ids: [A.4.5, A.10.3]}
#     CoSAI: {relation: partly supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.container.provenance

import data.gate.lib.attested
import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations)

subjects := attested.of_kind("container")

# Provenance that names the image itself, and not only files of it.
stories contains entry if {
	some name in subjects
	some digest in statements.about("build.provenance", name)
	is_object(statements.verified[digest].subjects[document.artifacts[name].digest])
	entry := [name, digest]
}

told := {name | some [name, _] in stories}

complete contains entry if {
	some [name, digest] in stories
	shape.is_text(statements.verified[digest].facts.builder_id)
	entry := [name, digest]
}

proved := {name | some [name, _] in complete}

violations contains entry if {
	some name in (subjects - told)
	message := "no verified build provenance is about the digest of the image"
	entry := result.violation("container.provenance.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in (told - proved)
	message := "its provenance does not name the builder"
	digests := [digest | some [one, digest] in stories; one == name]
	entry := result.violation("container.provenance.builder", message, {"artifact": name, "evidence": digests})
}

evidence := {digest | some [_, digest] in complete}

default reason := null

reason := "no container asks for admission" if count(subjects) == 0
