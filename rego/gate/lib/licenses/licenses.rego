# METADATA
# title: Licences
# description: Whether licences, as documents state them, are among those that are allowed.
# schemas:
#   - input: schema.input
package gate.lib.licenses

import future.keywords.not

_silent := {"NOASSERTION", "NONE", "UNKNOWN"}

_words := {"AND", "OR", "WITH"} | _silent

# METADATA
# description: Whether a text names a licence and does not say that there is none or that nobody knows.
# scope: document
default is_stated(_) := false

is_stated(license) if {
	is_string(license)
	trim_space(license) != ""
	not upper(trim_space(license)) in _silent
}

# METADATA
# description: |
#   Whether a licence is allowed: it is on the list as it is written, or it is an SPDX expression of which one
#   alternative has nothing but licences of the list. What cannot be read is not allowed.
# scope: document
default is_allowed(_, _) := false

is_allowed(license, allowed) if {
	is_stated(license)
	license in allowed
}

is_allowed(license, allowed) if {
	some alternative in split(_expression(license), " OR ")
	every term in split(alternative, " AND ") {
		term in allowed
	}
}

# An SPDX expression without brackets inside. Undefined for anything else, and if it says anywhere that nobody knows.
_expression(license) := bare if {
	bare := _bare(license)
	regex.match(`^[A-Za-z0-9.+:\-]+( (AND|OR|WITH) [A-Za-z0-9.+:\-]+)*$`, bare)
	some_words := {upper(word) |
		some alternative in split(bare, " OR ")
		some term in split(alternative, " AND ")
		some word in split(term, " WITH ")
	}
	count(some_words & _words) == 0
}

_bare(license) := license if {
	is_string(license)
	not _is_bracketed(license)
}

_bare(license) := substring(license, 1, count(license) - 2) if _is_bracketed(license)

default _is_bracketed(_) := false

_is_bracketed(license) if {
	is_string(license)
	regex.match(`^[(][^()]*[)]$`, license)
}
