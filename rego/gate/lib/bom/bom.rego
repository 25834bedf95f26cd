# METADATA
# title: Bills of materials
# description: What verified SBOM statements say of an artifact that they name by its digest.
# schemas:
#   - input: schema.input
package gate.lib.bom

import data.gate.lib.document
import data.gate.lib.shape
import data.gate.lib.statements
import data.gate.lib.weights
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_artifacts := document.artifacts

_verified := statements.verified

# METADATA
# description: |
#   The facts of the verified SBOM statements, by digest. Undefined unless each has the shape that rules read.
documents := found if {
	is_object(_verified)
	found := {digest: statement.facts | some digest, statement in _verified; statement.claim == "sbom"}
	every facts in found {
		_is_bom(facts)
	}
}

default _is_bom(_) := false

_is_bom(facts) if {
	facts.format in {"cyclonedx", "spdx"}
	facts.completeness in {"complete", "incomplete", "unknown"}
	shape.is_optional_text(facts.version)
	shape.is_optional_text(facts.root)
	_are_components(facts.components)
	_are_cards(facts.cards)
	_are_datasets(facts.datasets)
}

default _are_components(_) := false

_are_components(components) if {
	is_object(components)
	every component in components {
		shape.is_object_of_texts(component.digests)
		shape.is_texts(component.licenses)
	}
}

default _are_cards(_) := false

_are_cards(cards) if {
	is_object(cards)
	every card in cards {
		is_object(card)
	}
}

default _are_datasets(_) := false

_are_datasets(datasets) if {
	is_object(datasets)
	every dataset in datasets {
		shape.is_texts(dataset.licenses)
	}
}

# METADATA
# description: |
#   References of the components that are an artifact or a part of it: those with its digest or that of one of its
#   files, and the root of a document that names it and is about nothing else.
parts(name, digest) := {ref | some [ref, _] in _matches(name, digest)} | _roots(name, digest)

# METADATA
# description: |
#   Whether some components are a whole artifact: one of them has its digest or is the root of a document about nothing
#   else, or each of its files is one.
# scope: document
default is_whole(_, _, _) := false

is_whole(name, digest, refs) if {
	some [ref, content] in _matches(name, digest)
	ref in refs
	content == _artifacts[name].digest
}

is_whole(name, digest, refs) if {
	contents := {content | some [ref, content] in _matches(name, digest); ref in refs}
	_is_each_file(name, contents)
}

is_whole(name, digest, refs) if count(_roots(name, digest) & refs) > 0

# METADATA
# description: |
#   Names of the artifacts that some sources are about as a whole. A source is [name, statement, component], with null
#   for the component where the statement itself speaks of the artifact.
spoken_of(sources) := {name | some [name, _, ref] in sources; is_null(ref)} | {name |
	some [name, digest, _] in sources
	refs := {ref | some [about, document_digest, ref] in sources; about == name; document_digest == digest}
	is_whole(name, digest, refs)
}

# METADATA
# description: Whether a document names an artifact by its digest, or each of its files.
# scope: document
default is_named(_, _) := false

is_named(name, digest) if _artifacts[name].digest in {content | some [_, content] in _matches(name, digest)}

is_named(name, digest) if _is_each_file(name, {content | some [_, content] in _matches(name, digest)})

# METADATA
# description: Whether the root of a document, by its SHA-256, is something else than an artifact and its files.
# scope: document
default is_of_another(_, _) := false

is_of_another(name, digest) if {
	content := concat(":", ["sha256", _documents[digest].components[_documents[digest].root].digests.sha256])
	not content in _own(name)
}

# METADATA
# description: Whether the root of a document, as its facts say, is one of its components.
# scope: document
default has_root(_) := false

has_root(facts) if facts.root in object.keys(facts.components)

# METADATA
# description: |
#   Whether a document declares that its parts are all there. SPDX 2 has no word for it, so one that leaves it open may
#   be accepted.
# scope: document
default declares_all(_, _) := false

declares_all(facts, _) if facts.completeness == "complete"

declares_all(facts, accept_spdx_2) if {
	accept_spdx_2 == true
	facts.format == "spdx"
	is_string(facts.version)
	startswith(trim_prefix(facts.version, "SPDX-"), "2.")
	facts.completeness == "unknown"
}

default _is_each_file(_, _) := false

_is_each_file(name, contents) if {
	count(_artifacts[name].files) > 0
	every file in _artifacts[name].files {
		file.digest in contents
	}
}

# Digests of an artifact and its files.
_own(name) := {digest | digest := _artifacts[name].digest} | weights.parts(name)

_documents := documents

# Components of a document with a digest of an artifact: [reference, digest].
_matches(name, digest) := {[ref, content] |
	own := _own(name)
	some ref, component in _documents[digest].components
	content := concat(":", ["sha256", component.digests.sha256])
	content in own
}

# The root stands for an artifact that the document names, if all that the statement is about is that artifact.
_roots(name, digest) := {root |
	root := _documents[digest].root
	root in object.keys(_documents[digest].components)
	name in _verified[digest].artifacts
	is_named(name, digest)
	is_object(_verified[digest].subjects)
	count(_verified[digest].subjects) > 0
	own := _own(name)
	every subject, _ in _verified[digest].subjects {
		subject in own
	}
}

# METADATA
# description: The licences that a document states for one of its components.
licenses(digest, ref) := {license | some license in _documents[digest].components[ref].licenses} | {license |
	some license in _documents[digest].datasets[ref].licenses
}
