# METADATA
# title: Dependencies are locked
# description: Each dependency of a package is locked with hashes, and attested by its index or builder where asked.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [package.publication, build.provenance]
#   artifacts: [package]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Lock each dependency with hashes, from an index, not a branch or folder; add its attestation to the evidence.
#   parameters:
#     - {name: attested, type: list, choices: packages, default: [], meaning: 'who needs an attestation, "*" for all'}
#     - {name: own, type: list, choices: packages, default: [], meaning: packages without a source that are own code}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03]}
#     S2C2F: {relation: partly supports, ids: [AUD-1]}
#     OWASP-ML-2023: {relation: supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 6.1, MANAGE 3.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [SR-3, SR-11]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.10.3]}
#     OpenSSF-Baseline: {relation: partly supports, ids: [OSPS-BR-05.01, OSPS-QA-02.01]}
#     CoSAI: {relation: partly supports, ids: [controlSecureByDefaultMLTooling]}
package gate.controls.deps.pinned

import data.gate.lib.document
import data.gate.lib.locks
import data.gate.lib.parameters
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(document.artifacts)
	is_object(statements.verified)
	is_array(listed.attested)
	is_array(listed.own)
}

listed[name] := values if {
	some name in ["attested", "own"]
	values := object.get(parameters.of("deps.pinned"), name, [])
	shape.is_texts(values)
}

subjects := {name | some name, artifact in document.artifacts; artifact.kind == "package"}

of_subjects := {place: item | some place, item in locks.items; place[0] in subjects}

own := {place | some place, item in of_subjects; item.local == true; item.name in listed.own}

locked := own | {place | some place, item in of_subjects; locks.is_pinned(item)}

required := {place | some place, item in of_subjects; locks.is_named(item.name, listed.attested)} - own

named := {place | some place in required; locks.is_named(of_subjects[place].name, explicit)}
explicit := [name | some name in listed.attested; name != "*"]

# The statements that speak for a file of a package, by place of the package and digest of the file.
speaking[[place, digest]] := found if {
	some place, item in of_subjects
	some digest, said in item.attested
	supporting := statements.supporting(said)
	found := statements.making("package.publication", supporting) | statements.making("build.provenance", supporting)
	count(found) > 0
}

spoken := object.keys(speaking)

# A lock may give several names to one package. Where all are asked, the attestation under any of them is enough.
by_any_name contains [name, path, digest] if some [[name, path, _], digest] in spoken

attested contains place if {
	some place in required
	digests := {digest | some digest in of_subjects[place].digests}
	count(digests) > 0
	count({digest | some digest in digests; _is_attested(place, digest)}) == count(digests)
}

default _is_attested(_, _) := false

_is_attested(place, digest) if [place, digest] in spoken

_is_attested(place, digest) if {
	not place in named
	[place[0], place[1], digest] in by_any_name
}

proved := {name | some [name, _, _] in locked}

violations contains entry if {
	some name in subjects
	count(object.get(locks.files, name, {})) == 0
	message := "it holds no lock file that the gate reads"
	entry := result.violation("deps.pinned.missing", message, {"artifact": name})
}

violations contains entry if {
	some name in subjects
	some path, lock in locks.files[name]
	not [name, path] in object.keys(locks.packages)
	message := concat("; ", array.concat(lock.problems, ["nothing in it is relied on"]))
	entry := result.violation("deps.pinned.unreadable", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some [name, path, key] in (object.keys(of_subjects) - locked)
	message := sprintf("%s is not locked with a hash from a source that stays", [key])
	entry := result.violation("deps.pinned.unlocked", message, {"artifact": name, "file": path})
}

violations contains entry if {
	some [name, path, key] in (required - attested)
	message := sprintf("%s has no verified publication or provenance for each of its files", [key])
	entry := result.violation("deps.pinned.unattested", message, {"artifact": name, "file": path})
}

evidence := {statement | some [place, _], found in speaking; place in attested; some statement in found}

default reason := "no package asks for admission"

reason := sprintf("packages that are locked: %d", [count(locked)]) if count(subjects) > 0
