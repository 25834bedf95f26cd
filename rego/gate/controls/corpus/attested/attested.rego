# METADATA
# title: Corpora are attested
# description: A collected statement covers exactly the files of each corpus, with a manifest of its documents.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [corpus]
#   artifacts: [corpus]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Run `gate attest create --type corpus` on the files as they are, and sign the statement.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM04, LLM08]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014, AML.M0025]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.2, PW.3.1]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML02]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MAP 4.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [SI-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 10]}
#     ISO-42001: {relation: partly supports, ids: [A.7.5]}
#     CoSAI: {relation: partly supports, ids: [controlRetrievalAndVectorSystemIntegrity]}
package gate.controls.corpus.attested

import data.gate.lib.attested
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations)

subjects := attested.of_kind("corpus")

complete contains pair if {
	some name in subjects
	some digest in attested.collected(statements.about("corpus", name))
	is_complete(statements.verified[digest].facts)
	pair := [name, digest]
}

default is_complete(_) := false

is_complete(facts) if {
	attested.has_roles(facts, {"document_manifest"})
	shape.is_digest(facts.documents.root)
	shape.is_count(facts.documents.count)
	facts.documents.count > 0
}

proved := {name | some [name, _] in complete}

violations contains entry if {
	some [fault, name, digests] in attested.problems("corpus", "corpus", proved)
	[code, message] := said[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

said := {
	"missing": ["corpus.attested.missing", "no verified corpus statement covers all of its files as they are"],
	"failed": ["corpus.attested.failed", "a corpus statement that covers it says no"],
	"uncollected": ["corpus.attested.uncollected", "what covers it is its signer's word; nothing was collected"],
	"incomplete": ["corpus.attested.incomplete", "its statement names no manifest, or a manifest without documents"],
}

evidence := {digest | some [_, digest] in complete}

default reason := null

reason := "no corpus asks for admission" if count(subjects) == 0
