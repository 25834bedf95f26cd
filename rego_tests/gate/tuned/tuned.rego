# METADATA
# title: A model with an adapter
# description: A document with data, weights, an adapter and a plugin. Tests change it by `json.patch`.
package gate.tuned

import data.gate.fixtures
import future.keywords.not

digests := {
	"sigbase": "sha256:e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1",
	"sigstyle": "sha256:e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2e2",
	"pretraining": "sha256:e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
	"training": "sha256:e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4",
	"dataset": "sha256:e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5",
	"plugin": "sha256:e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6e6",
	"review": "sha256:e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7e7",
	"approval": "sha256:e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8e8",
	"other": "sha256:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef",
}

# Digests of whole artifacts, and those under which their signatures list all files.
whole := {
	"base": "sha256:b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1",
	"style": "sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
	"rows": "sha256:b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3",
	"tools": "sha256:b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4",
}

roots := {
	"base": "sha256:c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
	"style": "sha256:c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2",
}

good := {
	"context": {"now_s": 1795176000},
	"parameters": {
		"approval.human": {
			"minimum": 1,
		},
		"plugin.vetted": {
			"permissions": ["read"],
		},
	},
	"artifacts": artifacts,
	"change": {"status": "everything", "merge_base": null, "head": null, "dirty": false, "files": {}},
	"gates": {},
	"attestations": {digests[name]: statement | some name, statement in statements},
	"claims": {
		"artifact.signature": {
			"all": [digests.sigbase, digests.sigstyle],
			"by_artifact": {
				"base": [digests.sigbase],
				"style": [digests.sigstyle],
			},
		},
		"training.provenance": {
			"all": [digests.pretraining, digests.training],
			"by_artifact": {
				"base": [digests.pretraining],
				"style": [digests.training],
			},
		},
		"dataset": {
			"all": [digests.dataset],
			"by_artifact": {
				"rows": [digests.dataset],
			},
		},
		"plugin": {
			"all": [digests.plugin],
			"by_artifact": {
				"tools": [digests.plugin],
			},
		},
		"review": {
			"all": [digests.review],
			"by_artifact": {
				"tools": [digests.review],
			},
		},
		"approval": {
			"all": [digests.approval],
			"by_artifact": {
				"base": [digests.approval],
				"rows": [digests.approval],
				"style": [digests.approval],
				"tools": [digests.approval],
			},
		},
	},
	"rejected": {},
	"waivers": {
		"W-1": {
			"control": "scan.malware",
			"artifact": whole.base,
			"finding": null,
			"expires_s": 1797000000,
			"state": "active",
		},
		"W-2": {
			"control": "scan.malware",
			"artifact": "sha256:9999999999999999999999999999999999999999999999999999999999999999",
			"finding": null,
			"expires_s": 1,
			"state": "expired",
		},
	},
}

artifacts := {
	"base": {
		"kind": "weights",
		"digest": whole.base,
		"path": "models/base",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"config.json": {
				"digest": "sha256:0202020202020202020202020202020202020202020202020202020202020202",
				"format": "json",
			},
			"model.safetensors": {
				"digest": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
				"format": "safetensors",
			},
		},
	},
	"style": {
		"kind": "adapter",
		"digest": whole.style,
		"path": "models/style",
		"reference": null,
		"mutable_reference": false,
		"base": "base",
		"files": {
			"adapter.safetensors": {
				"digest": "sha256:0303030303030303030303030303030303030303030303030303030303030303",
				"format": "safetensors",
			},
		},
	},
	"rows": {
		"kind": "dataset",
		"digest": whole.rows,
		"path": "data/rows",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"rows.csv": {
				"digest": "sha256:0404040404040404040404040404040404040404040404040404040404040404",
				"format": "text",
			},
		},
	},
	"tools": {
		"kind": "plugin",
		"digest": whole.tools,
		"path": "tools",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"search.json": {
				"digest": "sha256:0505050505050505050505050505050505050505050505050505050505050505",
				"format": "json",
			},
		},
	},
}

