# METADATA
# title: Files are exactly the signed ones
# description: Every file has the signed digest; none is extra, absent, renamed or a link.
# schemas:
#   - input: schema.input
# custom:
#   severity: critical
#   claims: [artifact.signature]
#   artifacts: [weights, adapter, dataset, package, container, prompt, corpus, evaluation, route, slo, plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: false
#   fix: Restore the signed files, or sign the folder as it is now; replace links by the files they name.
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014]}
#     NIST-800-218A: {relation: supports, ids: [PS.1.3, PS.2.1]}
#     OWASP-AISVS-1.0: {relation: supports, ids: [6.1.3]}
#     S2C2F: {relation: partly supports, ids: [AUD-3]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06, ML10]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: supports, ids: [SI-7, SI-7(1), SR-4(3)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.5]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-BR-06.01]}
#     CoSAI: {relation: supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.artifact.integrity

import data.gate.lib.document
import data.gate.lib.result
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(statements.verified)
}

# What lies on disk. An image has no files of its own here.
subjects := {name | some name, artifact in document.artifacts; is_string(artifact.path)}

# What is there, by path. A link or device has no digest, so no signature can be equal to a listing that holds one.
listings[name] := listing if {
	some name in subjects
	listing := {path: file.digest | some path, file in document.artifacts[name].files}
	count(listing) > 0
}

matches contains pair if {
	some name, listing in listings
	some digest in statements.about("artifact.signature", name)
	statements.verified[digest].facts.files == listing
	pair := [name, digest]
}

# A model that is one file is signed under the name `.` (model signing v1.0).
matches contains pair if {
	some name, listing in listings
	count(listing) == 1
	some path, own in listing
	endswith(document.artifacts[name].path, path)
	some digest in statements.about("artifact.signature", name)
	statements.verified[digest].facts.files == {".": own}
	pair := [name, digest]
}

proved := {name | some [name, _] in matches}

unlistable := {"special": "artifact.integrity.special", "symlink": "artifact.integrity.link"}

violations contains entry if {
	some name in (subjects - proved)
	count(statements.about("artifact.signature", name)) == 0
	message := "no verified signature lists its files"
	entry := result.violation("artifact.integrity.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in (subjects - proved)
	digests := statements.about("artifact.signature", name)
	count(digests) > 0
	message := "its files are not exactly those that were signed"
	entry := result.violation("artifact.integrity.differs", message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some name in subjects
	some path, file in document.artifacts[name].files
	code := unlistable[file.format]
	message := "it is not a regular file, so nothing says what it holds"
	entry := result.violation(code, message, {"artifact": name, "file": path})
}

evidence := {digest | some [_, digest] in matches}

default reason := null

reason := "no artifact has files" if count(subjects) == 0
