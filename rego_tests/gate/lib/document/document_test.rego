package gate.lib.document_test

import data.gate.fixtures
import data.gate.lib.document
import future.keywords.not

now_s_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.now_s with input as doc
}

test_passes_when_now_s_is_sound if now_s_after([]) == fixtures.good.context.now_s

test_errors_when_now_s_has_absent if {
	not now_s_after([fixtures.remove("/context/now_s")])
}

test_errors_when_now_s_has_text if {
	not now_s_after([fixtures.put("/context/now_s", "1")])
}

test_errors_when_now_s_has_negative if {
	not now_s_after([fixtures.put("/context/now_s", -1)])
}

test_errors_when_now_s_has_no_context if {
	not now_s_after([fixtures.remove("/context")])
}

artifacts_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.artifacts with input as doc
}

test_passes_when_artifacts_is_sound if artifacts_after([]) == fixtures.good.artifacts

test_errors_when_artifacts_has_list if {
	not artifacts_after([fixtures.put("/artifacts", [])])
}

test_errors_when_artifacts_has_null if {
	not artifacts_after([fixtures.put("/artifacts", null)])
}

test_errors_when_artifacts_has_kind_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/kind")])
}

test_errors_when_artifacts_has_kind_unknown if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/kind", "model")])
}

test_errors_when_artifacts_has_mutable_null if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/mutable_reference", null)])
}

test_errors_when_artifacts_has_mutable_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/mutable_reference")])
}

test_errors_when_artifacts_has_digest_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/digest")])
}

test_errors_when_artifacts_has_digest_short if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/digest", "sha256:00")])
}

test_errors_when_artifacts_has_path_null if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/path", null)])
}

test_errors_when_artifacts_has_path_empty if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/path", "")])
}

test_errors_when_artifacts_has_both_places if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/reference", "x")])
}

test_errors_when_artifacts_has_reference_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/reference")])
}

test_errors_when_artifacts_has_path_absent if {
	not artifacts_after([fixtures.remove("/artifacts/server/path")])
}

test_errors_when_artifacts_has_path_beside_reference if {
	not artifacts_after([fixtures.put("/artifacts/server/path", "x")])
}

test_errors_when_artifacts_has_reference_null if {
	not artifacts_after([fixtures.put("/artifacts/server/reference", null)])
}

test_errors_when_artifacts_has_reference_empty if {
	not artifacts_after([fixtures.put("/artifacts/server/reference", "")])
}

test_errors_when_artifacts_has_files_list if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files", [])])
}

test_errors_when_artifacts_has_files_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/files")])
}

test_errors_when_artifacts_has_file_null if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files/config.json", null)])
}

test_errors_when_artifacts_has_file_digest if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files/config.json/digest", "x")])
}

test_errors_when_artifacts_has_file_digest_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/files/config.json/digest")])
}

test_errors_when_artifacts_has_file_digest_null if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files/config.json/digest", null)])
}

test_errors_when_artifacts_has_format_empty if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files/config.json/format", "")])
}

test_errors_when_artifacts_has_format_absent if {
	not artifacts_after([fixtures.remove("/artifacts/summarizer/files/config.json/format")])
}

test_errors_when_artifacts_has_link_with_digest if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files/config.json/format", "symlink")])
}

test_errors_when_artifacts_has_device_with_digest if {
	not artifacts_after([fixtures.put("/artifacts/summarizer/files/config.json/format", "special")])
}

test_errors_when_artifacts_has_artifact_null if {
	not artifacts_after([fixtures.put("/artifacts/summarizer", null)])
}

gates_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.gates with input as doc
}

test_passes_when_gates_is_sound if gates_after([]) == fixtures.good.gates

test_errors_when_gates_has_list if {
	not gates_after([fixtures.put("/gates", [])])
}

test_errors_when_gates_has_null if {
	not gates_after([fixtures.put("/gates", null)])
}

test_errors_when_gates_has_required_absent if {
	not gates_after([fixtures.remove("/gates/G001/required_attestations")])
}

