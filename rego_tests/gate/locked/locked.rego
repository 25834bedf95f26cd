# METADATA
# title: A package with lock files
# description: A document with two lock files, of which one package is attested. Tests change it by `json.patch`.
package gate.locked

import future.keywords.not

digests := {
	"publication": "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
	"provenance": "sha256:a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2",
	"wheel": "sha256:0101010101010101010101010101010101010101010101010101010101010101",
	"source": "sha256:0202020202020202020202020202020202020202020202020202020202020202",
	"crate": "sha256:0303030303030303030303030303030303030303030303030303030303030303",
	"tree": "sha256:b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1b1",
	"other": "sha256:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef",
}

good := {
	"parameters": {"deps.pinned": {
		"attested": ["Torch_Lite"],
		"own": ["app"],
	}},
	"artifacts": {"service": {
		"kind": "package",
		"digest": digests.tree,
		"path": "service",
		"reference": null,
		"mutable_reference": false,
		"files": {
			"Cargo.lock": {"digest": digests.other, "format": "unknown"},
			"uv.lock": {"digest": digests.other, "format": "unknown"},
		},
	}},
	"attestations": {
		digests.publication: statement("package.publication"),
		digests.provenance: statement("build.provenance"),
	},
	"claims": {
		"package.publication": {"all": [digests.publication], "by_artifact": {}},
		"build.provenance": {"all": [digests.provenance], "by_artifact": {}},
	},
	"dependencies": {"service": {
		"Cargo.lock": {
			"format": "cargo",
			"problems": [],
			"packages": {
				"app@0.1.0": package_("app", "0.1.0", [], {"local": true, "pinned": false}),
				"serde@1.0.0": package_("serde", "1.0.0", [digests.crate], {}),
			},
		},
		"uv.lock": {
			"format": "uv",
			"problems": [],
			"packages": {"torch-lite@2.0": package_("torch-lite", "2.0", [digests.wheel, digests.source], {"attested": {
				digests.wheel: [digests.publication],
				digests.source: [digests.provenance],
			}})},
		},
	}},
}

package_(name, version, hashes, changes) := object.union(
	{
		"name": name,
		"version": version,
		"pinned": true,
		"digests": hashes,
		"source": null,
		"local": false,
		"attested": {},
	},
	changes,
)

# METADATA
# description: A lock file with one package.
lock(format, name, pinned) := {
	"format": format,
	"problems": [],
	"packages": {sprintf("%s@1", [name]): package_(name, "1", [digests.crate], {"pinned": pinned})},
}

statement(claim) := {
	"claim": claim,
	"artifacts": [],
	"facts": {},
	"signers": [{"name": "index"}],
	"signed_at": {"at_s": 1795170000, "source": "log"},
	"stated_at_s": null,
	"depends_on": [],
	"ancestors": [],
}

# METADATA
# description: The good document after some changes.
after(patches) := json.patch(good, patches)
