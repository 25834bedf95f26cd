# METADATA
# title: VEX
# description: |
#   What authors say about vulnerabilities that were found. The host has compared products and vulnerabilities; here it
#   is judged whose word counts. The last word of each author does, and the worst of those of several authors.
# schemas:
#   - input: schema.input
package gate.lib.vex

import data.gate.lib.document
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

# METADATA
# description: |
#   What is said about findings, by id and statement. Undefined unless each word is that of a verified VEX statement
#   about the finding's artifact, by its signers, and in a shape to be judged.
said := {id: words | some id, finding in document.findings; words := _words(finding)} if {
	every finding in document.findings {
		_are_words(finding, _words(finding))
	}
}

_words(finding) := object.get(finding, "vex", {})

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_verified := statements.verified

_now_s := document.now_s

default _are_words(_, _) := false

_are_words(finding, words) if {
	is_object(words)
	every digest, word in words {
		_verified[digest].claim == "vex"
		finding.artifact in _verified[digest].artifacts
		word.author == concat(" and ", sort({signer.name | some signer in _verified[digest].signers}))
		word.status in {"affected", "fixed", "not_affected", "under_investigation"}
		shape.is_optional_text(word.justification)
		shape.is_count(word.at_s)
	}
}

# METADATA
# description: |
#   Ids of findings of which some author says, at most `age_s` seconds ago, that they do not apply, and no author that
#   they may. Undefined unless what is said can be judged.
taken_away(age_s) := ids if {
	is_object(said)
	is_number(_now_s)
	shape.is_count(age_s)
	ids := {id |
		some id, words in said
		last := _last_words(words)
		count({digest | some digest in last; not _clears(words[digest])}) == 0
		count({digest | some digest in last; words[digest].at_s >= _now_s - age_s}) > 0
	}
}

# The last word of each author: none from the future, and nothing that the same author has said something else about.
_last_words(words) := {digest |
	some digest, word in words
	word.at_s <= _now_s
	later := {other.at_s |
		some other in words
		other.author == word.author
		other.at_s > word.at_s
		other.at_s <= _now_s
	}
	count(later) == 0
}

default _clears(_) := false

_clears(word) if word.status == "fixed"

_clears(word) if {
	word.status == "not_affected"
	is_string(word.justification)
}
