# METADATA
# title: An image and a package
# description: |
#   What was built from a commit, with statements about the build, the commit, the project and the people. Tests change
#   it by `json.patch`; statements are at `/statements/<name>`, and the index of claims follows them.
package gate.built

import future.keywords.not

digests := {
	"image": "sha256:b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1",
	"wheel": "sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
	"tree": "sha256:b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3",
	"sigserver": "sha256:c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
	"sigwheel": "sha256:c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2",
	"provserver": "sha256:c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3",
	"provwheel": "sha256:c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4",
	"summary": "sha256:c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5",
	"scorecard": "sha256:c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6c6",
	"approval": "sha256:c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7",
	"tests": "sha256:c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8c8",
	"other": "sha256:c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9",
	"more": "sha256:cacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacaca",
}

commit := "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

base := {
	"context": {"now_s": 1795176000},
	"parameters": {
		"build.level": {"minimum": 2},
		"build.parameters": {"expected": {"https://builder.example/workflow/v1": {
			"source": "https://code.example/acme/app",
			"refs": ["refs/heads/main", "refs/tags/v*"],
			"values": {"inputs.flavour": ["full", "small"]},
			"ignore": ["workflow.*", "debug"],
		}}},
		"project.health": {"limit": 6000, "checks": {"Code-Review": 8000}},
		"source.reviewed": {"level": 3},
	},
	"artifacts": artifacts,
	"builders": {
		"hosted": {"id": "https://builder.example/hosted", "signers": ["builder", "ci"], "level": 3},
		"own": {"id": "https://builder.example/own", "signers": ["ci"], "level": 1},
	},
	"change": {"status": "everything", "merge_base": null, "head": null, "dirty": false, "files": {}},
	"gates": {},
	"rejected": {},
	"waivers": {},
	"statements": statements,
}

artifacts := {
	"server": {
		"kind": "container",
		"digest": digests.image,
		"path": null,
		"reference": "images.example.com/server",
		"mutable_reference": false,
		"base": null,
		"files": {},
	},
	"wheel": {
		"kind": "package",
		"digest": digests.wheel,
		"path": "dist/app.whl",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {"app.whl": {"digest": digests.wheel, "format": "zip"}},
	},
}

account(name) := {"name": name, "kind": "identity", "spki": null, "issuer": issuer, "subject": subject} if {
	issuer := "https://issuer.example"
	subject := sprintf("%s@example.com", [name])
}

silent := {"at_s": 0, "source": "none"}

linked := {"depends_on": [], "ancestors": [], "log": {"included": false}, "signed_at": silent}

facts := {
	"builder_id": "https://builder.example/hosted",
	"build_type": "https://builder.example/workflow/v1",
	"dependencies": {"git+https://code.example/acme/app": {"gitCommit": commit}},
	"source": {
		"uri": "git+https://code.example/acme/app.git",
		"ref": "refs/tags/v1.2",
		"digests": {"gitCommit": commit},
	},
	"parameters": {"inputs.flavour": "full", "workflow.path": "release.yml"},
}

decided := {
	"result": null,
	"decision": "approved",
	"collected": true,
	"privacy": {"mode": "hash_only", "payloads": []},
	"scope": null,
}

statements := {name: object.union(linked, parts) | some name, parts in told}

