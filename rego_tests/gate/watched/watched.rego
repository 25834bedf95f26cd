# METADATA
# title: Watched images
# description: A document with one image, of which one log and one trace tell. Tests change it by `json.patch`.
package gate.watched

import future.keywords.not

digests := {
	"image": "sha256:b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2",
	"other": "sha256:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef",
	"report": "sha256:a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
	"trace": "sha256:a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6a6",
}

good := {
	"context": {"now_s": 1795176000},
	"parameters": {"runtime.quiet": {"expected": ["network"], "observed": true}},
	"artifacts": {"server": {
		"kind": "container",
		"digest": digests.image,
		"path": null,
		"reference": "registry.example/server",
		"mutable_reference": false,
		"files": {},
	}},
	"signals": {
		"log": signal("falco", "observed", {
			"report": digests.report,
			"events": {"Container started": {"severity": "low", "count": 3, "first_at_s": null, "last_at_s": null}},
		}),
		"trace": signal("runtime-trace", "attested", {
			"statement": digests.trace,
			"events": {"network": {"severity": "critical", "count": 1, "first_at_s": null, "last_at_s": null}},
		}),
	},
}

# METADATA
# description: An observation of the image from a day and an hour ago to an hour ago.
signal(plugin, basis, changes) := object.union(
	{
		"plugin": plugin,
		"basis": basis,
		"artifact": "server",
		"digest": digests.image,
		"origin": sprintf("runtime/%s", [plugin]),
		"report": null,
		"statement": null,
		"complete": true,
		"problem": null,
		"window": {"started_at_s": 1795086000, "finished_at_s": 1795172400, "gap_s": 3600},
		"sightings": 1,
		"dropped": 0,
		"events": {},
	},
	changes,
)

# METADATA
# description: The good document after some changes.
after(patches) := json.patch(good, patches)