test_errors_when_gates_has_required_empty_text if {
	not gates_after([fixtures.put("/gates/G001/required_attestations", [""])])
}

test_errors_when_gates_has_files_absent if {
	not gates_after([fixtures.remove("/gates/G001/files")])
}

test_errors_when_gates_has_files_null if {
	not gates_after([fixtures.put("/gates/G001/files", null)])
}

change_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.change with input as doc
}

test_passes_when_change_is_sound if change_after([]) == fixtures.good.change

test_errors_when_change_has_null if {
	not change_after([fixtures.put("/change", null)])
}

test_errors_when_change_has_status_unknown if {
	not change_after([fixtures.put("/change/status", "failed")])
}

test_errors_when_change_has_status_absent if {
	not change_after([fixtures.remove("/change/status")])
}

test_errors_when_change_has_merge_base if {
	not change_after([fixtures.put("/change/merge_base", "")])
}

test_errors_when_change_has_head if {
	not change_after([fixtures.remove("/change/head")])
}

test_errors_when_change_has_dirty_null if {
	not change_after([fixtures.put("/change/dirty", null)])
}

test_errors_when_change_has_dirty_absent if {
	not change_after([fixtures.remove("/change/dirty")])
}

test_errors_when_change_has_files_list if {
	not change_after([fixtures.put("/change/files", [])])
}

test_errors_when_change_has_no_files if {
	not change_after([fixtures.remove("/change/files")])
}

test_errors_when_change_has_file_null if {
	not change_after([fixtures.put("/change/files/README.md", null)])
}

test_errors_when_change_has_role_absent if {
	not change_after([fixtures.remove("/change/files/weights.bin/role")])
}

test_errors_when_change_has_role_unknown if {
	not change_after([fixtures.put("/change/files/weights.bin/role", "x")])
}

test_errors_when_change_has_gates_null if {
	not change_after([fixtures.put("/change/files/weights.bin/gates", null)])
}

test_errors_when_change_has_gates_of_another_null if {
	not change_after([fixtures.put("/change/files/README.md/gates", null)])
}

test_errors_when_change_has_covered_list if {
	not change_after([fixtures.put("/change/files/weights.bin/covered_by", [])])
}

test_errors_when_change_has_covered_text if {
	not change_after([fixtures.put("/change/files/weights.bin/covered_by/x", "x")])
}

test_errors_when_change_has_side_absent if {
	not change_after([fixtures.remove("/change/files/weights.bin/old")])
}

test_errors_when_change_has_new_absent if {
	not change_after([fixtures.remove("/change/files/weights.bin/new")])
}

test_errors_when_change_has_modified_without_old if {
	not change_after([fixtures.put("/change/files/weights.bin/old", null)])
}

test_errors_when_change_has_modified_without_new if {
	not change_after([fixtures.put("/change/files/weights.bin/new", null)])
}

test_errors_when_change_has_added_with_old if {
	not change_after([fixtures.put("/change/files/weights.bin/status", "added")])
}

test_errors_when_change_has_deleted_with_new if {
	not change_after([fixtures.put("/change/files/weights.bin/status", "deleted")])
}

test_errors_when_change_has_file_status if {
	not change_after([fixtures.put("/change/files/weights.bin/status", "renamed")])
}

test_errors_when_change_has_mode if {
	not change_after([fixtures.put("/change/files/weights.bin/new/mode", "0100644")])
}

test_errors_when_change_has_mode_letters if {
	not change_after([fixtures.put("/change/files/weights.bin/new/mode", "10064x")])
}

test_errors_when_change_has_mode_number if {
	not change_after([fixtures.put("/change/files/weights.bin/new/mode", 100644)])
}

test_errors_when_change_has_side_digest if {
	not change_after([fixtures.put("/change/files/weights.bin/new/digest", "x")])
}

test_errors_when_change_has_side_digest_absent if {
	not change_after([fixtures.remove("/change/files/weights.bin/old/digest")])
}

test_errors_when_change_has_unknown_gate if {
	not change_after([fixtures.put("/change/files/weights.bin/gates", ["G001", "G2"])])
}

