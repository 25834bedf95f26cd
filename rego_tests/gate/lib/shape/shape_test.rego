package gate.lib.shape_test

import data.gate.lib.shape
import future.keywords.not

digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

# Values of every type, and strings that are nearly digests.
others := [
	true, false, -1, 0, 1, 1.5, "", "x", [], {}, set(), [""], [5], {"a": 5}, {"a": [5]}, {"a": ["x"]}, {"a": "x"},
	concat("", [digest, "0"]), concat("", [" ", digest]), upper(digest), concat("", [digest, "\n"]),
	substring(digest, 0, 70), [null], {"a": null}, {"a": {}},
]

test_digest if {
	shape.is_digest(digest) == true
	shape.is_digest(null) == false
	every value in others {
		shape.is_digest(value) == false
	}
}

test_optional_digest if {
	shape.is_optional_digest(digest) == true
	shape.is_optional_digest(null) == true
	every value in others {
		shape.is_optional_digest(value) == false
	}
}

test_text if {
	{value | some value in others; shape.is_text(value)} == {value | some value in others; is_string(value)} - {""}
	shape.is_text(null) == false
}

test_optional_text if {
	{value | some value in others; shape.is_optional_text(value)} == {value | some value in others; is_string(value)} - {""}
	shape.is_optional_text(null) == true
}

test_whole if {
	{value | some value in others; shape.is_whole(value)} == {-1, 0, 1}
	shape.is_whole(9007199254740991) == true
	shape.is_whole(9007199254740992) == false
	shape.is_whole(-9007199254740992) == false
	shape.is_whole(-9007199254740991) == true
	shape.is_whole(-9007199254740993) == false
	shape.is_whole(null) == false
	shape.is_whole(-0.5) == false
}

test_count if {
	{value | some value in others; shape.is_count(value)} == {0, 1}
	shape.is_count(null) == false
}

test_texts if {
	{value | some value in others; shape.is_texts(value)} == {[]}
	shape.is_texts(["a", "b"]) == true
	shape.is_texts(["a", ""]) == false
	shape.is_texts(["", "a"]) == false
	shape.is_texts(null) == false
}

test_digests if {
	{value | some value in others; shape.is_digests(value)} == {[]}
	shape.is_digests([digest, digest]) == true
	shape.is_digests([digest, "a"]) == false
	shape.is_digests(null) == false
}

test_object_of_texts if {
	{value | some value in others; shape.is_object_of_texts(value)} == {{}, {"a": "x"}}
	shape.is_object_of_texts({"a": "x", "b": null}) == false
	shape.is_object_of_texts(null) == false
}

test_object_of_digest_lists if {
	{value | some value in others; shape.is_object_of_digest_lists(value)} == {{}}
	shape.is_object_of_digest_lists({"a": [digest], "b": []}) == true
	shape.is_object_of_digest_lists({"a": [digest], "b": [1]}) == false
	shape.is_object_of_digest_lists(null) == false
}

test_object_of_counts if {
	shape.is_object_of_counts({}) == true
	shape.is_object_of_counts({"a": 0, "b": 1}) == true
	shape.is_object_of_counts({"a": 0, "b": "1"}) == false
	shape.is_object_of_counts({"a": "1", "b": 0}) == false
	shape.is_object_of_counts([1]) == false
	shape.is_object_of_counts(null) == false
}
