# METADATA
# title: Datasets
# description: What statements and SBOMs say of datasets, namely owner, classification, personal data and licences.
# schemas:
#   - input: schema.input
package gate.lib.datasets

import data.gate.lib.attested
import data.gate.lib.bom
import data.gate.lib.licenses
import data.gate.lib.statements
import future.keywords.not

_fields := {"owner", "classification", "personal_data"}

# METADATA
# description: |
#   What is said of each dataset: [name, statement, component, what], with null for the component where the statement
#   itself is about it. What is not stated is absent.
# scope: document
said contains entry if {
	some name in attested.of_kind("dataset")
	some digest in attested.collected(statements.about("dataset", name))
	facts := statements.verified[digest].facts
	what := object.union(_stated(facts), {"licenses": {facts.license | is_string(facts.license)}})
	entry := [name, digest, null, what]
}

said contains entry if {
	some name in attested.of_kind("dataset")
	some digest, facts in bom.documents
	some ref in bom.parts(name, digest)
	what := object.union(_stated(facts.datasets[ref]), {"licenses": bom.licenses(digest, ref)})
	entry := [name, digest, ref, what]
}

_stated(facts) := {field: value | some field in _fields; value := facts[field]; not _is_blank(value)}

default _is_blank(_) := false

_is_blank(value) if is_null(value)

_is_blank(value) if {
	is_string(value)
	trim_space(value) == ""
}

# METADATA
# description: Whether all four are stated.
# scope: document
default is_complete(_) := false

is_complete(what) if {
	is_string(what.owner)
	is_string(what.classification)
	is_boolean(what.personal_data)
	count(what.licenses) > 0
	every license in what.licenses {
		licenses.is_stated(license)
	}
}
