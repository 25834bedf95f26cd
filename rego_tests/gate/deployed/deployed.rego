# METADATA
# title: A workload
# description: A document with one pod that every control of workloads passes. Tests change it by `json.patch`.
package gate.deployed

import future.keywords.not

digests := {
	"image": "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
	"files": "sha256:a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2",
	"bill": "sha256:a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3a3",
	"second": "sha256:a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4a4",
	"other": "sha256:efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef",
}

# METADATA
# description: The id of the workload, and where it is in the document.
id := "deploy/app.yaml:Deployment/server"

at := "/workloads/deploy~1app.yaml:Deployment~1server"

container := sprintf("%s/containers/server", [at])

good := {
	"parameters": {
		"deploy.egress": {"allowed": ["pods"]},
		"deploy.restricted": {
			"level": "restricted",
			"besides": ["limits", "probes", "read_only_root", "requests", "token"],
		},
	},
	"artifacts": {"server": {
		"kind": "container",
		"digest": digests.image,
		"path": null,
		"reference": "registry.example/server@sha256:a1",
		"mutable_reference": false,
		"files": {},
	}},
	"workloads": {id: {
		"origin": "deploy/app.yaml",
		"platform": "kubernetes",
		"kind": "Deployment",
		"namespace": null,
		"name": "server",
		"problems": [],
		"egress": {"policies": ["deploy/app.yaml:deny"], "peers": ["pods"]},
		"pod": {
			"os": null,
			"host_namespaces": [],
			"service_account_token": false,
			"sysctls": [],
			"volumes": {"models": "persistentVolumeClaim", "files": "image"},
			"images": {"files": {"image": "registry.example/files", "digest": digests.image}},
			"security": object.union(_security, {"run_as_non_root": true, "seccomp": "RuntimeDefault"}),
		},
		"containers": {"server": {
			"role": "container",
			"image": "registry.example/server",
			"digest": digests.image,
			"security": object.union(_security, {
				"privileged": false,
				"allow_privilege_escalation": false,
				"read_only_root": true,
				"capabilities_added": [],
				"capabilities_dropped": ["ALL"],
				"proc_mount": null,
			}),
			"host_ports": [],
			"hosts": [],
			"limits": ["cpu", "memory"],
			"requests": ["cpu"],
			"probes": ["liveness"],
			"loading": {"server": "vllm", "unsafe": [], "safe": ["--load-format safetensors"], "unknown": []},
		}},
	}},
}

_security := {
	"run_as_non_root": null,
	"run_as_user": null,
	"seccomp": null,
	"apparmor": null,
	"selinux": {"type": "", "user": "", "role": ""},
	"host_process": false,
}

# METADATA
# description: The good document after some changes.
after(patches) := json.patch(good, patches)

# METADATA
# description: Patches that ask for versions of packages.
asking(minimums) := [{"op": "add", "path": "/parameters/deploy.safe_loading", "value": {"minimum_versions": minimums}}]

# METADATA
# description: Patches that add bills of materials, by the names of their digests. Each is [names of artifacts, facts].
billed(bills) := [
	{"op": "add", "path": "/attestations", "value": {digests[name]: _said(entry) | some name, entry in bills}},
	{"op": "add", "path": "/claims", "value": {"sbom": {
		"all": [digests[name] | some name, _ in bills],
		"by_artifact": {artifact: [digests[name] | some name, [named, _] in bills; artifact in named] |
			some [about, _] in bills
			some artifact in about
		},
	}}},
]

_said([about, facts]) := {
	"claim": "sbom",
	"artifacts": about,
	"signers": [{"name": "builder"}],
	"subjects": {digests.image: {"name": "server"}},
	"signed_at": {"at_s": 0, "source": "none"},
	"stated_at_s": 1795170000,
	"facts": facts,
}

# METADATA
# description: What a complete document about the image says that has some more components.
bill(components) := {
	"format": "cyclonedx",
	"version": "1.6",
	"root": "server",
	"completeness": "complete",
	"components": object.union(components, {"server": _image}),
	"cards": {},
	"datasets": {},
}

_image := object.union(part("server", null, null), {"digests": {"sha256": trim_prefix(digests.image, "sha256:")}})

# METADATA
# description: A component, by name, version and package URL.
part(name, version, purl) := {"name": name, "version": version, "purl": purl, "digests": {}, "licenses": []}