told := {
	"sigserver": {
		"claim": "artifact.signature",
		"artifacts": ["server"],
		"subjects": {digests.image: {"name": ""}},
		"signers": [{"name": "release", "kind": "key", "spki": "sha256:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1", "issuer": null, "subject": null}],
		"stated_at_s": null,
		"log": {"included": true},
		"signed_at": {"at_s": 1795170000, "source": "log"},
		"facts": {"files": {}},
	},
	"sigwheel": {
		"claim": "artifact.signature",
		"artifacts": ["wheel"],
		"subjects": {digests.wheel: {"name": "app.whl"}},
		"signers": [{"name": "release", "kind": "key", "spki": "sha256:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1", "issuer": null, "subject": null}],
		"stated_at_s": null,
		"signed_at": {"at_s": 1795170000, "source": "timestamp-authority"},
		"facts": {"files": {"app.whl": digests.wheel}},
	},
	"provserver": {
		"claim": "build.provenance",
		"artifacts": ["server"],
		"subjects": {digests.image: {"name": "server"}},
		"signers": [account("builder")],
		"stated_at_s": 1795160000,
		"facts": facts,
	},
	"provwheel": {
		"claim": "build.provenance",
		"artifacts": ["wheel"],
		"subjects": {digests.wheel: {"name": "app.whl"}},
		"signers": [account("builder")],
		"stated_at_s": 1795160000,
		"facts": object.union(object.remove(facts, ["source"]), {"source": {
			"uri": "https://code.example/acme/app",
			"ref": "refs/heads/main",
			"digests": {"sha1": commit},
		}}),
	},
	"summary": {
		"claim": "source.summary",
		"artifacts": [],
		"subjects": {},
		"signers": [{"name": "verifier", "kind": "key", "spki": "sha256:d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2", "issuer": null, "subject": null}],
		"stated_at_s": 1795150000,
		"facts": {
			"commit": commit,
			"repository": "git+https://code.example/acme/app",
			"refs": ["refs/heads/main"],
			"result": "passed",
			"levels": ["SLSA_SOURCE_LEVEL_3", "ORG_SOURCE_REVIEWED"],
			"verifier_id": "https://verifier.example",
			"time_verified_s": 1795150000,
		},
	},
	"scorecard": {
		"claim": "scorecard",
		"artifacts": [],
		"subjects": {},
		"signers": [{"name": "health", "kind": "key", "spki": "sha256:d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3", "issuer": null, "subject": null}],
		"stated_at_s": 1795150000,
		"facts": {
			"repository": "code.example/acme/app",
			"commit": commit,
			"tool_version": "v5.0.0",
			"score_bp": 7100,
			"checks": {"Code-Review": {"score_bp": 9000}, "Fuzzing": {"score_bp": null}},
			"made_at_s": 1795150000,
		},
	},
	"approval": {
		"claim": "approval",
		"artifacts": ["server", "wheel"],
		"subjects": {digests.image: {"name": "server"}, digests.wheel: {"name": "dist/app.whl"}},
		"signers": [account("approver")],
		"stated_at_s": 1795170008,
		"facts": decided,
	},
	"tests": {
		"claim": "test.result",
		"artifacts": ["server", "wheel"],
		"subjects": {digests.image: {"name": "server"}, digests.wheel: {"name": "app.whl"}},
		"signers": [{"name": "tester", "kind": "key", "spki": "sha256:d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4", "issuer": null, "subject": null}],
		"stated_at_s": 1795165000,
		"facts": {"result": "passed", "passed": 3, "warned": 0, "failed": 0},
	},
}

# METADATA
# description: The document after some patches of what is told.
after(patches) := document(json.patch(base, patches))

document(story) := object.union(object.remove(story, ["statements"]), {"attestations": verified, "claims": claims}) if {
	verified := {digests[name]: statement | some name, statement in story.statements}
	named := {[statement.claim, name] | some statement in verified; some name in statement.artifacts}
	claims := {claim: {"all": everything, "by_artifact": about} |
		some claim in {statement.claim | some statement in verified}
		everything := [digest | some digest, statement in verified; statement.claim == claim]
		about := {name: found |
			some [one, name] in named
			one == claim
			found := [digest |
				some digest, statement in verified
				statement.claim == claim
				name in statement.artifacts
			]
		}
	}
}

# METADATA
# description: A patch that sets a field of a statement.
put(name, field, value) := {"op": "add", "path": sprintf("/statements/%s/%s", [name, field]), "value": value}

# METADATA
# description: A patch that removes a field of a statement.
remove(name, field) := {"op": "remove", "path": sprintf("/statements/%s/%s", [name, field])}

# METADATA
# description: A patch that takes a statement away.
drop(name) := {"op": "remove", "path": sprintf("/statements/%s", [name])}

# METADATA
# description: A patch that adds a statement like another one, with some fields of its own.
add(name, like, parts) := {"op": "add", "path": sprintf("/statements/%s", [name]), "value": statement} if {
	statement := object.union(object.remove(statements[like], object.keys(parts)), parts)
}
