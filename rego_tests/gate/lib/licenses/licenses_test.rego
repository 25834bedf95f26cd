package gate.lib.licenses_test

import data.gate.lib.licenses
import future.keywords.not

list := ["Apache-2.0", "MIT", "Apache-2.0 WITH LLVM-exception", "Own Terms OR Worse", "(Odd", "GPL-2.0+", "LicenseRef-a:b", "NONE", "OR", "AND", "WITH", ""]

test_stated_licences_are_texts_that_say_something if {
	every license in ["MIT", "Own Terms", "none of it"] {
		licenses.is_stated(license)
	}
	every license in ["NONE", "NOASSERTION", "UNKNOWN", "Unknown ", "none", " NoAssertion\t", "", " ", "\n", null, 1, [], ["MIT"]] {
		not licenses.is_stated(license)
	}
}

test_licences_of_the_list_are_allowed if {
	every license in ["MIT", "GPL-2.0+", "LicenseRef-a:b", "Apache-2.0 WITH LLVM-exception", "Own Terms OR Worse", "(Odd"] {
		licenses.is_allowed(license, list)
	}
}

test_one_alternative_is_enough if {
	every license in [
		"MIT OR GPL-3.0-only",
		"GPL-3.0-only OR MIT",
		"GPL-3.0-only OR GPL-2.0-only OR MIT",
		"GPL-3.0-only AND Own OR MIT",
		"MIT AND Apache-2.0",
		"MIT AND Apache-2.0 WITH LLVM-exception",
		"(MIT OR GPL-3.0-only)",
		"(MIT AND Apache-2.0)",
		"(MIT)",
	] {
		licenses.is_allowed(license, list)
	}
}

test_nothing_else_is_allowed if {
	every license in [
		"GPL-3.0-only",
		"mit",
		"MIT AND GPL-3.0-only",
		"GPL-3.0-only AND MIT",
		"MIT AND GPL-3.0-only OR Own",
		"MIT WITH LLVM-exception",
		"Apache-2.0 WITH Other-exception",
		"(GPL-3.0-only)",
	] {
		not licenses.is_allowed(license, list)
	}
}

test_what_cannot_be_read_is_not_allowed if {
	every license in [
		"MIT or GPL-3.0-only",
		"MIT, GPL-3.0-only",
		"MIT OR",
		"OR MIT",
		"MIT OR OR",
		"MIT OR MIT AND",
		"MIT OR AND",
		"MIT OR WITH",
		"MIT OR A WITH OR",
		"MIT  OR Apache-2.0",
		"MIT OR (Apache-2.0)",
		"(MIT) OR Apache-2.0",
		"(MIT OR GPL-3.0-only) AND Own",
		"((MIT))",
		"(MIT",
		"MIT)",
		"()",
		"MIT/Apache-2.0",
		"MIT OR Own Terms",
		"MIT OR Own_Terms",
		"MIT\nOR Apache-2.0",
	] {
		not licenses.is_allowed(license, list)
	}
}

test_nobody_knows_anywhere if {
	every license in ["NONE", "NOASSERTION", "MIT OR NONE", "NOASSERTION OR MIT", "MIT OR NOASSERTION AND Own", "(MIT OR NONE)", "MIT OR None", "MIT OR Unknown", "noAssertion OR MIT", "MIT OR Own WITH none", "", null, 1, ["MIT"]] {
		not licenses.is_allowed(license, list)
	}
}

test_nothing_is_allowed_by_an_empty_list if {
	not licenses.is_allowed("MIT", [])
	not licenses.is_allowed("MIT OR Apache-2.0", [])
}
