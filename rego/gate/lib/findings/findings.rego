# METADATA
# title: Findings
# description: How grave a finding is, and which findings are one.
# schemas:
#   - input: schema.input
package gate.lib.findings

import data.gate.lib.document
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_findings := document.findings

_scans := document.scans

_words := ["none", "low", "medium", "high", "critical"]

# METADATA
# scope: document
# description: The rank of a severity. One that nobody knows is the gravest.
default rank(_) := 4

rank(severity) := _ranks[severity]

_ranks := {"none": 0, "low": 1, "medium": 2, "high": 3}

# METADATA
# scope: document
# description: Whether settings accept a finding that its tool suppressed, or that its report says does not apply.
default is_accepted(_, _) := false

is_accepted(finding, settings) if {
	finding.status == "suppressed"
	settings.accept_suppressed == true
}

is_accepted(finding, settings) if {
	finding.status == "not_affected"
	settings.accept_not_affected == true
}

# METADATA
# description: |
#   Some findings as reasons, each with `artifact`, `file` and `message`: those of one group are one reason, and so is
#   each without a group.
reasons(ids) := {reason |
	some key in {_key(id) | some id in ids}
	alike := {id | some id in ids; _key(id) == key}
	artifacts := {_findings[id].artifact | some id in alike}
	files := {_findings[id].file | some id in alike}
	reason := {"artifact": _only(artifacts), "file": _only(files), "message": _message(alike)}
}

_key(id) := id if not is_string(_findings[id].group)

_key(id) := _findings[id].group if is_string(_findings[id].group)

default _only(_) := null

_only(values) := value if {
	count(values) == 1
	some value in values
}

_message(ids) := sprintf("%s found %s%s: %s", [tools, rules, where, _words[severity]]) if {
	tools := concat(", ", sort({_scans[_findings[id].scan].tool | some id in ids}))
	rules := concat(", ", sort({_findings[id].rule | some id in ids}))
	severity := max({rank(object.get(_findings[id], "severity", null)) | some id in ids})
	where := concat("", {sprintf(" in %s", [purl]) | some id in ids; purl := _purls[id]})
}

# Findings of one group are of one component, which scanners may write in several ways.
_purls[id] := purl if {
	some id, finding in _findings
	purl := finding.component.purl
	is_string(purl)
}
