package gate.tests.deploy.image_pinned_test

import data.gate.controls.deploy.image_pinned
import data.gate.deployed
import data.gate.fixtures
import future.keywords.not

# What the control says of the good document after `patches`: its status, and what it found where.
answer(patches) := [status, {[entry.code, entry.file] | some entry in found}] if {
	doc := deployed.after(patches)
	status := image_pinned.status with input as doc
	found := image_pinned.violations with input as doc
}

whole(patches) := {"evidence": evidence, "reason": reason, "violations": found} if {
	doc := deployed.after(patches)
	evidence := image_pinned.evidence with input as doc
	reason := image_pinned.reason with input as doc
	found := image_pinned.violations with input as doc
}

said(patches) := {entry.message | some entry in whole(patches).violations}

refused(code) := ["fail", {[code, "deploy/app.yaml"]}]

message(text) := {concat(": ", ["Deployment/server", text])}

pod(path, value) := fixtures.put(concat("/", [deployed.at, "pod", path]), value)

own(path, value) := fixtures.put(concat("/", [deployed.container, path]), value)

problem := fixtures.put(concat("/", [deployed.at, "problems"]), ["it is odd"])

test_fails_when_it_cannot_be_judged if {
	answer([problem]) == refused("deploy.image_pinned.unreadable")
	said([problem]) == message("it is odd; not all of it could be judged")
}

test_errors_when_there_are_no_workloads if {
	doc := json.patch(deployed.good, [fixtures.remove("/workloads")])
	status := image_pinned.status with input as doc
	status == "error"
}

test_passes_when_all_images_are_admitted if {
	answer([]) == ["pass", set()]
	whole([]) == {"evidence": set(), "reason": "images that are admitted: 2", "violations": set()}
}

test_is_not_applicable_without_manifests if {
	answer([fixtures.put("/workloads", {})]) == ["not_applicable", set()]
	whole([fixtures.put("/workloads", {})]).reason == "no manifest is configured"
}

test_fails_when_an_image_has_no_digest if {
	answer([own("digest", null)]) == refused("deploy.image_pinned.unpinned")
	said([own("digest", null)]) == message("the image of container server is not named by a SHA-256 digest")
}

test_fails_when_an_image_is_not_admitted if {
	answer([own("digest", deployed.digests.other)]) == refused("deploy.image_pinned.unadmitted")
	text := "the image of container server is no artifact that asks for admission"
	said([own("digest", deployed.digests.other)]) == message(text)
}

test_fails_when_a_mounted_image_is_not_admitted if {
	answer([pod("images/files/digest", deployed.digests.other)]) == refused("deploy.image_pinned.unadmitted")
	text := "the image of volume files is not named by a SHA-256 digest"
	said([pod("images/files/digest", null)]) == message(text)
}

test_fails_when_the_artifact_is_no_container if {
	answer([fixtures.put("/artifacts/server/kind", "package")]) == refused("deploy.image_pinned.unadmitted")
	answer([fixtures.put("/artifacts/server/digest", null)]) == refused("deploy.image_pinned.unadmitted")
}

model := fixtures.put("/artifacts/model", {
	"kind": "weights",
	"digest": deployed.digests.other,
	"path": null,
	"reference": "registry.example/model@sha256:ef",
	"mutable_reference": false,
	"files": {},
})

test_passes_when_what_is_mounted_asks_as_weights if {
	answer([model, pod("images/files/digest", deployed.digests.other)]) == ["pass", set()]
	whole([model, pod("images/files/digest", deployed.digests.other)]).reason == "images that are admitted: 2"
}

test_fails_when_weights_run if {
	answer([model, own("digest", deployed.digests.other)]) == refused("deploy.image_pinned.unadmitted")
}

test_fails_when_what_is_mounted_asks_as_files_or_as_something_else if {
	mounts := pod("images/files/digest", deployed.digests.other)
	files := [fixtures.put("/artifacts/model/reference", null), fixtures.put("/artifacts/model/path", "model")]
	answer(array.concat([model, mounts], files)) == refused("deploy.image_pinned.unadmitted")
	answer([model, mounts, fixtures.put("/artifacts/model/kind", "dataset")]) == refused("deploy.image_pinned.unadmitted")
	answer([model, mounts, fixtures.put("/artifacts/model/digest", null)]) == refused("deploy.image_pinned.unadmitted")
}

test_errors_when_there_are_no_artifacts if {
	[status, _] := answer([fixtures.remove("/artifacts")])
	status == "error"
}

test_fails_when_a_mounted_image_is_not_told if {
	answer([pod("images", {})]) == refused("deploy.image_pinned.unpinned")
	answer([pod("volumes/files", "several"), pod("images", {})]) == refused("deploy.image_pinned.unpinned")
	answer([pod("volumes/files", "secret"), pod("images", {})]) == ["pass", set()]
}

proven(patches) := found if {
	doc := deployed.after(patches)
	found := image_pinned.proved with input as doc
}

test_proves_only_what_is_good if {
	proven([]) == {deployed.id}
	proven([own("digest", null)]) == set()
	proven([problem]) == set()
	proven([own("digest", deployed.digests.other)]) == set()
}
