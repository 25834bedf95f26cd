# METADATA
# title: Plugins are vetted
# description: Each tool of a plugin is pinned by digest, may do no more than is allowed, and somebody else reviewed it.
# schemas:
#   - input: schema.input
# custom:
#   severity: high
#   claims: [plugin, review, approval]
#   artifacts: [plugin]
#   targets: [training, fine-tuning, deployment]
#   waivable: true
#   fix: Attest the plugin, take away permissions or allow them, and let somebody else sign a review of it.
#   parameters:
#     - {name: permissions, type: list, default: [], meaning: what tools may be permitted}
#   frameworks:
#     OWASP-LLM-2025: {relation: supports, ids: [LLM03, LLM06]}
#     MITRE-ATLAS-5: {relation: supports, ids: [AML.M0014, AML.M0028]}
#     OWASP-ML-2023: {relation: partly supports, ids: [ML06]}
#     NIST-AI-RMF-1.0: {relation: partly supports, ids: [GOVERN 6.1, MANAGE 3.1]}
#     NIST-800-53r5: {relation: partly supports, ids: [AC-6, CM-7(5)]}
#     EU-AI-Act: {relation: partly supports, ids: [Article 15]}
#     ISO-42001: {relation: partly supports, ids: [A.4.4, A.10.3]}
#     CoSAI: {relation: supports, ids: [controlAgentPluginPermissions, controlToolRegistryAndDiscoveryIntegrity]}
package gate.controls.plugin.vetted

import data.gate.lib.attested
import data.gate.lib.parameters
import data.gate.lib.people
import data.gate.lib.result
import data.gate.lib.shape
import data.gate.lib.statements
import future.keywords.not

default status := "error"

status := result.status(subjects, proved, violations) if {
	is_object(people.signers)
	is_array(allowed)
}

allowed := values if {
	values := object.get(parameters.of("plugin.vetted"), "permissions", [])
	shape.is_texts(values)
}

subjects := attested.of_kind("plugin")

# The tools of each plugin, by statement.
described[[name, digest]] := tools if {
	some name in subjects
	some digest in attested.collected(statements.about("plugin", name))
	tools := statements.verified[digest].facts.tools
	are_tools(tools)
}

default are_tools(_) := false

are_tools(tools) if {
	is_object(tools)
	count(tools) > 0
	every tool in tools {
		shape.is_digest(tool.descriptor)
		shape.is_texts(tool.permissions)
	}
}

complete := {name | some [name, _], _ in described}

excess := {[name, tool, permission] |
	some [name, _], tools in described
	some tool, entry in tools
	some permission in entry.permissions
	not permission in allowed
}

decided[name] := digests if {
	some name in complete
	digests := people.deciding({"approval", "review"}, name)
}

reviewed := {name | some name, digests in decided; count(people.approving(digests) - people.authors(name)) > 0}

proved := reviewed

violations contains entry if {
	some [fault, name, digests] in attested.problems("plugin", "plugin", complete)
	[code, message] := said[fault]
	entry := result.violation(code, message, {"artifact": name, "evidence": digests})
}

violations contains entry if {
	some [name, tool, permission] in excess
	message := sprintf("its tool %s may %s, which is not allowed", [tool, permission])
	entry := result.violation("plugin.vetted.permission", message, {"artifact": name})
}

violations contains entry if {
	some name in (complete - reviewed)
	message := "nobody but those who attested it reviewed or approved it"
	entry := result.violation("plugin.vetted.unreviewed", message, {"artifact": name})
}

violations contains entry if {
	some name, digests in decided
	against := people.against(digests)
	count(against) > 0
	entry := result.violation("plugin.vetted.rejected", "somebody rejected it", {"artifact": name, "evidence": against})
}

said := {
	"missing": ["plugin.vetted.missing", "no verified plugin statement covers all of its files as they are"],
	"failed": ["plugin.vetted.failed", "a plugin statement that covers it says no"],
	"uncollected": ["plugin.vetted.uncollected", "what covers it is its signer's word; nothing was collected"],
	"incomplete": ["plugin.vetted.incomplete", "its statement names no tool by digest, or not what one may do"],
}

evidence := {digest | some [_, digest], _ in described} | {digest | some digests in decided; some digest in digests}

default reason := null

reason := "no plugin asks for admission" if count(subjects) == 0
