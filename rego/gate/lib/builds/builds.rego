# METADATA
# title: Builds
# description: What is built from source, and from which commit its provenance says that it was.
# schemas:
#   - input: schema.input
package gate.lib.builds

import data.gate.lib.document
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_verified := statements.verified

_kinds := {"adapter", "container", "package", "weights"}

# METADATA
# description: The levels of the source track of SLSA, by the words for them in summaries.
source_levels := {
	"SLSA_SOURCE_LEVEL_1": 1,
	"SLSA_SOURCE_LEVEL_2": 2,
	"SLSA_SOURCE_LEVEL_3": 3,
	"SLSA_SOURCE_LEVEL_4": 4,
}

# METADATA
# description: Names of the artifacts that are built. Undefined unless artifacts and statements are as they have to be.
subjects := names if {
	is_object(document.artifacts)
	is_object(statements.verified)
	names := {name | some name, artifact in document.artifacts; artifact.kind in _kinds}
}

# METADATA
# description: |
#   The sources that some provenance statements name: [statement, repository, commit]. A statement that does not name
#   both, or names two commits, is not among them.
sources(digests) := {[digest, repository, commit] |
	some digest in digests
	source := _verified[digest].facts.source
	repository := plain(source.uri)
	commits := {id | some algorithm in ["gitCommit", "sha1"]; id := source.digests[algorithm]; is_string(id)}
	count(commits) == 1
	some commit in commits
	regex.match(`^[0-9a-f]{40}([0-9a-f]{24})?$`, commit)
}

# METADATA
# description: The sources that the provenance of each artifact names, as [name, [repository, commit]].
origins contains entry if {
	some name in subjects
	some [_, repository, commit] in sources(statements.about("build.provenance", name))
	entry := [name, [repository, commit]]
}

# METADATA
# description: The provenance statements of each built artifact that name no source.
placeless[name] := digests if {
	some name in subjects
	found := statements.about("build.provenance", name)
	digests := found - {digest | some [digest, _, _] in sources(found)}
}

# METADATA
# description: What verifiers say of commits, as [statement, [repository, commit]].
summaries contains entry if {
	some digest, statement in statements.verified
	statement.claim == "source.summary"
	repository := plain(statement.facts.repository)
	commit := statement.facts.commit
	entry := [digest, [repository, commit]]
}

# METADATA
# description: |
#   A repository however it is written: `git+`, `https://` and `.git` make no other of it. Undefined for what is no
#   text.
plain(address) := name if {
	shape.is_text(address)
	name := trim_suffix(trim_prefix(trim_prefix(address, "git+"), "https://"), ".git")
}

# METADATA
# description: |
#   Whether each of these says what is expected of a build: `source`, `refs`, and perhaps `values` of parameters and
#   parameters to `ignore`. Nothing else is in it, since a misspelt restriction would restrict nothing.
# scope: document
default are_expectations(_) := false

are_expectations(values) if {
	is_object(values)
	every entry in values {
		_is_expectation(entry)
	}
}

default _is_expectation(_) := false

_is_expectation(entry) if {
	is_object(entry)
	count(object.keys(entry) - {"source", "refs", "values", "ignore"}) == 0
	is_string(plain(entry.source))
	shape.is_texts(entry.refs)
	shape.is_texts(object.get(entry, "ignore", []))
	allowed := object.get(entry, "values", {})
	is_object(allowed)
	every values in allowed {
		is_array(values)
	}
}

# METADATA
# description: Where a build is not as expected, as [fault, parameter]; faults of the whole build name no parameter.
deviations(facts, entry) := (_of_source(facts, entry) | _of_ref(facts, entry)) | _of_parameters(facts, entry)

_of_source(facts, entry) := {["source", ""] | not plain(facts.source.uri) == plain(entry.source)}

_of_ref(facts, entry) := {["ref", ""] | not fits(facts.source.ref, entry.refs)}

# Every expected parameter has an expected value, and every other one is to be ignored.
_of_parameters(facts, _) := {["unread", ""]} if not is_object(facts.parameters)

_of_parameters(facts, entry) := wrong | {["unknown", name] | some name in unknown} if {
	is_object(facts.parameters)
	allowed := object.get(entry, "values", {})
	wrong := {["value", name] | some name, values in allowed; not facts.parameters[name] in values}
	ignored := object.get(entry, "ignore", [])
	unknown := {name | some name, _ in facts.parameters; not name in object.keys(allowed); not fits(name, ignored)}
}

# METADATA
# description: Whether a text is one of some patterns, exactly or as far as the `*` at the end of one.
# scope: document
default fits(_, _) := false

fits(text, patterns) if text in patterns

fits(text, patterns) if {
	is_string(text)
	some pattern in patterns
	endswith(pattern, "*")
	startswith(text, trim_suffix(pattern, "*"))
}
