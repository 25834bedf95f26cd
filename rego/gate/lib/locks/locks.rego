# METADATA
# title: Lock files
# description: What the lock files of packages lock. Undefined unless every field that some rule reads has its type.
# schemas:
#   - input: schema.input
package gate.lib.locks

import data.gate.lib.shape
import future.keywords.not

# METADATA
# description: Lock files by artifact and path, as the gate read them.
files := value if {
	value := input.dependencies
	is_object(value)
	every found in value {
		is_object(found)
		every lock in found {
			lock.format in _formats
			shape.is_texts(lock.problems)
			_are_packages(lock.packages)
		}
	}
}

# What the gate reads, and null for a file in none of these formats.
_formats := {
	null, "cargo", "go", "go.mod", "npm", "pdm", "pipenv",
	"pnpm", "poetry", "pylock", "requirements", "uv", "yarn",
}

default _are_packages(_) := false

_are_packages(packages) if {
	is_object(packages)
	every key, package_ in packages {
		shape.is_text(package_.name)
		startswith(key, concat("", [package_.name, "@"]))
		is_boolean(package_.pinned)
		is_boolean(package_.local)
		_are_hashes(package_.digests)
		shape.is_object_of_digest_lists(package_.attested)
	}
}

default _are_hashes(_) := false

_are_hashes(digests) if {
	is_array(digests)
	every digest in digests {
		is_string(digest)
		regex.match(`^sha(256|384|512):[0-9a-f]+$`, digest)
	}
}

# METADATA
# description: The packages of each lock file that can be relied on, by artifact and path. One that locks none cannot.
packages[[name, path]] := locked if {
	some name, found in files
	some path, lock in found
	is_string(lock.format)
	count(lock.problems) == 0
	locked := lock.packages
	count(locked) > 0
}

# METADATA
# description: Those packages by artifact, path and key.
items[[name, path, key]] := item if {
	some [name, path], found in packages
	some key, item in found
}

# METADATA
# description: Whether nothing but bytes of known digests can be installed for a package.
# scope: document
default is_pinned(_) := false

is_pinned(item) if {
	item.pinned == true
	item.local == false
	count(item.digests) > 0
}

# METADATA
# description: Whether a name is in a list, `*` for all. Indexes see no difference between `-`, `_` and `.`.
# scope: document
default is_named(_, _) := false

is_named(_, names) if "*" in names

is_named(name, names) if {
	some listed in names
	_plain(name) == _plain(listed)
}

_plain(name) := regex.replace(lower(name), `[\-_.]+`, "-")
