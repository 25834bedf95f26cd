# METADATA
# title: Scans
# description: Which scans may be believed, and what they looked at.
# schemas:
#   - input: schema.input
package gate.lib.scanning

import data.gate.lib.document
import data.gate.lib.parameters
import data.gate.lib.shape
import future.keywords.not

# Functions read other packages through rules of their own: through an import regorus finds nothing in some of them.
_artifacts := document.artifacts

_scans := document.scans

_now_s := document.now_s

# METADATA
# description: |
#   Ids of the scans that a control may rest on: attested or inspected ones, and observed ones if the control's
#   parameter `observed` is true. Undefined if scans or parameters are malformed.
usable(control) := ids if {
	is_object(_scans)
	bases := _bases(parameters.of(control))
	ids := {id |
		some id, scan in _scans
		scan.basis in bases
		scan.status in {"complete", "incomplete"}
	}
}

_bases(settings) := {"attested", "inspected"} if not settings.observed == true

_bases(settings) := {"attested", "inspected", "observed"} if settings.observed == true

# METADATA
# description: |
#   Ids of the scans that say what files do when they are loaded. Tools that look for vulnerabilities and secrets only
#   do not. Undefined if scans or parameters are malformed.
judging(control) := ids if {
	counted := usable(control)
	ids := {id | some id in counted; count(_tools(_scans[id].tool) & _searchers) == 0}
}

# A report of several runs is named after all their tools, in the spelling that they have themselves.
_tools(name) := {tool | some tool in split(lower(name), "+")}

_searchers := {"gitleaks", "grype", "in-toto-vulns", "osv-scanner", "pip-audit", "trivy", "trufflehog"}

# METADATA
# description: Ids of the complete scans by one of some tools. Undefined if scans, parameters or tools are malformed.
searching(control, tools) := ids if {
	is_array(tools)
	counted := usable(control)
	ids := {id |
		some id in counted
		_scans[id].status == "complete"
		_scans[id].tool in tools
	}
}

# METADATA
# description: |
#   Scans by one of some tools that did not come to their end, and reports that nobody can read in a form that any tool
#   may write, with a message: what is not in them may be what such a tool found. Undefined if tools are malformed.
unfinished(tools) := {id: message |
	some id, scan in _scans
	scan.status != "complete"
	count(_tools(scan.tool) & wanted) > 0
	said := why(scan)
	message := sprintf("the %s scan did not come to its end, left something out or cannot be read%s", [scan.tool, said])
} if {
	is_array(tools)
	wanted := {lower(tool) | some tool in tools} | {"sarif"}
}

# METADATA
# scope: document
# description: What is wrong with a scan, for people, behind a colon; nothing where nobody says it.
default why(_) := ""

why(scan) := sprintf(": %s", [scan.problem]) if is_string(scan.problem)

# METADATA
# description: Ids of the scans in which the gate read the bytes itself.
inspections := {id | some id, scan in document.scans; scan.basis == "inspected"}

# METADATA
# description: |
#   Those of some scans whose data is fresh: at most `database_age_s` old, or of unknown age where the settings have
#   `accept_undated`. Undefined if the settings are malformed.
dated(ids, settings) := {id | some id in ids; _is_dated(_scans[id].database_at_s, settings, age_s)} if {
	age_s := object.get(settings, "database_age_s", 604800)
	shape.is_count(age_s)
}

default _is_dated(_, _, _) := false

_is_dated(0, settings, _) if settings.accept_undated == true

_is_dated(at_s, _, age_s) if {
	at_s > 0
	at_s <= _now_s
	_now_s - at_s <= age_s
}

# METADATA
# description: |
#   Paths of an artifact's regular files that one of the scans judged by the very bytes that are there; `.` is an image.
covered(ids, name) := {path |
	some id in ids
	_scans[id].artifact == name
	some path in _judged[id]
}

# The paths that match, for each scan: a rule, so that they are found once and not again for each control.
_judged[id] := paths if {
	some id, scan in _scans
	scan.status in {"complete", "incomplete"}
	files := _artifacts[scan.artifact].files
	paths := {path | some path, digest in scan.files; files[path].digest == digest} | _whole(scan)
}

default _whole(_) := set()

# An image has no files here: it is judged as a whole, by its digest.
_whole(scan) := {"."} if {
	is_null(_artifacts[scan.artifact].path)
	scan.files["."] == _artifacts[scan.artifact].digest
}

# METADATA
# description: Findings of inspections that are about code from elsewhere, by id.
remote_code := {id: finding |
	some id, finding in document.findings
	finding.scan in inspections
	startswith(finding.rule, "remote_code.")
}

# METADATA
# scope: document
# description: Whether a finding is of one of some categories. One whose category nobody told is of none.
default is_about(_, _) := false

is_about(finding, categories) if finding.category in categories
