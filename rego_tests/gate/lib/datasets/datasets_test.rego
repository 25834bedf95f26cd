package gate.lib.datasets_test

import data.gate.fixtures
import data.gate.lib.datasets
import data.gate.materials
import future.keywords.not

said(patches) := value if {
	doc := materials.after(patches)
	value := datasets.said with input as doc
}

rows := {"owner": "data team", "classification": "internal", "personal_data": true, "licenses": {"CC0-1.0"}}

mail := {"owner": "mail team", "classification": "secret", "personal_data": true, "licenses": {"CC-BY-4.0"}}

expected := {
	["mail", materials.digests.data, null, mail],
	["rows", materials.digests.bomrest, "first", rows],
	["rows", materials.digests.bomrest, "second", rows],
}

test_statements_and_documents_speak_of_datasets if {
	said([]) == expected
}

test_what_is_not_stated_is_absent if {
	said([materials.put("data", "facts/owner", null), materials.put("data", "facts/license", null)]) == (expected - {["mail", materials.digests.data, null, mail]}) | {["mail", materials.digests.data, null, {"classification": "secret", "personal_data": true, "licenses": set()}]}
	every blank in ["", " ", "\t\n", "\u00a0"] {
		every field in ["owner", "classification"] {
			said([materials.put("bomrest", concat("/", ["facts/datasets/first", field]), blank)]) == (expected - {["rows", materials.digests.bomrest, "first", rows]}) | {["rows", materials.digests.bomrest, "first", object.remove(rows, [field])]}
		}
	}
}

test_only_datasets_are_spoken_of if {
	said([fixtures.put("/artifacts/mail/kind", "package"), fixtures.put("/artifacts/rows/kind", "package")]) == set()
}

test_all_four_are_stated if {
	datasets.is_complete(rows)
	datasets.is_complete(object.union(rows, {"personal_data": false}))
	not datasets.is_complete({})
	every field in ["owner", "classification", "personal_data", "licenses"] {
		not datasets.is_complete(object.remove(rows, [field]))
	}
	every field in ["owner", "classification", "personal_data"] {
		not datasets.is_complete(object.union(rows, {field: 1}))
	}
	not datasets.is_complete(object.union(rows, {"licenses": set()}))
	not datasets.is_complete(object.union(rows, {"licenses": {"CC0-1.0", "NONE"}}))
}
