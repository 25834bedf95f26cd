# METADATA
# title: A workload
# description: A document with one pod that every control of workloads passes. Tests change it by `json.patch`.
package gate.deployed

import future.keywords.not

digests := {
	"image": "sha256:a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",
	"files": "sha256:a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2a2",
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
