# METADATA
# title: Weights and data
# description: By which digests statements name models and datasets.
# schemas:
#   - input: schema.input
package gate.lib.weights

import data.gate.lib.document
import data.gate.lib.statements
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_artifacts := document.artifacts

_verified := statements.verified

# METADATA
# description: |
#   Digests that stand for a whole artifact: its own, and those under which verified signatures list all of its files.
whole(name) := {digest | digest := _artifacts[name].digest; is_string(digest)} | {root |
	some digest in statements.about("artifact.signature", name)
	is_object(_verified[digest].subjects)
	some root, _ in _verified[digest].subjects
}

# METADATA
# description: Digests of the files of an artifact.
parts(name) := {file.digest | some file in _artifacts[name].files; is_string(file.digest)}

# METADATA
# description: Whether some digests name an artifact, as a whole or each of its files.
# scope: document
default is_named(_, _) := false

is_named(name, digests) if count(whole(name) & digests) > 0

is_named(name, digests) if {
	count(_artifacts[name].files) > 0
	every file in _artifacts[name].files {
		file.digest in digests
	}
}
