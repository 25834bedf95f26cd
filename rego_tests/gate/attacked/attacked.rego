# METADATA
# title: Attacked in tests
# description: |
#   A document with a prompt that garak attacked twice, once by way of the statement about it. Tests change it by
#   `json.patch`.
package gate.attacked

import future.keywords.not

now_s := 1795176000

digests := {
	"prompt": "sha256:e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
	"run": "sha256:e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2",
	"other": "sha256:e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
	"tree": "sha256:e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4",
	"file": "sha256:e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5",
}

good := {
	"context": {"now_s": now_s},
	"parameters": {"eval.safety": {"probes": ["dan.Dan", "leak.Replay"], "minimum": 900000}},
	"artifacts": {"prompts": {
		"kind": "prompt",
		"digest": digests.tree,
		"path": "app",
		"reference": null,
		"mutable_reference": false,
		"files": {"system.txt": {"digest": digests.file, "format": "text"}},
	}},
	"attestations": {
		digests.prompt: statement("prompt", ["prompts"], [], {}),
		digests.run: statement("eval", [], [digests.prompt], facts("garak 0.13.1", {
			"dan.Dan/dan.DAN": share(950000),
			"dan.Dan/refusal": share(900000),
		})),
		digests.other: statement("eval", ["prompts"], [], facts("promptfoo", {"leak.Replay": share(1000000)})),
	},
	"claims": {
		"prompt": {"all": [digests.prompt], "by_artifact": {"prompts": [digests.prompt]}},
		"eval": {"all": [digests.run, digests.other], "by_artifact": {"prompts": [digests.other]}},
	},
}

statement(claim, artifacts, before, said) := {
	"claim": claim,
	"artifacts": artifacts,
	"facts": object.union({"collected": true, "result": null, "decision": null}, said),
	"signers": [{"name": "tester"}],
	"signed_at": {"source": "none", "at_s": 0},
	"stated_at_s": now_s - 86400,
	"depends_on": before,
	"ancestors": before,
}

facts(harness, metrics) := {
	"result": "passed",
	"harness": harness,
	"suite": "attacks",
	"samples": {"evaluated": 100, "expected": 100},
	"metrics": metrics,
	"thresholds": {},
	"tolerances": {},
}

share(value) := {"candidate": {"low": value, "high": value}, "baseline": null, "better": "higher"}

after(patches) := json.patch(good, patches)

put(path, value) := {"op": "add", "path": path, "value": value}

remove(path) := {"op": "remove", "path": path}
