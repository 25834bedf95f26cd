# METADATA
# title: Versions
# description: |
#   Compares versions by the numbers between their dots, and reads package URLs. Only up to eight plain numbers of up to
#   nine digits can be compared. Pre-releases, local versions and epochs cannot: their order is that of one ecosystem.
# schemas:
#   - input: schema.input
package gate.lib.versions

import future.keywords.not

# METADATA
# description: Whether a version can be compared.
# scope: document
default is_comparable(_) := false

is_comparable(version) if {
	is_string(version)
	regex.match(`^(0|[1-9][0-9]{0,8})(\.(0|[1-9][0-9]{0,8})){0,7}$`, version)
}

# METADATA
# description: Whether a version is a minimum or newer. False unless both can be compared.
# scope: document
default is_at_least(_, _) := false

is_at_least(version, minimum) if {
	is_comparable(version)
	is_comparable(minimum)
	_numbers(version) >= _numbers(minimum)
}

# Always eight, since 2.10 and 2.10.0 are the same.
_numbers(version) := [to_number(parts[place]) | some place in [0, 1, 2, 3, 4, 5, 6, 7]] if {
	parts := split(concat(".", [version, "0.0.0.0.0.0.0"]), ".")
}

# METADATA
# description: |
#   Whether a text is a package URL of a package, without version, qualifiers and subpath, of a type that has such
#   versions. A misspelt type would be one that no component ever has.
# scope: document
default is_package(_) := false

is_package(text) if {
	is_string(text)
	regex.match(`^pkg:(cargo|conda|gem|generic|maven|npm|nuget|pypi)/[!"$->A-\~]*[!"$-.0->A-\~]$`, text)
}

# METADATA
# description: Whether something is minimum versions by the package URLs of packages.
# scope: document
default are_minimums(_) := false

are_minimums(values) if {
	is_object(values)
	every url, minimum in values {
		is_package(url)
		is_comparable(minimum)
	}
}

# METADATA
# description: |
#   The package that a package URL names, in the one spelling of all its spellings. Two packages may share it, which
#   only makes more of them count.
canonical(url) := _name(split(_spelt(url), "@")[0])

# METADATA
# description: The version in a package URL; `null` when there is none.
# scope: document
default stated(_) := null

stated(url) := trim_prefix(text, head) if {
	text := _spelt(url)
	head := concat("", [split(text, "@")[0], "@"])
	startswith(text, head)
}

# METADATA
# description: The last part of the name of a package, which is all that a name without a package URL tells.
name(text) := _dashed(parts[count(parts) - 1]) if parts := split(lower(trim_space(text)), "/")

# A scope of npm begins with what begins a version elsewhere.
_spelt(url) := replace(replace(plain, "pkg:npm/@", "pkg:npm/"), "/@", "@") if {
	bare := split(split(trim_space(url), "#")[0], "?")[0]
	plain := replace(regex.replace(lower(_decoded(bare)), `/+`, "/"), "pkg:/", "pkg:")
}

_name(text) := trim_right(text, "/") if not startswith(text, "pkg:pypi/")

_name(text) := concat("", ["pkg:pypi/", _dashed(trim_right(trim_prefix(text, "pkg:pypi/"), "/"))]) if {
	startswith(text, "pkg:pypi/")
}

_dashed(text) := regex.replace(text, `[\-_.]+`, "-")

# Percent-encoding of ASCII, of which names consist.
_decoded(text) := concat("", [_piece(place, part) | some place, part in split(text, "%")])

_piece(0, part) := part

_piece(place, part) := concat("", [hex.decode(substring(part, 0, 2)), substring(part, 2, -1)]) if {
	place > 0
	_is_encoded(part)
}

_piece(place, part) := concat("", ["%", part]) if {
	place > 0
	not _is_encoded(part)
}

default _is_encoded(_) := false

_is_encoded(part) if regex.match(`^[2-7][0-9A-Fa-f]`, part)
