# METADATA
# title: Lineage
# description: What verified statements build on, and which of them are about something here.
# schemas:
#   - input: schema.input
package gate.lib.lineage

import data.gate.lib.document
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

# METADATA
# description: The verified statements, if each lists what it builds on.
shaped := value if {
	value := statements.verified
	every statement in value {
		shape.is_digests(statement.depends_on)
		shape.is_digests(statement.ancestors)
	}
}

# METADATA
# description: |
#   What each statement builds on, at any distance, by digest. Undefined unless that is what the statements between
#   them say, and all of it is verified.
ancestors := {digest: found | some digest, statement in shaped; found := {item | some item in statement.ancestors}} if {
	every statement in shaped {
		stated := {item | some item in statement.ancestors}
		direct := {item | some item in statement.depends_on}
		stated == direct | {item | some one in direct; some item in shaped[one].ancestors}
		every item in stated {
			is_object(shaped[item])
		}
	}
}

# METADATA
# description: |
#   Statements that are about something here: they cover an artifact or a changed file, build on one that does, or one
#   that does builds on them.
at_stake := (covering | below) | above if {
	is_object(ancestors)
	is_object(document.change)
	is_object(document.artifacts)
}

covering := {digest | some digest, statement in shaped; count(statement.artifacts) > 0} | {digest |
	some file in document.change.files
	some digests in file.covered_by
	some digest in digests
	is_object(shaped[digest])
}

below := {item | some digest in covering; some item in ancestors[digest]}

above := {digest | some digest, found in ancestors; count(found & covering) > 0}

# METADATA
# description: Whether a statement of a claim may build on one of another.
# scope: document
default may_build_on(_, _) := false

may_build_on(claim, before) if before in edges[claim]

# The claims of third parties: a decision may be about one, and nothing else builds on it.
may_build_on(claim, before) if {
	edges[claim] == _decided
	startswith(before, "x.")
}

# METADATA
# description: The claims that a statement of a claim may build on; one that is not here builds on nothing.
edges := {
	"approval": _decided,
	"composition": {"composition", "training.provenance"},
	"corpus": {"corpus", "dataset"},
	"dataset": {"dataset"},
	"eval": {"composition", "corpus", "dataset", "plugin", "prompt", "training.provenance"},
	"model.card": {"composition", "dataset", "eval", "training.provenance"},
	"prompt": {"plugin"},
	"review": _decided,
	"route": {"eval"},
	"scan.report": {"composition", "training.provenance"},
	"slo": {"route"},
	"training.provenance": {"dataset", "eval", "training.provenance"},
	"waiver": _decided,
}

_decided := {
	"approval", "artifact.signature", "attributes", "build.provenance", "composition", "corpus", "dataset", "eval",
	"eval.result", "link", "model.card", "package.publication", "plugin", "prompt", "properties", "references", "release",
	"review", "route", "runtime.trace", "sbom", "scan.report", "scorecard", "slo", "source.summary", "test.result",
	"training.provenance", "verification.summary", "vex",
}
