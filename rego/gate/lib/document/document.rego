# METADATA
# title: Input document
# description: |
#   The sections of the input document that rules read. A section is undefined unless every field that some rule reads
#   has its type, so a rule that names a section can rely on it, and a control that needs it cannot pass without it.
# schemas:
#   - input: schema.input
package gate.lib.document

import data.gate.lib.shape
import future.keywords.not

_kinds := {
	"adapter", "container", "corpus", "dataset", "evaluation", "package",
	"plugin", "prompt", "route", "slo", "weights",
}

_roles := {null, "configuration", "key", "policy", "profile", "trust_root", "waivers"}

# What is not a regular file has no digest.
_formats_without_digest := {"special", "symlink"}

# METADATA
# description: Time of the decision in seconds since 1970.
now_s := value if {
	value := input.context.now_s
	shape.is_count(value)
}

# METADATA
# description: What asks for admission, by name.
artifacts := value if {
	value := input.artifacts
	is_object(value)
	every artifact in value {
		artifact.kind in _kinds
		is_boolean(artifact.mutable_reference)
		shape.is_optional_digest(artifact.digest)
		_has_one_place(artifact)
		is_object(artifact.files)
		every file in artifact.files {
			_is_file(file)
		}
	}
}

default _has_one_place(_) := false

_has_one_place(artifact) if {
	shape.is_text(artifact.path)
	is_null(artifact.reference)
}

_has_one_place(artifact) if {
	is_null(artifact.path)
	shape.is_text(artifact.reference)
}

default _is_file(_) := false

_is_file(file) if {
	shape.is_digest(file.digest)
	shape.is_text(file.format)
	not file.format in _formats_without_digest
}

_is_file(file) if {
	is_null(file.digest)
	file.format in _formats_without_digest
}

# METADATA
# description: Path-triggered gates, by id.
gates := value if {
	value := input.gates
	is_object(value)
	every gate in value {
		shape.is_texts(gate.required_attestations)
		shape.is_texts(gate.files)
	}
}

# METADATA
# description: The change being judged. Files and gates must name each other.
change := value if {
	value := input.change
	is_object(value)
	_has_base(value)
	is_boolean(value.dirty)
	is_object(value.files)
	every file in value.files {
		_has_sides(file)
		file.role in _roles
		shape.is_texts(file.gates)
		shape.is_object_of_digest_lists(file.covered_by)
	}
	by_file := {[path, gate] | some path, file in value.files; is_array(file.gates); some gate in file.gates}
	by_gate := {[path, id] | some id, gate in gates; some path in gate.files}
	by_file == by_gate
	is_object(gates)
}

default _has_base(_) := false

_has_base(section) if {
	section.status == "everything"
	shape.is_optional_text(section.merge_base)
	shape.is_optional_text(section.head)
}

_has_base(section) if {
	section.status == "collected"
	shape.is_text(section.merge_base)
	shape.is_text(section.head)
}

default _has_sides(_) := false

_has_sides(file) if {
	file.status == "added"
	is_null(file.old)
	_is_side(file.new)
}

_has_sides(file) if {
	file.status == "deleted"
	is_null(file.new)
	_is_side(file.old)
}

_has_sides(file) if {
	file.status in {"modified", "type_changed"}
	_is_side(file.old)
	_is_side(file.new)
}

default _is_side(_) := false

_is_side(side) if {
	is_string(side.mode)
	regex.match(`^[0-7]{6}$`, side.mode)
	shape.is_optional_digest(side.digest)
}

# METADATA
# description: Verified statements, by payload digest.
attestations := value if {
	value := input.attestations
	is_object(value)
	every digest, attestation in value {
		shape.is_digest(digest)
		shape.is_text(attestation.claim)
		shape.is_texts(attestation.artifacts)
		is_object(attestation.facts)
		_is_signed(attestation)
		_is_timed(attestation)
	}
}

default _is_signed(_) := false

_is_signed(attestation) if {
	is_array(attestation.signers)
	count(attestation.signers) > 0
	every signer in attestation.signers {
		shape.is_text(signer.name)
	}
}

default _is_timed(_) := false

_is_timed(attestation) if {
	attestation.signed_at.source in {"log", "none", "timestamp-authority"}
	shape.is_count(attestation.signed_at.at_s)
	_is_stated(attestation.stated_at_s)
}

default _is_stated(_) := false

_is_stated(value) if is_null(value)

_is_stated(value) if shape.is_whole(value)

# METADATA
# description: Index of the statements, by claim.
claims := value if {
	value := input.claims
	is_object(value)
	every entry in value {
		shape.is_digests(entry.all)
		shape.is_object_of_digest_lists(entry.by_artifact)
	}
}

# METADATA
# description: Evidence that does not count, by digest of its bytes.
rejected := value if {
	value := input.rejected
	is_object(value)
	every digest, item in value {
		shape.is_digest(digest)
		shape.is_text(item.code)
		shape.is_text(item.origin)
	}
}

# METADATA
# description: Scans, by id.
scans := value if {
	value := input.scans
	is_object(value)
	every scan in value {
		shape.is_text(scan.tool)
		scan.basis in {"attested", "inspected", "observed"}
		scan.status in {"complete", "failed", "incomplete"}
		shape.is_optional_text(scan.artifact)
		shape.is_optional_digest(scan.report)
		_is_coverage(scan)
	}
}

default _is_coverage(_) := false

_is_coverage(scan) if {
	shape.is_object_of_texts(scan.coverage.errors)
	is_object(scan.files)
	count(scan.files) == scan.coverage.scanned
	every digest in scan.files {
		shape.is_digest(digest)
	}
}

# METADATA
# description: Findings, by id. Each names a scan that is there.
findings := value if {
	value := input.findings
	is_object(value)
	every finding in value {
		shape.is_text(finding.rule)
		shape.is_optional_text(finding.artifact)
		shape.is_optional_text(finding.file)
		is_object(scans[finding.scan])
	}
}

# METADATA
# description: Exceptions, by id.
waivers := value if {
	value := input.waivers
	is_object(value)
	every waiver in value {
		shape.is_text(waiver.control)
		shape.is_digest(waiver.artifact)
		shape.is_count(waiver.expires_s)
		waiver.state in {"active", "expired", "expiring", "invalid", "pending"}
	}
}

# METADATA
# description: Trusted builders, by name; a level is what the configuration says, never what a document does.
builders := value if {
	value := input.builders
	is_object(value)
	every builder in value {
		shape.is_text(builder.id)
		shape.is_texts(builder.signers)
		shape.is_count(builder.level)
	}
}
