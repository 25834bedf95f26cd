package gate.tests.load.template_pinned_test

import data.gate.controls.load.template_pinned
import data.gate.fixtures
import future.keywords.not

files := "/artifacts/summarizer/files"

one := {"digest": fixtures.digests.prov, "problems": []}

two := {"digest": fixtures.digests.other, "problems": []}

# A model with two templates in its settings, both of them pinned.
model := [
	fixtures.put(sprintf("%s/config.json/templates", [files]), {"chat_template/tool": two, "chat_template": one}),
	fixtures.put(sprintf("%s/model.safetensors/templates", [files]), {}),
	fixtures.put("/parameters/load.template_pinned", {"pinned": {"summarizer": [one.digest, two.digest]}}),
]

# What the control says of it after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := fixtures.after(array.concat(model, patches))
	status := template_pinned.status with input as doc
	found := template_pinned.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := fixtures.after(array.concat(model, patches))
	evidence := template_pinned.evidence with input as doc
	reason := template_pinned.reason with input as doc
	found := template_pinned.violations with input as doc
}

held(templates) := fixtures.put(sprintf("%s/config.json/templates", [files]), templates)

pinned(digests) := fixtures.put("/parameters/load.template_pinned", {"pinned": digests})

violation(reason, file, message) := {
	"artifact": "summarizer",
	"code": concat(".", ["load.template_pinned", reason]),
	"evidence": [],
	"file": file,
	"message": message,
}

test_passes_when_each_template_is_pinned if {
	answer([]) == ["pass", set()]
	whole([]) == {"evidence": set(), "reason": "chat templates that are pinned: 2", "violations": set()}
}

test_passes_when_an_adapter_has_one if {
	answer([
		fixtures.put("/artifacts/summarizer/kind", "adapter"),
		held({"chat_template": one}),
	]) == ["pass", set()]
}

test_passes_when_a_link_lies_beside_it if {
	answer([fixtures.put(sprintf("%s/link", [files]), {"digest": null, "format": "symlink", "templates": {}})]) == ["pass", set()]
}

test_fails_when_a_template_is_not_pinned if {
	answer([pinned({"summarizer": [one.digest]})]) == ["fail", {["load.template_pinned.unpinned", "summarizer", "config.json"]}]
	whole([pinned({"summarizer": [one.digest]})]) == {
		"evidence": set(),
		"reason": "chat templates that are pinned: 1",
		"violations": {violation("unpinned", "config.json", sprintf("chat_template/tool is not pinned: %s", [two.digest]))},
	}
}

test_fails_when_it_is_pinned_for_another if {
	answer([pinned({"server": [one.digest, two.digest]})]) == ["fail", {["load.template_pinned.unpinned", "summarizer", "config.json"]}]
	answer([fixtures.remove("/parameters/load.template_pinned")]) == ["fail", {["load.template_pinned.unpinned", "summarizer", "config.json"]}]
	answer([fixtures.put("/parameters/load.template_pinned", {})]) == ["fail", {["load.template_pinned.unpinned", "summarizer", "config.json"]}]
}

test_fails_when_a_pinned_template_reaches_out if {
	patches := [held({"chat_template": {"digest": one.digest, "problems": ["the filter attr", "the attribute __class__"]}})]
	answer(patches) == ["fail", {["load.template_pinned.unsafe", "summarizer", "config.json"]}]
	message := "chat_template holds what no chat template needs: the filter attr; the attribute __class__"
	whole(patches).violations == {violation("unsafe", "config.json", message)}
	whole(patches).reason == "chat templates that are pinned: 0"
}

test_fails_when_a_file_was_not_inspected if {
	patches := [
		fixtures.remove("/scans/inspection/files/model.safetensors"),
		fixtures.put("/scans/inspection/coverage/scanned", 1),
	]
	answer(patches) == ["fail", {["load.template_pinned.uninspected", "summarizer", "model.safetensors"]}]
	whole(patches).violations == {violation("uninspected", "model.safetensors", "it was not inspected, and may hold a chat template")}
}

test_fails_when_other_bytes_were_inspected if {
	patches := [fixtures.put("/scans/inspection/files/config.json", fixtures.digests.other)]
	answer(patches) == ["fail", {["load.template_pinned.uninspected", "summarizer", "config.json"]}]
	whole(patches).reason == "chat templates that are pinned: 0"
}

test_is_not_applicable_when_there_is_no_template if {
	patches := [held({})]
	answer(patches) == ["not_applicable", set()]
	whole(patches).reason == "no chat template asks for admission"
	answer([fixtures.put("/artifacts/summarizer/kind", "dataset")]) == ["not_applicable", set()]
}

test_errors_when_templates_have_no_shape if {
	every value in [null, [], "x", 0, {"a": null}, {"a": {}}, {"a": {"digest": one.digest}}, {"a": {"problems": []}}] {
		answer([held(value)])[0] == "error"
	}
	every value in [null, "x", "sha256:1"] {
		answer([held({"a": {"digest": value, "problems": []}})])[0] == "error"
	}
	every value in [null, {}, "", [1], [""]] {
		answer([held({"a": {"digest": one.digest, "problems": value}})])[0] == "error"
	}
	answer([fixtures.remove(sprintf("%s/config.json/templates", [files]))])[0] == "error"
	answer([fixtures.remove(sprintf("%s/model.safetensors/templates", [files]))])[0] == "error"
}

test_errors_when_parameters_have_no_shape if {
	every value in [null, [], "x", {"summarizer": one.digest}, {"summarizer": ["x"]}, {"summarizer": null}] {
		answer([pinned(value)])[0] == "error"
	}
	answer([fixtures.put("/parameters/load.template_pinned", null)])[0] == "error"
}

test_errors_when_sections_are_missing if {
	answer([fixtures.put("/artifacts", null)])[0] == "error"
	answer([fixtures.put("/scans", null)])[0] == "error"
}