unlogged := {"at_s": 0, "source": "none"}

statements := {
	"sigbase": {
		"claim": "artifact.signature",
		"artifacts": ["base"],
		"signers": [{
			"name": "release",
			"kind": "key",
			"spki": "sha256:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1": {
				"name": "base",
			},
		},
		"stated_at_s": 1795170001,
		"depends_on": [],
		"ancestors": [],
		"facts": {
			"files": {
				"config.json": "sha256:0202020202020202020202020202020202020202020202020202020202020202",
				"model.safetensors": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
			},
		},
		"signed_at": unlogged,
	},
	"sigstyle": {
		"claim": "artifact.signature",
		"artifacts": ["style"],
		"signers": [{
			"name": "release",
			"kind": "key",
			"spki": "sha256:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2c2": {
				"name": "style",
			},
		},
		"stated_at_s": 1795170002,
		"depends_on": [],
		"ancestors": [],
		"facts": {
			"files": {
				"adapter.safetensors": "sha256:0303030303030303030303030303030303030303030303030303030303030303",
			},
		},
		"signed_at": unlogged,
	},
	"pretraining": {
		"claim": "training.provenance",
		"artifacts": ["base"],
		"signers": [{
			"name": "trainer",
			"kind": "key",
			"spki": "sha256:d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:0101010101010101010101010101010101010101010101010101010101010101": {
				"name": "models/base/model.safetensors",
			},
			"sha256:0202020202020202020202020202020202020202020202020202020202020202": {
				"name": "models/base/config.json",
			},
		},
		"stated_at_s": 1795170003,
		"depends_on": [digests.dataset],
		"ancestors": [digests.dataset],
		"facts": {
			"result": null,
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"method": "training",
			"base": {},
			"datasets": {
				"rows": whole.rows,
			},
			"code": {
				"repository": "https://code.example/app",
				"commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				"dirty": false,
			},
		},
		"signed_at": unlogged,
	},
	"training": {
		"claim": "training.provenance",
		"artifacts": ["style"],
		"signers": [{
			"name": "trainer",
			"kind": "key",
			"spki": "sha256:d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2d2",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:0303030303030303030303030303030303030303030303030303030303030303": {
				"name": "models/style/adapter.safetensors",
			},
		},
		"stated_at_s": 1795170004,
		"depends_on": [digests.dataset],
		"ancestors": [digests.dataset],
		"facts": {
			"result": null,
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"method": "fine-tuning",
			"base": {
				"base": whole.base,
			},
			"datasets": {
				"rows": whole.rows,
			},
			"code": {
				"repository": "https://code.example/app",
				"commit": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
				"dirty": false,
			},
		},
		"signed_at": unlogged,
	},
	"dataset": {
		"claim": "dataset",
		"artifacts": ["rows"],
		"signers": [{
			"name": "owner",
			"kind": "key",
			"spki": "sha256:d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:0404040404040404040404040404040404040404040404040404040404040404": {
				"name": "data/rows/rows.csv",
			},
		},
		"stated_at_s": 1795170000,
		"depends_on": [],
		"ancestors": [],
		"facts": {
			"result": null,
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"owner": "data team",
			"classification": "internal",
			"license": "CC0-1.0",
			"personal_data": false,
			"sources": {},
		},
		"signed_at": unlogged,
	},
	"plugin": {
		"claim": "plugin",
		"artifacts": ["tools"],
		"signers": [{
			"name": "owner",
			"kind": "key",
			"spki": "sha256:d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:0505050505050505050505050505050505050505050505050505050505050505": {
				"name": "tools/search.json",
			},
		},
		"stated_at_s": 1795170006,
		"depends_on": [],
		"ancestors": [],
		"facts": {
			"result": null,
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"tools": {
				"search": {
					"descriptor": "sha256:0505050505050505050505050505050505050505050505050505050505050505",
					"permissions": ["read"],
				},
			},
			"transport": null,
		},
		"signed_at": unlogged,
	},
	"review": {
		"claim": "review",
		"artifacts": ["tools"],
		"signers": [{
			"name": "reviewer",
			"kind": "key",
			"spki": "sha256:d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4",
			"issuer": null,
			"subject": null,
		}],
		"subjects": {
			"sha256:0505050505050505050505050505050505050505050505050505050505050505": {
				"name": "tools/search.json",
			},
		},
		"stated_at_s": 1795170007,
		"depends_on": [],
		"ancestors": [],
		"facts": {
			"result": null,
			"decision": "approved",
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"scope": null,
		},
		"signed_at": unlogged,
	},
	"approval": {
		"claim": "approval",
		"artifacts": ["base", "rows", "style", "tools"],
		"signers": [{
			"name": "approver",
			"kind": "identity",
			"spki": "sha256:d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9d9",
			"issuer": "https://issuer.example",
			"subject": "approver@example.com",
		}],
		"subjects": {
			"sha256:0101010101010101010101010101010101010101010101010101010101010101": {
				"name": "model.safetensors",
			},
			"sha256:0202020202020202020202020202020202020202020202020202020202020202": {
				"name": "config.json",
			},
			"sha256:0303030303030303030303030303030303030303030303030303030303030303": {
				"name": "adapter.safetensors",
			},
			"sha256:0404040404040404040404040404040404040404040404040404040404040404": {
				"name": "rows.csv",
			},
			"sha256:0505050505050505050505050505050505050505050505050505050505050505": {
				"name": "search.json",
			},
		},
		"stated_at_s": 1795170008,
		"depends_on": [],
		"ancestors": [],
		"facts": {
			"result": null,
			"decision": "approved",
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"scope": null,
		},
		"signed_at": unlogged,
	},
}

# METADATA
# description: Where the field of a statement lies, by its name.
at(name, field) := sprintf("/attestations/%s/%s", [digests[name], field])

# METADATA
# description: A patch that sets a field of a statement.
put(name, field, value) := fixtures.put(at(name, field), value)

# METADATA
# description: A patch that removes a field of a statement.
remove(name, field) := fixtures.remove(at(name, field))

# METADATA
# description: Patches after which a statement covers only these artifacts.
cover(name, covered) := [
	put(name, "artifacts", covered),
	fixtures.put(concat("/", ["/claims", statements[name].claim, "by_artifact"]), {artifact: listed |
		some artifact in {one | some other in statements; some one in other.artifacts}
		listed := sort({digests[other] |
			some other, statement in statements
			statement.claim == statements[name].claim
			artifact in object.get({name: covered}, other, statement.artifacts)
		})
		count(listed) > 0
	}),
]

# METADATA
# description: Patches that add a statement like another one, with some fields of its own.
add(like, parts) := [
	fixtures.put(concat("/", ["/attestations", digests.other]), statement),
	fixtures.put(concat("/", ["/claims", statement.claim]), {
		"all": array.concat(entry.all, [digests.other]),
		"by_artifact": {artifact: listed |
			some artifact in (object.keys(entry.by_artifact) | {one | some one in statement.artifacts})
			listed := array.concat(
				object.get(entry.by_artifact, artifact, []),
				[digests.other | artifact in statement.artifacts],
			)
		},
	}),
] if {
	statement := object.union(object.remove(statements[like], object.keys(parts)), parts)
	entry := object.get(good.claims, statement.claim, {"all": [], "by_artifact": {}})
}

# METADATA
# description: A signer with a key.
key(digits) := {"name": digits, "kind": "key", "spki": spki, "issuer": null, "subject": null} if {
	spki := sprintf("sha256:%s%s", [substring(digests.other, 7, 60), digits])
}

# METADATA
# description: The good document after some patches.
after(patches) := json.patch(good, patches)