test_errors_when_change_has_gate_forgotten if {
	not change_after([fixtures.put("/change/files/weights.bin/gates", [])])
}

test_errors_when_change_has_gates_absent if {
	not change_after([fixtures.remove("/gates")])
}

attestations_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.attestations with input as doc
}

test_passes_when_attestations_is_sound if attestations_after([]) == fixtures.good.attestations

test_errors_when_attestations_has_list if {
	not attestations_after([fixtures.put("/attestations", [])])
}

test_errors_when_attestations_has_null if {
	not attestations_after([fixtures.put("/attestations", null)])
}

test_errors_when_attestations_has_key if {
	not attestations_after([fixtures.put("/attestations/x", fixtures.attestations[fixtures.digests.sig1])])
}

test_errors_when_attestations_has_claim_absent if {
	not attestations_after([fixtures.remove(fixtures.statement("sig1", "claim"))])
}

test_errors_when_attestations_has_claim_empty if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "claim"), "")])
}

test_errors_when_attestations_has_artifacts_null if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "artifacts"), null)])
}

test_errors_when_attestations_has_facts_list if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "facts"), [])])
}

test_errors_when_attestations_has_facts_absent if {
	not attestations_after([fixtures.remove(fixtures.statement("sig1", "facts"))])
}

test_errors_when_attestations_has_signers_absent if {
	not attestations_after([fixtures.remove(fixtures.statement("sig1", "signers"))])
}

test_errors_when_attestations_has_signers_empty if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signers"), [])])
}

test_errors_when_attestations_has_signers_object if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signers"), {"a": {"name": "x"}})])
}

test_errors_when_attestations_has_signer_null if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signers"), [null])])
}

test_errors_when_attestations_has_signer_unnamed if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signers"), [{"name": ""}])])
}

test_errors_when_attestations_has_one_signer_unnamed if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signers"), [{"name": "a"}, {"name": ""}])])
}

test_errors_when_attestations_has_source_absent if {
	not attestations_after([fixtures.remove(fixtures.statement("sig1", "signed_at/source"))])
}

test_errors_when_attestations_has_source_unknown if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signed_at/source"), "me")])
}

test_errors_when_attestations_has_at_absent if {
	not attestations_after([fixtures.remove(fixtures.statement("sig1", "signed_at/at_s"))])
}

test_errors_when_attestations_has_at_negative if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "signed_at/at_s"), -1)])
}

test_errors_when_attestations_has_stated_absent if {
	not attestations_after([fixtures.remove(fixtures.statement("sig1", "stated_at_s"))])
}

test_errors_when_attestations_has_stated_text if {
	not attestations_after([fixtures.put(fixtures.statement("sig1", "stated_at_s"), "x")])
}

claims_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.claims with input as doc
}

test_passes_when_claims_is_sound if claims_after([]) == fixtures.good.claims

test_errors_when_claims_has_list if {
	not claims_after([fixtures.put("/claims", [])])
}

test_errors_when_claims_has_null if {
	not claims_after([fixtures.put("/claims", null)])
}

test_errors_when_claims_has_all_null if {
	not claims_after([fixtures.put("/claims/approval/all", null)])
}

test_errors_when_claims_has_all_absent if {
	not claims_after([fixtures.remove("/claims/approval/all")])
}

test_errors_when_claims_has_all_text if {
	not claims_after([fixtures.put("/claims/approval/all", ["x"])])
}

test_errors_when_claims_has_by_artifact_list if {
	not claims_after([fixtures.put("/claims/approval/by_artifact", [])])
}

test_errors_when_claims_has_by_artifact_text if {
	not claims_after([fixtures.put("/claims/approval/by_artifact/x", ["x"])])
}

rejected_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.rejected with input as doc
}

test_passes_when_rejected_is_sound if rejected_after([]) == fixtures.good.rejected

test_errors_when_rejected_has_list if {
	not rejected_after([fixtures.put("/rejected", [])])
}

