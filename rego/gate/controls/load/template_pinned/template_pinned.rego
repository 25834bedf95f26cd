# METADATA
# title: Chat templates are pinned
# description: Each chat template holds only harmless constructs, and its digest is one that somebody looked at.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: []
#   artifacts: [weights, adapter]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Read the template; put its digest under `pinned`, or take the construct out that reaches beyond its data.
#   parameters:
#     - {name: pinned, type: object, default: {}, meaning: digests of the templates that may be used by artifact}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0011]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [MEASURE 2.7]}
#     NIST-800-53r5: {relation: partly supports, ids: [SI-7]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.6.2.4]}
#     CoSAI: {relation: partly supports, ids: [controlModelAndDataIntegrityManagement]}
package gate.controls.load.template_pinned

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.scanning
import data.gate.lib.shape
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(document.scans)
	is_object(pinned)
	count(unlisted) == 0
}

pinned := values if {
	values := object.get(parameters.of("load.template_pinned"), "pinned", {})
	shape.is_object_of_digest_lists(values)
}

# What is not a regular file holds nothing.
files := {[name, path] |
	some name, artifact in document.artifacts
	artifact.kind in {"adapter", "weights"}
	some path, file in artifact.files
	is_string(file.digest)
}

unlisted := {entry | some entry in files; not _is_listed(document.artifacts[entry[0]].files[entry[1]])}

default _is_listed(_) := false

_is_listed(file) if {
	is_object(file.templates)
	every template in file.templates {
		_is_template(template)
	}
}

default _is_template(_) := false

_is_template(template) if {
	shape.is_digest(template.digest)
	shape.is_texts(template.problems)
}

inspected := {[name, path] |
	some [name, path] in files
	path in scanning.covered(scanning.inspections, name)
}

subjects := {[name, path, place, template] |
	some [name, path] in files
	templates := document.artifacts[name].files[path].templates
	is_object(templates)
	some place, template in templates
	_is_template(template)
}

harmless := {entry | some entry in subjects; count(entry[3].problems) == 0}

known := {entry | some entry in subjects; entry[3].digest in object.get(pinned, entry[0], [])}

proved := {entry | some entry in (harmless & known); [entry[0], entry[1]] in inspected}

violations contains entry if {
	some [name, path] in (files - inspected)
	message := "it was not inspected, and may hold a chat template"
	entry := result.violation("load.template_pinned.uninspected", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some [name, path, place, template] in (subjects - harmless)
	message := sprintf("%s holds what no chat template needs: %s", [place, concat("; ", template.problems)])
	entry := result.violation("load.template_pinned.unsafe", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some [name, path, place, template] in (subjects - known)
	message := sprintf("%s is not pinned: %s", [place, template.digest])
	entry := result.violation("load.template_pinned.unpinned", message, {"artifact": name, "file": path})
}

evidence := set()

default reason := "no chat template asks for admission"

reason := sprintf("chat templates that are pinned: %d", [count(proved)]) if count(subjects) > 0
