package gate.tests.plugin.vetted_test

import data.gate.controls.plugin.vetted
import data.gate.fixtures
import data.gate.tuned
import future.keywords.not

# What the control says of the good document after `patches`: its status, and where it found what.
answer(patches) := [status, {[entry.code, entry.artifact, entry.file] | some entry in found}] if {
	doc := tuned.after(patches)
	status := vetted.status with input as doc
	found := vetted.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := tuned.after(patches)
	evidence := vetted.evidence with input as doc
	reason := vetted.reason with input as doc
	found := vetted.violations with input as doc
}

test_passes_when_it_is_attested_and_reviewed if {
	answer([]) == ["pass", set()]
}

test_passes_with_its_evidence if {
	whole([]) == {"evidence": {tuned.digests.plugin, tuned.digests.review, tuned.digests.approval}, "reason": null, "violations": set()}
}

test_passes_when_only_an_approval_is_there if {
	answer(tuned.cover("review", [])) == ["pass", set()]
}

test_passes_when_only_a_review_is_there if {
	answer(tuned.cover("approval", [])) == ["pass", set()]
}

test_passes_when_a_tool_may_do_nothing if {
	answer([tuned.put("plugin", "facts/tools/search/permissions", []), fixtures.remove("/parameters/plugin.vetted")]) == ["pass", set()]
}

test_fails_when_nothing_covers_it if {
	answer(tuned.cover("plugin", [])) == ["fail", {["plugin.vetted.missing", "tools", null]}]
}

test_fails_when_it_failed if {
	answer([tuned.put("plugin", "facts/result", "failed")]) == ["fail", {["plugin.vetted.failed", "tools", null]}]
}

test_fails_when_it_was_not_collected if {
	answer([tuned.put("plugin", "facts/collected", false)]) == ["fail", {["plugin.vetted.uncollected", "tools", null]}]
}

test_fails_when_it_names_no_tool if {
	answer([tuned.put("plugin", "facts/tools", {})]) == ["fail", {["plugin.vetted.incomplete", "tools", null]}]
}

test_fails_when_tools_have_no_shape if {
	answer([tuned.put("plugin", "facts/tools", [{"descriptor": tuned.whole.base, "permissions": []}])]) == ["fail", {["plugin.vetted.incomplete", "tools", null]}]
}

test_fails_when_a_tool_is_not_pinned if {
	answer([tuned.put("plugin", "facts/tools/search/descriptor", "x")]) == ["fail", {["plugin.vetted.incomplete", "tools", null]}]
}

test_fails_when_a_tool_does_not_say_what_it_may_do if {
	answer([tuned.put("plugin", "facts/tools/search/permissions", null)]) == ["fail", {["plugin.vetted.incomplete", "tools", null]}]
}

test_fails_when_one_of_two_tools_is_not_pinned if {
	answer([tuned.put("plugin", "facts/tools/other", {"descriptor": null, "permissions": []})]) == ["fail", {["plugin.vetted.incomplete", "tools", null]}]
}

test_fails_when_a_permission_is_not_allowed if {
	answer([tuned.put("plugin", "facts/tools/search/permissions", ["read", "write"])]) == ["fail", {["plugin.vetted.permission", "tools", null]}]
}

test_fails_when_nothing_is_allowed if {
	answer([fixtures.remove("/parameters/plugin.vetted")]) == ["fail", {["plugin.vetted.permission", "tools", null]}]
}

test_fails_when_one_of_two_tools_may_do_more if {
	answer([tuned.put("plugin", "facts/tools/other", {"descriptor": tuned.whole.base, "permissions": ["write"]})]) == ["fail", {["plugin.vetted.permission", "tools", null]}]
}

test_fails_when_nobody_reviewed_it if {
	answer(array.concat(tuned.cover("review", []), tuned.cover("approval", []))) == ["fail", {["plugin.vetted.unreviewed", "tools", null]}]
}

test_fails_when_its_author_reviewed_it if {
	answer(array.concat([tuned.put("review", "signers", tuned.statements.plugin.signers)], tuned.cover("approval", []))) == ["fail", {["plugin.vetted.unreviewed", "tools", null]}]
}

test_fails_when_its_review_was_not_collected if {
	answer(array.concat([tuned.put("review", "facts/collected", false)], tuned.cover("approval", []))) == ["fail", {["plugin.vetted.unreviewed", "tools", null]}]
}

test_fails_when_somebody_rejected_it if {
	answer([tuned.put("review", "facts/decision", "rejected")]) == ["fail", {["plugin.vetted.rejected", "tools", null]}]
}

test_fails_with_a_message if {
	whole([tuned.put("plugin", "facts/tools/search/permissions", ["write"])]).violations == {{
		"artifact": "tools",
		"code": "plugin.vetted.permission",
		"evidence": [],
		"file": null,
		"message": "its tool search may write, which is not allowed",
	}}
}

test_is_not_applicable_without_plugins if {
	answer([fixtures.remove("/artifacts/tools")]) == ["not_applicable", set()]
}

test_has_a_reason_when_not_applicable if {
	whole([fixtures.remove("/artifacts/tools")]).reason == "no plugin asks for admission"
}

test_errors_when_permissions_are_no_list if {
	answer([fixtures.put("/parameters/plugin.vetted/permissions", "read")])[0] == "error"
}

test_errors_when_a_signer_cannot_be_told_from_others if {
	answer([tuned.put("approval", "signers/0/subject", "")])[0] == "error"
}

test_errors_when_the_sections_disagree if {
	answer([fixtures.put("/claims", {})])[0] == "error"
}

test_errors_when_there_are_no_artifacts if {
	answer([fixtures.remove("/artifacts")])[0] == "error"
}

test_errors_when_a_permission_is_no_text if {
	answer([fixtures.put("/parameters/plugin.vetted/permissions", ["read", 1])])[0] == "error"
}

test_fails_with_the_statements_behind_it if {
	whole([tuned.put("plugin", "facts/collected", false)]).violations == {{
		"artifact": "tools",
		"code": "plugin.vetted.uncollected",
		"evidence": [tuned.digests.plugin],
		"file": null,
		"message": "what covers it is its signer's word; nothing was collected",
	}}
	whole([tuned.put("review", "facts/decision", "rejected")]).violations == {{
		"artifact": "tools",
		"code": "plugin.vetted.rejected",
		"evidence": [tuned.digests.review],
		"file": null,
		"message": "somebody rejected it",
	}}
}