test_errors_when_rejected_has_null if {
	not rejected_after([fixtures.put("/rejected", null)])
}

test_errors_when_rejected_has_key if {
	not rejected_after([fixtures.put("/rejected/x", {"origin": "a", "code": "b"})])
}

test_errors_when_rejected_has_origin if {
	not rejected_after([fixtures.put(concat("/", ["/rejected", fixtures.digests.rejected, "origin"]), "")])
}

test_errors_when_rejected_has_code if {
	not rejected_after([fixtures.remove(concat("/", ["/rejected", fixtures.digests.rejected, "code"]))])
}

scans_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.scans with input as doc
}

test_passes_when_scans_is_sound if scans_after([]) == fixtures.good.scans

test_errors_when_scans_has_list if {
	not scans_after([fixtures.put("/scans", [])])
}

test_errors_when_scans_has_null if {
	not scans_after([fixtures.put("/scans", null)])
}

test_errors_when_scans_has_tool if {
	not scans_after([fixtures.put("/scans/inspection/tool", "")])
}

test_errors_when_scans_has_basis_absent if {
	not scans_after([fixtures.remove("/scans/inspection/basis")])
}

test_errors_when_scans_has_basis_unknown if {
	not scans_after([fixtures.put("/scans/inspection/basis", "said")])
}

test_errors_when_scans_has_status_unknown if {
	not scans_after([fixtures.put("/scans/inspection/status", "ok")])
}

test_errors_when_scans_has_status_absent if {
	not scans_after([fixtures.remove("/scans/inspection/status")])
}

test_errors_when_scans_has_artifact_absent if {
	not scans_after([fixtures.remove("/scans/inspection/artifact")])
}

test_errors_when_scans_has_artifact_empty if {
	not scans_after([fixtures.put("/scans/inspection/artifact", "")])
}

test_errors_when_scans_has_report_text if {
	not scans_after([fixtures.put("/scans/inspection/report", "x")])
}

test_errors_when_scans_has_report_absent if {
	not scans_after([fixtures.remove("/scans/inspection/report")])
}

test_errors_when_scans_has_errors_absent if {
	not scans_after([fixtures.remove("/scans/inspection/coverage/errors")])
}

test_errors_when_scans_has_errors_list if {
	not scans_after([fixtures.put("/scans/inspection/coverage/errors", [])])
}

test_errors_when_scans_has_scanned_text if {
	not scans_after([fixtures.put("/scans/inspection/coverage/scanned", "2")])
}

test_errors_when_scans_has_scanned_wrong if {
	not scans_after([fixtures.put("/scans/inspection/coverage/scanned", 3)])
}

test_errors_when_scans_has_files_list if {
	not scans_after([fixtures.put("/scans/inspection/files", [1, 2])])
}

test_errors_when_scans_has_files_text if {
	not scans_after([fixtures.put("/scans/inspection/files/config.json", "x")])
}

test_errors_when_scans_has_digest_of_one_file if {
	not scans_after([fixtures.put("/scans/inspection/files/model.safetensors", null)])
}

findings_after(patches) := value if {
	doc := fixtures.after(patches)
	value := document.findings with input as doc
}

test_passes_when_findings_is_sound if findings_after([]) == fixtures.good.findings

test_errors_when_findings_has_list if {
	not findings_after([fixtures.put("/findings", [])])
}

test_errors_when_findings_has_null if {
	not findings_after([fixtures.put("/findings", null)])
}

test_errors_when_findings_has_rule_absent if {
	not findings_after([fixtures.remove("/findings/f1/rule")])
}

test_errors_when_findings_has_rule_empty if {
	not findings_after([fixtures.put("/findings/f1/rule", "")])
}

test_errors_when_findings_has_artifact_absent if {
	not findings_after([fixtures.remove("/findings/f1/artifact")])
}

test_errors_when_findings_has_artifact_empty if {
	not findings_after([fixtures.put("/findings/f1/artifact", "")])
}

test_errors_when_findings_has_file_absent if {
	not findings_after([fixtures.remove("/findings/f1/file")])
}

