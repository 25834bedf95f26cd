# METADATA
# title: Results
# description: Builds violations and decides the status of a control.
# schemas:
#   - input: schema.input
package gate.lib.result

import future.keywords.not

# METADATA
# description: One violation. `code` and `message` are strings; `where` may hold `artifact`, `file` and `evidence`.
violation(code, message, where) := {
	"artifact": object.get(where, "artifact", null),
	"code": code,
	"evidence": sort(object.get(where, "evidence", [])),
	"file": object.get(where, "file", null),
	"message": message,
}

# METADATA
# scope: document
# description: |
#   The status of a control from three sets: what it has to judge, which of that is proved, and what is wrong. A pass
#   needs something to judge, proof for all of it, and nothing wrong.
default status(_, _, _) := "error"

status(_, _, violations) := "fail" if count(violations) > 0

status(subjects, _, violations) := "not_applicable" if {
	count(violations) == 0
	count(subjects) == 0
}

status(subjects, proved, violations) := "pass" if {
	count(violations) == 0
	count(subjects) > 0
	every subject in subjects {
		subject in proved
	}
}
