# METADATA
# title: What images hold
# description: Packages of container images and their versions, as verified SBOM statements about the images say.
# schemas:
#   - input: schema.input
package gate.lib.installed

import data.gate.lib.bom
import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.shape
import data.gate.lib.statements
import data.gate.lib.versions
import future.keywords.not

# METADATA
# description: The parameter `minimum_versions` of `deploy.safe_loading`; undefined if it is malformed.
minimums := values if {
	values := object.get(parameters.of("deploy.safe_loading"), "minimum_versions", {})
	versions.are_minimums(values)
}

_wanted := {name | some url, _ in minimums; some name in [versions.canonical(url), versions.name(url)]}

_accepts_spdx_2 := object.get(parameters.of("sbom.complete"), "accept_spdx_2", false)

# METADATA
# description: SBOM statements that cover an image which asks for admission, as [digest of the image, name, statement].
bills := {[image, name, digest] |
	some name, artifact in document.artifacts
	artifact.kind == "container"
	image := artifact.digest
	shape.is_digest(image)
	some digest in statements.about("sbom", name)
}

_naming := {bill | some bill in bills; bom.is_named(bill[1], bill[2])}

_whole := {image |
	some [image, name, digest] in _naming
	bom.has_root(bom.documents[digest])
	not bom.is_of_another(name, digest)
	bom.declares_all(bom.documents[digest], _accepts_spdx_2)
}

_partial := {image | some [image, _, digest] in _naming; bom.documents[digest].completeness == "incomplete"}

# METADATA
# description: Digests of the images of which everything is known, by the same measure as that of `sbom.complete`.
known := _whole - (_partial | _odd)

_components := {[image, component] |
	some [image, _, digest] in bills
	some component in bom.documents[digest].components
}

# Images with a component that could be any package.
_odd := {image | some [image, component] in _components; not _is_component(component)}

default _is_component(_) := false

_is_component(component) if {
	is_string(component.name)
	_is_optional_string(component.version)
	_is_optional_string(component.purl)
}

default _is_optional_string(_) := false

_is_optional_string(value) if is_null(value)

_is_optional_string(value) if is_string(value)

# METADATA
# description: |
#   The packages with minimums that images have, as [image, package, version], of every SBOM that covers them; one has
#   each version that something says. What nobody says is `unknown`, and without a package URL there is only a name.
packages := {[image, name, version] |
	some [image, component] in _components
	_has_url(component)
	name := versions.canonical(component.purl)
	name in _wanted
	some version in _said(component)
} | {[image, name, "unknown"] |
	some [image, component] in _components
	is_string(component.name)
	not _has_url(component)
	name := versions.name(component.name)
	name in _wanted
}

default _has_url(_) := false

_has_url(component) if {
	is_string(component.purl)
	startswith(lower(trim_space(component.purl)), "pkg:")
}

_said(component) := _texts(component) if count(_texts(component)) > 0

_said(component) := {"unknown"} if count(_texts(component)) == 0

_texts(component) := {text |
	some text in [component.version, versions.stated(component.purl)]
	is_string(text)
}

_versions(image, url) := {version |
	some [about, one, version] in packages
	about == image
	one in {versions.canonical(url), versions.name(url)}
}

# METADATA
# description: What an image has that is older than some minimums, as sentences. These are by package URL.
older(image, minimums) := {sprintf("%s %s, older than %s", [url, version, minimum]) |
	some url, minimum in minimums
	some version in _versions(image, url)
	versions.is_comparable(version)
	not versions.is_at_least(version, minimum)
}

# METADATA
# description: The minimums that nobody can tell an image to meet, as sentences. Nobody can tell that of `null`.
unclear(image, minimums) := {sprintf("its image has %s %s, which cannot be compared with %s", [url, version, minimum]) |
	some url, minimum in minimums
	some version in _versions(image, url)
	not versions.is_comparable(version)
} | {sprintf("no complete SBOM of its image says which %s it has", [url]) |
	some url, _ in minimums
	not image in known
}

# METADATA
# description: Whether an image is known to meet all minimums.
# scope: document
default is_current(_, _) := false

is_current(image, minimums) if {
	count(older(image, minimums)) == 0
	count(unclear(image, minimums)) == 0
}