test_errors_when_findings_has_file_empty if {
	not findings_after([fixtures.put("/findings/f1/file", "")])
}

test_errors_when_findings_has_scan_absent if {
	not findings_after([fixtures.remove("/findings/f1/scan")])
}

test_errors_when_findings_has_scan_unknown if {
	not findings_after([fixtures.put("/findings/f1/scan", "x")])
}

test_errors_when_findings_has_scans_absent if {
	not findings_after([fixtures.remove("/scans")])
}

test_passes_when_kind_is_adapter if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "adapter")]))

test_passes_when_kind_is_container if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "container")]))

test_passes_when_kind_is_corpus if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "corpus")]))

test_passes_when_kind_is_dataset if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "dataset")]))

test_passes_when_kind_is_evaluation if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "evaluation")]))

test_passes_when_kind_is_package if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "package")]))

test_passes_when_kind_is_plugin if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "plugin")]))

test_passes_when_kind_is_prompt if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "prompt")]))

test_passes_when_kind_is_route if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "route")]))

test_passes_when_kind_is_slo if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "slo")]))

test_passes_when_kind_is_weights if is_object(artifacts_after([fixtures.put("/artifacts/summarizer/kind", "weights")]))

test_passes_when_a_scan_is_complete if is_object(scans_after([fixtures.put("/scans/inspection/status", "complete")]))

test_passes_when_a_scan_is_incomplete if is_object(scans_after([fixtures.put("/scans/inspection/status", "incomplete")]))

test_passes_when_a_scan_is_failed if is_object(scans_after([fixtures.put("/scans/inspection/status", "failed")]))

test_passes_when_a_scan_is_attested if is_object(scans_after([fixtures.put("/scans/inspection/basis", "attested")]))

test_passes_when_a_scan_is_observed if is_object(scans_after([fixtures.put("/scans/inspection/basis", "observed")]))

test_passes_when_a_scan_is_inspected if is_object(scans_after([fixtures.put("/scans/inspection/basis", "inspected")]))

test_errors_when_one_of_two_findings_is_broken_f0 if not findings_after([fixtures.put("/findings/f0", {})])

test_errors_when_one_of_two_findings_is_broken_f2 if not findings_after([fixtures.put("/findings/f2", {})])

test_errors_when_one_of_two_gates_is_broken_before_it if not gates_after([fixtures.put("/gates/G000", {})])

test_errors_when_one_of_two_gates_is_broken_after_it if not gates_after([fixtures.put("/gates/G002", {})])

test_errors_when_the_files_of_a_scan_are_an_empty_list if {
	not scans_after([
		fixtures.put("/scans/inspection/files", []),
		fixtures.put("/scans/inspection/coverage/scanned", 0),
	])
}

test_passes_when_role_is_key if is_object(change_after([fixtures.put("/change/files/weights.bin/role", "key")]))

test_passes_when_role_is_profile if is_object(change_after([fixtures.put("/change/files/weights.bin/role", "profile")]))

test_passes_when_role_is_trust_root if is_object(change_after([fixtures.put("/change/files/weights.bin/role", "trust_root")]))

test_passes_when_role_is_waivers if is_object(change_after([fixtures.put("/change/files/weights.bin/role", "waivers")]))

test_passes_when_a_file_is_a_link if {
	is_object(artifacts_after([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "symlink"}),
	]))
}

test_passes_when_a_file_is_a_device if {
	is_object(artifacts_after([
		fixtures.put("/artifacts/summarizer/files/config.json", {"digest": null, "format": "special"}),
	]))
}

test_passes_when_a_file_is_added if {
	is_object(change_after([
		fixtures.put("/change/files/weights.bin/old", null),
		fixtures.put("/change/files/weights.bin/status", "added"),
	]))
}

test_passes_when_a_file_is_deleted if {
	is_object(change_after([
		fixtures.put("/change/files/weights.bin/new", null),
		fixtures.put("/change/files/weights.bin/status", "deleted"),
	]))
}

test_passes_when_a_type_changes if {
	is_object(change_after([fixtures.put("/change/files/weights.bin/status", "type_changed")]))
}

