package gate.lib.versions_test

import data.gate.lib.versions
import future.keywords.not

comparable := {"0", "2", "2.9", "2.10", "2.10.0", "1.2.3.4.5.6.7.8", "999999999.999999999"}

others := {
	"", " ", "2.", ".2", "2..1", "02.10", "2.010", "00", "v2.10", "2.10.post1", "2.10.0rc1", "2.10a", "2.10.dev1",
	"2.10+cu128", "2.10.0+cu128", "1!2.10", "2.10-1", "2,10", "2.10\n", "\n2.10", " 2.10", "2.10 ", "-2.10", "+2.10",
	"1e9", "0x2", "2.x", "2.*", "1000000000", "1.1000000000", "99999999999999999999999999", "1.2.3.4.5.6.7.8.9", "٢.١٠",
}

values := {2.1, 2, null, true, [], ["2.10"], {}, {"2.10": "2.10"}}

test_plain_numbers_can_be_compared if {
	{version | some version in (comparable | others); versions.is_comparable(version)} == comparable
	{value | some value in values; versions.is_comparable(value)} == set()
}

test_numbers_are_compared_and_not_texts if {
	rising := ["0", "0.0.0.0.0.0.0.1", "0.0.0.0.0.0.1", "0.0.0.0.0.1", "0.0.0.0.1", "0.0.0.1", "0.0.1", "0.9", "0.10", "1", "2.9", "2.9.9", "2.10", "2.10.0.0.0.0.0.1", "2.10.1", "2.100", "9", "10", "999999999"]
	newer := {[place, other] |
		some place, version in rising
		some other, minimum in rising
		versions.is_at_least(version, minimum)
	}
	newer == {[place, other] | some place, _ in rising; some other, _ in rising; place >= other}
}

test_zeros_at_the_end_change_nothing if {
	every version in ["2", "2.0", "2.0.0", "2.0.0.0.0.0.0.0"] {
		versions.is_at_least(version, "2.0") == true
		versions.is_at_least("2.0", version) == true
	}
}

test_what_cannot_be_compared_is_never_new_enough if {
	{version | some version in others; versions.is_at_least(version, "0")} == set()
	{version | some version in others; versions.is_at_least("9", version)} == set()
	{value | some value in values; versions.is_at_least(value, "0")} == set()
	{value | some value in values; versions.is_at_least("9", value)} == set()
}

test_packages_are_named_without_version if {
	good := {
		"pkg:pypi/torch", "pkg:pypi/Torch", "pkg:npm/%40scope/name", "pkg:maven/org.tensorflow/tensorflow", "pkg:cargo/a",
		"pkg:conda/pytorch", "pkg:gem/a", "pkg:generic/a", "pkg:nuget/A.B",
	}
	bad := {
		"", "torch", "pypi/torch", "pkg:pypi", "pkg:pypi/", "pkg:pypi/torch/", "pkg:pypi/torch@2.10", "pkg:pypi/torch?x=y",
		"pkg:pypi/torch#x", "pkg:pip/torch", "pkg:PyPI/torch", "PKG:pypi/torch", " pkg:pypi/torch", "pkg:pypi/torch ",
		"pkg:pypi/torch\n", "pkg:pypi/to rch", "pkg:deb/debian/x",
	}
	{text | some text in (good | bad); versions.is_package(text)} == good
	{value | some value in values; versions.is_package(value)} == set()
}

test_minimums_are_versions_by_package if {
	every good in [{}, {"pkg:pypi/torch": "2.10"}, {"pkg:pypi/torch": "2.10", "pkg:pypi/vllm": "0.18"}] {
		versions.are_minimums(good) == true
	}
	bad := [
		null, [], "", {"torch": "2.10"}, {"pkg:pypi/torch": "2.10rc1"}, {"pkg:pypi/torch": 2.1}, {"pkg:pypi/torch": ""},
		{"pkg:pypi/torch": null}, {"pkg:pypi/torch": "2.10", "pkg:pypi/vllm": "v0.18"}, {"pkg:pypi/torch@1": "2.10"},
	]
	every value in bad {
		versions.are_minimums(value) == false
	}
}

test_each_spelling_of_a_package_is_one if {
	spellings := {
		"pkg:pypi/flash-attn", "pkg:pypi/Flash_Attn@2.1", "PKG:PyPI/flash.attn@2.1?arch=x#y@z", " pkg:pypi/flash--attn ",
		"pkg://pypi/flash-attn", "pkg:/pypi//flash-attn/@2.1", "pkg:pypi/%66lash-attn@2.1", "pkg:pypi/flash%2Dattn@2.1",
		"pkg:pypi/%46LASH%5fattn@2.1", "pkg%3Apypi/flash-attn/", "pkg:pypi/flash-attn@2.1/x", "pkg:pypi/flash-attn#@1",
		"pkg:pypi/flash-attn%402.1",
	}
	{versions.canonical(url) | some url in spellings} == {"pkg:pypi/flash-attn"}
}

test_other_packages_stay_apart if {
	versions.canonical("pkg:npm/a.b@1") == "pkg:npm/a.b"
	versions.canonical("pkg:npm/A_b/@1") == "pkg:npm/a_b"
	versions.canonical("pkg:npm/%40scope/name@1.2") == "pkg:npm/scope/name"
	versions.canonical("pkg:npm/@scope/name@1.2") == "pkg:npm/scope/name"
	versions.canonical("pkg:pypi/torchvision@1") == "pkg:pypi/torchvision"
	versions.canonical("pkg:conda/torch@1") == "pkg:conda/torch"
	versions.canonical("pkg:pypi/to%c3%a9rch%2") == "pkg:pypi/to%c3%a9rch%2"
	versions.canonical("pkg:pypi/%2574orch") == "pkg:pypi/%74orch"
	versions.canonical("pkg:npm/a/") == "pkg:npm/a"
	versions.canonical("41x") == "41x"
	versions.canonical("") == ""
}

test_a_package_url_may_state_a_version if {
	versions.stated("pkg:pypi/torch") == null
	versions.stated("pkg:pypi/torch?x=@2") == null
	versions.stated("pkg:npm/%40scope/name") == null
	versions.stated("pkg:pypi/torch@") == ""
	versions.stated("pkg:pypi/torch@2.10?x=@3") == "2.10"
	versions.stated("pkg:pypi/torch/@2.10") == "2.10"
	versions.stated("pkg:npm/@scope/name@1.2") == "1.2"
	versions.stated("pkg:pypi/torch@2.10.0%2BCU128") == "2.10.0+cu128"
	versions.stated("pkg:pypi/torch@1@2") == "1@2"
	versions.stated("pkg:pypi/torch@2.9/2.10") == "2.9/2.10"
}

test_a_name_is_the_last_part if {
	versions.name(" Flash_Attn ") == "flash-attn"
	versions.name("pkg:pypi/Flash.Attn") == "flash-attn"
	versions.name("@scope/name") == "name"
	versions.name("") == ""
}
