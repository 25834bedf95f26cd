# METADATA
# title: An application built on a language model
# description: A document that the controls for such applications pass. Tests change it by `json.patch`.
package gate.application

import data.gate.fixtures
import future.keywords.not

digests := {
	"prompt": "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
	"corpus": "sha256:a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2",
	"eval": "sha256:a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3",
	"route": "sha256:a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4",
	"slo": "sha256:a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
	"other": "sha256:afafafafafafafafafafafafafafafafafafafafafafafafafafafafafafafaf",
}

good := {
	"context": {"now_s": 1795176000},
	"parameters": {"eval.binds": {"kinds": ["corpus", "prompt"]}, "privacy.plaintext": {"allow": []}},
	"artifacts": artifacts,
	"change": {"status": "everything", "merge_base": null, "head": null, "dirty": false, "files": {}},
	"gates": {},
	"attestations": {digests[claim]: statement |
		some claim, parts in statements
		statement := object.union(signed, parts)
	},
	"claims": {claim: entry |
		some claim, parts in statements
		entry := {"all": [digests[claim]], "by_artifact": {parts.artifacts[0]: [digests[claim]]}}
	},
	"rejected": {},
	"waivers": {},
}

artifacts := {
	"prompts": {
		"kind": "prompt",
		"digest": "sha256:b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1",
		"path": "app",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"policy.yaml": {
				"digest": "sha256:0202020202020202020202020202020202020202020202020202020202020202",
				"format": "text",
			},
			"system.txt": {
				"digest": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
				"format": "text",
			},
		},
	},
	"documents": {
		"kind": "corpus",
		"digest": "sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
		"path": "data",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"manifest.json": {
				"digest": "sha256:0404040404040404040404040404040404040404040404040404040404040404",
				"format": "text",
			},
			"one.txt": {
				"digest": "sha256:0303030303030303030303030303030303030303030303030303030303030303",
				"format": "text",
			},
		},
	},
	"evaluation": {
		"kind": "evaluation",
		"digest": "sha256:b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3b3",
		"path": "eval",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"testset.json": {
				"digest": "sha256:0505050505050505050505050505050505050505050505050505050505050505",
				"format": "text",
			},
		},
	},
	"routes": {
		"kind": "route",
		"digest": "sha256:b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4b4",
		"path": "route",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"route.yaml": {
				"digest": "sha256:0606060606060606060606060606060606060606060606060606060606060606",
				"format": "text",
			},
		},
	},
	"levels": {
		"kind": "slo",
		"digest": "sha256:b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5",
		"path": "slo",
		"reference": null,
		"mutable_reference": false,
		"base": null,
		"files": {
			"query.promql": {
				"digest": "sha256:0707070707070707070707070707070707070707070707070707070707070707",
				"format": "text",
			},
		},
	},
}

signed := {
	"signers": [{
		"name": "release",
		"kind": "key",
		"spki": "sha256:d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1",
		"issuer": null,
		"subject": null,
	}],
	"signed_at": {
		"at_s": 0,
		"source": "none",
	},
}

# By claim.
statements := {
	"prompt": {
		"claim": "prompt",
		"artifacts": ["prompts"],
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
			"roles": {
				"system_prompt": ["app/system.txt"],
				"safety_policy": ["app/policy.yaml"],
				"templates": [],
				"tool_schemas": [],
				"render_config": [],
				"test_suite": [],
			},
			"sensitivity_labels": ["internal"],
		},
	},
	"corpus": {
		"claim": "corpus",
		"artifacts": ["documents"],
		"stated_at_s": 1795170001,
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
			"roles": {
				"connector_configs": [],
				"document_manifest": ["data/manifest.json"],
				"documents": ["data/one.txt"],
				"chunking_config": [],
				"embedding_input": [],
				"vector_index": [],
			},
			"documents": {
				"count": 1,
				"root": "sha256:c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1",
			},
		},
	},
	"eval": {
		"claim": "eval",
		"artifacts": ["evaluation"],
		"stated_at_s": 1795170002,
		"depends_on": [digests.prompt, digests.corpus],
		"ancestors": [digests.prompt, digests.corpus],
		"facts": {
			"result": "passed",
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"roles": {
				"testset": ["eval/testset.json"],
				"scoring_config": [],
				"baseline_results": [],
				"candidate_results": [],
				"run_environment": [],
			},
			"suite": "suite-1",
			"samples": {
				"evaluated": 200,
				"expected": 200,
			},
			"metrics": {
				"accuracy": {
					"candidate": {
						"low": 910000,
						"high": 910000,
					},
					"baseline": {
						"low": 880000,
						"high": 880000,
					},
					"better": "higher",
				},
				"latency_s": {
					"candidate": {
						"low": 333333,
						"high": 333334,
					},
					"baseline": {
						"low": 333333,
						"high": 333334,
					},
					"better": "lower",
				},
			},
			"thresholds": {
				"accuracy": {
					"min": 800000,
					"max": null,
				},
				"latency_s": {
					"min": null,
					"max": 500000,
				},
			},
			"tolerances": {
				"accuracy": 10000,
			},
		},
	},
	"route": {
		"claim": "route",
		"artifacts": ["routes"],
		"stated_at_s": 1795170003,
		"depends_on": [digests.eval],
		"ancestors": [digests.prompt, digests.corpus, digests.eval],
		"facts": {
			"result": null,
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"roles": {
				"route_config": ["route/route.yaml"],
				"budget_policy": ["route/budget.yaml"],
				"fallback_graph": ["route/fallback.json"],
				"canary_config": [],
				"simulation_result": [],
			},
			"strategy": "static",
			"providers": [{
				"provider": "local",
				"model": "a",
			}],
		},
	},
	"slo": {
		"claim": "slo",
		"artifacts": ["levels"],
		"stated_at_s": 1795170004,
		"depends_on": [digests.route],
		"ancestors": [digests.prompt, digests.corpus, digests.eval, digests.route],
		"facts": {
			"result": null,
			"decision": null,
			"collected": true,
			"privacy": {
				"mode": "hash_only",
				"payloads": [],
			},
			"roles": {
				"observability_query": ["slo/query.promql"],
			},
			"profile": "slo-1",
			"window": {
				"start_s": 1793491200,
				"end_s": 1795132800,
			},
			"objectives": {
				"ttft_ms_p50": 100000000,
				"ttft_ms_p95": 300000000,
				"tokens_per_sec_p50": 40000000,
				"cost_per_1k_tokens_cap_usd": 500000,
				"error_rate_cap": 10000,
				"error_budget_remaining": 900000,
			},
		},
	},
}

# METADATA
# description: Where the field of a statement lies, by its claim.
at(claim, field) := sprintf("/attestations/%s/%s", [digests[claim], field])

# METADATA
# description: A patch that sets a field of a statement.
put(claim, field, value) := fixtures.put(at(claim, field), value)

# METADATA
# description: A patch that removes a field of a statement.
remove(claim, field) := fixtures.remove(at(claim, field))

# METADATA
# description: Patches that take away what covers the artifact of a claim.
uncover(claim) := [
	put(claim, "artifacts", []),
	fixtures.put(concat("/", ["/claims", claim, "by_artifact"]), {}),
]

# METADATA
# description: Patches that take a statement away, with all that says of it.
drop(claim) := [
	fixtures.remove(concat("/", ["/attestations", digests[claim]])),
	fixtures.remove(concat("/", ["/claims", claim])),
]

# METADATA
# description: The good document after some patches.
after(patches) := json.patch(good, patches)