test_passes_when_there_is_no_base if {
	is_object(change_after([
		fixtures.put("/change/status", "everything"),
		fixtures.put("/change/merge_base", null),
		fixtures.put("/change/head", null),
	]))
}

test_errors_when_there_are_no_gates_and_no_gated_files if {
	not change_after([
		fixtures.remove("/gates"),
		fixtures.remove("/change/files/weights.bin"),
	])
}

test_errors_when_the_files_are_an_empty_list if {
	not change_after([fixtures.put("/change/files", []), fixtures.put("/gates", {})])
}

test_errors_when_nothing_is_said_of_a_base if {
	not change_after([
		fixtures.put("/change/status", "everything"),
		fixtures.remove("/change/merge_base"),
	])
}

test_errors_when_nothing_is_said_of_a_head if {
	not change_after([
		fixtures.put("/change/status", "everything"),
		fixtures.remove("/change/head"),
	])
}

test_errors_when_added_files_have_no_new_side if {
	not change_after([
		fixtures.put("/change/files/weights.bin/status", "added"),
		fixtures.put("/change/files/weights.bin/old", null),
		fixtures.put("/change/files/weights.bin/new", null),
	])
}

test_errors_when_deleted_files_have_no_old_side if {
	not change_after([
		fixtures.put("/change/files/weights.bin/status", "deleted"),
		fixtures.put("/change/files/weights.bin/old", null),
		fixtures.put("/change/files/weights.bin/new", null),
	])
}

test_passes_when_role_is_policy if is_object(change_after([fixtures.put("/change/files/weights.bin/role", "policy")]))

test_passes_when_time_is_of_an_authority if {
	is_object(attestations_after([fixtures.put(fixtures.statement("sig1", "signed_at/source"), "timestamp-authority")]))
}

waivers_after(patches) := value if {
	waiver := {
		"control": "scan.malware",
		"artifact": fixtures.digests.tree1,
		"finding": null,
		"expires_s": 1797000000,
		"state": "active",
	}
	doc := json.patch(fixtures.after([fixtures.put("/waivers", {"W-1": waiver})]), patches)
	value := document.waivers with input as doc
}

test_passes_when_waivers_are_sound if {
	count(waivers_after([])) == 1
	every state in ["active", "expired", "expiring", "invalid", "pending"] {
		count(waivers_after([fixtures.put("/waivers/W-1/state", state)])) == 1
	}
}

test_errors_when_waivers_are_not_sound if {
	not waivers_after([fixtures.put("/waivers", [])])
	not waivers_after([fixtures.put("/waivers/W-2", null)])
	not waivers_after([fixtures.put("/waivers/W-1/state", "x")])
	not waivers_after([fixtures.put("/waivers/W-1/expires_s", -1)])
	not waivers_after([fixtures.put("/waivers/W-1/expires_s", "1")])
	not waivers_after([fixtures.put("/waivers/W-1/artifact", "x")])
	not waivers_after([fixtures.put("/waivers/W-1/control", "")])
}

builders_after(patches) := value if {
	doc := json.patch({"builders": {"a": {"id": "x", "signers": ["s"], "level": 2}, "b": {"id": "y", "signers": [], "level": 0}}}, patches)
	value := document.builders with input as doc
}

test_passes_when_builders_are_sound if {
	object.keys(builders_after([])) == {"a", "b"}
	builders_after([fixtures.put("/builders", {})]) == {}
}

test_errors_when_builders_have_no_shape if {
	not builders_after([fixtures.remove("/builders")])
	not builders_after([fixtures.put("/builders", [])])
	not builders_after([fixtures.put("/builders/a", null)])
	not builders_after([fixtures.put("/builders/a/id", "")])
	not builders_after([fixtures.put("/builders/a/signers", "s")])
	not builders_after([fixtures.put("/builders/a/signers", [1])])
	not builders_after([fixtures.put("/builders/a/level", "2")])
	not builders_after([fixtures.put("/builders/a/level", -1)])
}
