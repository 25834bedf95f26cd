# METADATA
# title: Bills of materials
# description: Models, data and an image, and what SBOMs and statements say of them. Tests change it by `json.patch`.
package gate.materials

import data.gate.fixtures
import future.keywords.not

# METADATA
# description: The digest of a thing, by one digit of its own.
digest(digit) := sprintf("sha256:%s", [bare(digit)])

# METADATA
# description: The same without the name of the algorithm.
bare(digit) := replace("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "x", digit)

whole := {"base": digest("1"), "style": digest("2"), "rows": digest("3"), "mail": digest("4"), "server": digest("5")}

content := {
	"config": digest("6"),
	"weights": digest("7"),
	"adapter": digest("8"),
	"first": digest("9"),
	"second": digest("a"),
	"letters": digest("b"),
}

digests := {
	"bombase": digest("c"),
	"bomstyle": digest("d"),
	"bomrest": digest("e"),
	"data": digest("f"),
	"card": digest("0"),
	"prov": sprintf("sha256:%s1", [substring(bare("0"), 0, 63)]),
	"rejected": sprintf("sha256:%s2", [substring(bare("0"), 0, 63)]),
	"other": sprintf("sha256:%s3", [substring(bare("0"), 0, 63)]),
}

good := {
	"context": {"now_s": 1795176000},
	"parameters": {
		"dataset.governed": {"personal_data": true, "licenses": ["CC0-1.0", "CC-BY-4.0"]},
		"model.card": {"required": ["intended_use", "limitations", "license"]},
		"model.license": {
			"allowed": ["Apache-2.0", "CC-BY-4.0", "CC0-1.0", "MIT"],
			"kinds": ["adapter", "container", "dataset", "weights"],
		},
		"sbom.complete": {"kinds": ["adapter", "container", "dataset", "weights"], "accept_spdx_2": true},
		"sbom.signed": {"kinds": ["adapter", "container", "dataset", "weights"], "apart_from": ["build.provenance"]},
	},
	"artifacts": artifacts,
	"attestations": {digests[name]: statement | some name, statement in statements},
	"claims": {
		"sbom": {
			"all": [digests.bombase, digests.bomstyle, digests.bomrest],
			"by_artifact": {
				"base": [digests.bombase],
				"style": [digests.bomstyle],
				"mail": [digests.bomrest],
				"rows": [digests.bomrest],
				"server": [digests.bomrest],
			},
		},
		"dataset": {"all": [digests.data], "by_artifact": {"mail": [digests.data]}},
		"model.card": {"all": [digests.card], "by_artifact": {"style": [digests.card]}},
		"build.provenance": {"all": [digests.prov], "by_artifact": {"server": [digests.prov]}},
	},
	"rejected": {digests.rejected: {
		"origin": "attestations/other.json",
		"code": "signature.unknown_key",
		"concern": "at_stake",
		"claimed": "plugin",
		"artifacts": ["server"],
	}},
}

artifacts := {
	"base": on_disk("base", "weights", {
		"config.json": file("config", "json"),
		"model.safetensors": file("weights", "safetensors"),
	}),
	"style": on_disk("style", "adapter", {"adapter.safetensors": file("adapter", "safetensors")}),
	"rows": on_disk("rows", "dataset", {"first.csv": file("first", "text"), "second.csv": file("second", "text")}),
	"mail": on_disk("mail", "dataset", {"letters.csv": file("letters", "text")}),
	"server": {
		"kind": "container",
		"digest": whole.server,
		"path": null,
		"reference": "images.example.com/server",
		"mutable_reference": true,
		"files": {},
	},
}

on_disk(name, kind, files) := {
	"kind": kind,
	"digest": whole[name],
	"path": concat("/", ["things", name]),
	"reference": null,
	"mutable_reference": false,
	"files": files,
}

file(name, format) := {"digest": content[name], "format": format}

statements := {
	# Its files are components, and its root is the model.
	"bombase": said("sbom", "auditor", ["base"], ["config", "weights"], {
		"format": "cyclonedx",
		"version": "1.6",
		"root": "model",
		"completeness": "complete",
		"components": {
			"model": {"digests": {}, "licenses": ["Apache-2.0"]},
			"config": component("config", []),
			"weights": component("weights", []),
		},
		"cards": {"model": {"intended_use": "summaries", "limitations": ["English only"]}},
		"datasets": {},
	}),
	# It is a component, and its card is a statement of its own.
	"bomstyle": said("sbom", "auditor", ["style"], ["adapter"], {
		"format": "spdx",
		"version": "SPDX-2.3",
		"root": "style",
		"completeness": "unknown",
		"components": {"style": {"digests": {"sha256": bare("2")}, "licenses": []}},
		"cards": {},
		"datasets": {},
	}),
	# About three things: each is a component, or each of its files is.
	"bomrest": said("sbom", "auditor", ["mail", "rows", "server"], ["first", "letters", "second"], {
		"format": "spdx",
		"version": "3.0.1",
		"root": "things",
		"completeness": "complete",
		"components": {
			"first": component("first", ["CC0-1.0"]),
			"second": component("second", ["CC0-1.0"]),
			"mail": {"digests": {"sha256": bare("4")}, "licenses": []},
			"server": {"digests": {"sha256": bare("5")}, "licenses": ["MIT"]},
			"things": {"digests": {}, "licenses": []},
		},
		"cards": {},
		"datasets": {
			"first": {"owner": "data team", "classification": "internal", "personal_data": true, "licenses": []},
			"second": {"owner": "data team", "classification": "internal", "personal_data": true, "licenses": []},
		},
	}),
	"data": said("dataset", "owner", ["mail"], ["letters"], {
		"collected": true,
		"owner": "mail team",
		"classification": "secret",
		"personal_data": true,
		"license": "CC-BY-4.0",
	}),
	"card": said("model.card", "owner", ["style"], ["adapter"], {
		"collected": true,
		"intended_use": "a style",
		"limitations": ["English only"],
		"license": "Apache-2.0 OR LicenseRef-own",
	}),
	"prov": said("build.provenance", "builder", ["server"], [], {}),
}

component(name, licenses) := {
	"digests": {"sha256": trim_prefix(content[name], "sha256:")},
	"licenses": licenses,
}

people := {"auditor": digest("1"), "builder": digest("2"), "owner": digest("3")}

said(claim, person, about, contents, facts) := {
	"claim": claim,
	"artifacts": about,
	"signers": [{"name": person, "kind": "key", "spki": people[person], "issuer": null, "subject": null}],
	"subjects": {item: {"name": "x"} | some name in contents; item := content[name]},
	"depends_on": [],
	"ancestors": [],
	"signed_at": {"at_s": 0, "source": "none"},
	"stated_at_s": 1795170000,
	"facts": facts,
}

# METADATA
# description: A patch that sets a field of a statement.
put(name, field, value) := fixtures.put(concat("/", ["/attestations", digests[name], field]), value)

# METADATA
# description: A patch that removes a field of a statement.
remove(name, field) := fixtures.remove(concat("/", ["/attestations", digests[name], field]))

# METADATA
# description: Patches that take a statement away.
drop(name) := [
	fixtures.remove(concat("/", ["/attestations", digests[name]])),
	fixtures.put(concat("/", ["/claims", statements[name].claim]), {
		"all": without(entry.all, name),
		"by_artifact": {artifact: left |
			some artifact, listed in entry.by_artifact
			left := without(listed, name)
			count(left) > 0
		},
	}),
] if {
	entry := good.claims[statements[name].claim]
}

without(listed, name) := [one | some one in listed; one != digests[name]]

# METADATA
# description: Patches that add a statement like another one about `about`, with some fields of its own.
add(like, about, parts) := [
	fixtures.put(concat("/", ["/attestations", digests.other]), statement),
	fixtures.put(concat("/", ["/claims", statement.claim]), {
		"all": array.concat(entry.all, [digests.other]),
		"by_artifact": {artifact: listed |
			some artifact in (object.keys(entry.by_artifact) | {one | some one in about})
			listed := array.concat(
				object.get(entry.by_artifact, artifact, []),
				[digests.other | artifact in about],
			)
		},
	}),
] if {
	own := object.union(parts, {"artifacts": about})
	statement := object.union(object.remove(statements[like], object.keys(own)), own)
	entry := good.claims[statement.claim]
}

# METADATA
# description: The good document after some patches.
after(patches) := json.patch(good, patches)
