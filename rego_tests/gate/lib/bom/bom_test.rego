package gate.lib.bom_test

import data.gate.fixtures
import data.gate.lib.bom
import data.gate.materials
import future.keywords.not

documents(patches) := value if {
	doc := materials.after(patches)
	value := bom.documents with input as doc
}

parts(patches, name, document) := value if {
	doc := materials.after(patches)
	digest := materials.digests[document]
	value := bom.parts(name, digest) with input as doc
}

is_whole(patches, name, document, refs) := value if {
	doc := materials.after(patches)
	digest := materials.digests[document]
	value := bom.is_whole(name, digest, refs) with input as doc
}

is_named(patches, name, document) := value if {
	doc := materials.after(patches)
	digest := materials.digests[document]
	value := bom.is_named(name, digest) with input as doc
}

spoken_of(patches, sources) := value if {
	doc := materials.after(patches)
	value := bom.spoken_of(sources) with input as doc
}

licenses(patches, document, ref) := value if {
	doc := materials.after(patches)
	digest := materials.digests[document]
	value := bom.licenses(digest, ref) with input as doc
}

test_documents_are_facts_by_digest if {
	documents([]) == {materials.digests[name]: materials.statements[name].facts | some name in ["bombase", "bomstyle", "bomrest"]}
	documents([fixtures.put("/attestations", {}), fixtures.put("/claims", {})]) == {}
}

test_documents_have_a_shape if {
	every field, value in {
		"format": "other",
		"completeness": "perhaps",
		"version": "",
		"root": 1,
		"components": [],
		"components/style": null,
		"components/style/digests": {"sha256": null},
		"components/style/licenses": "MIT",
		"cards": [],
		"cards/style": null,
		"datasets": [],
		"datasets/style": null,
		"datasets/style/licenses": "MIT",
	} {
		not documents([
			materials.put("bomstyle", "facts/datasets/style", {"licenses": []}),
			materials.put("bomstyle", concat("/", ["facts", field]), value),
		])
	}
	documents([materials.put("bomstyle", "facts/datasets/style", {"licenses": []})])
}

test_each_part_has_a_shape if {
	not documents([materials.put("bomrest", "facts/components/mail/licenses", null)])
	not documents([materials.put("bomrest", "facts/datasets/second/licenses", null)])
	not documents([materials.put("bombase", "facts/cards/other", [])])
	not documents([materials.put("bombase", "facts/cards", {"model": [], "other": {}})])
}

test_each_format_and_word_is_known if {
	documents([materials.put("bomstyle", "facts/completeness", "incomplete")])
	documents([materials.put("bomstyle", "facts/version", null), materials.put("bomstyle", "facts/root", null)])
}

test_no_documents_without_statements if {
	not documents([fixtures.put("/claims", {})])
	not documents([fixtures.remove("/attestations")])
}

test_parts_have_a_digest_or_are_the_root if {
	parts([], "base", "bombase") == {"model", "config", "weights"}
	parts([], "style", "bomstyle") == {"style"}
	parts([], "rows", "bomrest") == {"first", "second"}
	parts([], "mail", "bomrest") == {"mail"}
	parts([], "server", "bomrest") == {"server"}
	parts([], "mail", "bombase") == set()
	parts([], "nothing", "bombase") == set()
	parts([], "mail", "data") == set()
}

test_parts_may_be_some_files if {
	parts([materials.remove("bombase", "facts/components/config")], "base", "bombase") == {"weights"}
	parts([materials.put("bomrest", "facts/components/letters", materials.component("letters", []))], "mail", "bomrest") == {"letters", "mail"}
}

test_other_algorithms_name_nothing if {
	parts([materials.put("bomstyle", "facts/components/style/digests", {"sha512": materials.bare("2")})], "style", "bomstyle") == set()
}

test_the_root_is_the_artifact_if_the_document_is_about_nothing_else if {
	parts([materials.put("bombase", "facts/root", null)], "base", "bombase") == {"config", "weights"}
	parts([materials.put("bombase", "facts/root", "nothing")], "base", "bombase") == {"config", "weights"}
	parts([materials.put("bombase", "subjects", null)], "base", "bombase") == {"config", "weights"}
	parts([materials.put("bombase", "subjects", [])], "base", "bombase") == {"config", "weights"}
	parts([materials.put("bombase", "subjects", {})], "base", "bombase") == {"config", "weights"}
	parts([materials.put("bombase", "subjects", {materials.content.weights: {"name": "x"}})], "base", "bombase") == {"config", "model", "weights"}
	parts([materials.put("bombase", concat("/", ["subjects", materials.whole.rows]), {"name": "x"})], "base", "bombase") == {"config", "weights"}
	parts([materials.put("bombase", concat("/", ["subjects", materials.whole.base]), {"name": "x"})], "base", "bombase") == {"config", "model", "weights"}
	parts([materials.put("bombase", "artifacts", []), fixtures.remove("/claims/sbom/by_artifact/base")], "base", "bombase") == {"config", "weights"}
}

