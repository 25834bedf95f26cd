# METADATA
# title: Scorecards
# description: Which Scorecard results are about the commits that artifacts were built from.
# schemas:
#   - input: schema.input
package gate.lib.scorecards

import data.gate.lib.builds
import data.gate.lib.statements
import future.keywords.not

# METADATA
# description: Results about the very commit that an artifact was built from, as [name, source, statement].
joined contains entry if {
	some [name, source] in builds.origins
	some digest, statement in statements.verified
	statement.claim == "scorecard"
	[builds.plain(statement.facts.repository), statement.facts.commit] == source
	entry := [name, source, digest]
}

# METADATA
# description: Results about such a commit, however its repository is written. They speak against it, and not for it.
near contains entry if {
	some [name, source] in builds.origins
	some digest, statement in statements.verified
	statement.claim == "scorecard"
	is_string(statement.facts.commit)
	lower(statement.facts.commit) == source[1]
	entry := [name, digest]
}

# METADATA
# scope: document
# description: A score in basis points of ten. What is inconclusive counts as nothing.
score(measured) := measured.score_bp if is_number(measured.score_bp)

score(measured) := 0 if is_null(measured.score_bp)

# METADATA
# scope: document
# description: Results about an artifact that name something else than where it was built from.
strayed contains entry if {
	some [name, [repository, _]] in builds.origins
	some digest in statements.about("scorecard", name)
	builds.plain(statements.verified[digest].facts.repository) != repository
	entry := [name, digest]
}

strayed contains entry if {
	some [name, [_, commit]] in builds.origins
	some digest in statements.about("scorecard", name)
	told := statements.verified[digest].facts.commit
	is_string(told)
	told != commit
	entry := [name, digest]
}