test_a_part_with_the_digest_is_the_whole if {
	is_whole([], "style", "bomstyle", {"style"})
	is_whole([], "mail", "bomrest", {"mail", "server"})
	is_whole([], "server", "bomrest", {"server"})
	not is_whole([], "mail", "bomrest", {"server"})
	not is_whole([], "mail", "bomrest", set())
	not is_whole([], "mail", "bombase", {"model"})
	not is_whole([], "server", "bomrest", {"first"})
}

test_the_one_file_is_the_whole if {
	named := materials.put("bomstyle", "facts/components", {"file": materials.component("adapter", [])})
	is_whole([named], "style", "bomstyle", {"file"})
	is_named([named], "style", "bomstyle")
}

test_all_files_are_the_whole if {
	is_whole([], "rows", "bomrest", {"first", "second"})
	is_whole([], "base", "bombase", {"config", "weights"})
	not is_whole([], "rows", "bomrest", {"first"})
	not is_whole([], "rows", "bomrest", {"second", "server"})
	not is_whole([fixtures.put("/artifacts/rows/files/link", {"digest": null, "format": "symlink"})], "rows", "bomrest", {"first", "second"})
	not is_whole([fixtures.put("/artifacts/rows/files", {})], "rows", "bomrest", {"first", "second"})
}

test_the_root_is_the_whole if {
	is_whole([], "base", "bombase", {"model"})
	is_whole([], "base", "bombase", {"model", "weights"})
	not is_whole([], "base", "bombase", {"weights"})
	not is_whole([materials.put("bombase", "facts/root", null)], "base", "bombase", {"model"})
	not is_whole([materials.remove("bombase", "facts/components/config")], "base", "bombase", {"model"})
}

test_names_are_digests if {
	is_named([], "base", "bombase")
	is_named([], "style", "bomstyle")
	is_named([], "mail", "bomrest")
	is_named([], "server", "bomrest")
	is_named([], "rows", "bomrest")
	not is_named([], "rows", "bombase")
	not is_named([], "rows", "data")
	not is_named([], "nothing", "bombase")
	not is_named([materials.remove("bombase", "facts/components/config")], "base", "bombase")
	not is_named([fixtures.put("/artifacts/server/digest", null)], "server", "bomrest")
	not is_named([fixtures.put("/artifacts/rows/files", {})], "rows", "bomrest")
}

test_a_root_with_another_digest_is_of_another if {
	is_of_another([], "style", "bomstyle") == false
	is_of_another([], "base", "bombase") == false
	is_of_another([], "base", "bomstyle")
	is_of_another([materials.put("bomstyle", "facts/root", null)], "base", "bomstyle") == false
	is_of_another([materials.put("bombase", "facts/root", "weights")], "base", "bombase") == false
	is_of_another([materials.put("bombase", "facts/root", "weights")], "rows", "bombase")
}

is_of_another(patches, name, document) := value if {
	doc := materials.after(patches)
	digest := materials.digests[document]
	value := bom.is_of_another(name, digest) with input as doc
}

test_sources_speak_of_what_they_are if {
	spoken_of([], set()) == set()
	spoken_of([], {["base", materials.digests.bombase, "model"], ["style", materials.digests.card, null]}) == {"base", "style"}
	spoken_of([], {["rows", materials.digests.bomrest, "first"], ["rows", materials.digests.bomrest, "second"]}) == {"rows"}
	spoken_of([], {["rows", materials.digests.bomrest, "first"], ["mail", materials.digests.bomrest, "second"]}) == set()
	spoken_of([], {["rows", materials.digests.bomrest, "first"], ["rows", materials.digests.bombase, "second"]}) == set()
	spoken_of([], {["rows", materials.digests.bombase, "first"], ["rows", materials.digests.bombase, "second"]}) == set()
}

test_licences_are_those_of_the_component_and_its_data if {
	licenses([], "bomrest", "first") == {"CC0-1.0"}
	licenses([materials.put("bomrest", "facts/datasets/first/licenses", ["MIT"])], "bomrest", "first") == {"CC0-1.0", "MIT"}
	licenses([], "bomrest", "server") == {"MIT"}
	licenses([], "bomrest", "nothing") == set()
}
