package gate.lib.vex_test

import data.gate.lib.vex
import data.gate.vulnerable
import future.keywords.not

taken(patches) := taken_within(patches, 30 * vulnerable.day_s)

taken_within(patches, age_s) := value if {
	doc := vulnerable.after(patches)
	value := vex.taken_away(age_s) with input as doc
}

word(name, key) := concat("/", ["/findings/f1/vex", vulnerable.digests[name], key])

now_s := vulnerable.now_s

both := {"f1", "f2"}

test_the_last_word_of_each_author_counts if taken([]) == both

test_one_author_is_enough if {
	taken([
		vulnerable.remove(concat("/", ["/findings/f1/vex", vulnerable.digests.vendor])),
		vulnerable.remove(concat("/", ["/findings/f1/vex", vulnerable.digests.before])),
	]) == both
}

test_a_later_word_of_the_same_author_wins if {
	taken([vulnerable.put(word("before", "at_s"), now_s)]) == {"f2"}
}

test_a_word_of_this_very_second_is_the_last if taken([vulnerable.put(word("vendor", "at_s"), now_s)]) == both

test_two_words_of_one_time_contradict_one_another if {
	taken([vulnerable.put(word("before", "at_s"), now_s - (2 * vulnerable.day_s))]) == {"f2"}
}

test_the_worse_of_two_authors_counts if {
	every status in ["affected", "under_investigation"] {
		taken([vulnerable.put(word("vendor", "status"), status)]) == {"f2"}
		taken([vulnerable.put(word("security", "status"), status)]) == {"f2"}
	}
}

test_who_is_not_affected_says_why if {
	taken([vulnerable.put(word("security", "justification"), null)]) == {"f2"}
}

test_a_word_from_the_future_says_nothing if {
	taken([vulnerable.put(word("vendor", "at_s"), now_s + 1)]) == {"f2"}
	taken([
		vulnerable.put(word("before", "status"), "fixed"),
		vulnerable.put(word("vendor", "at_s"), now_s + 1),
		vulnerable.put(word("vendor", "status"), "affected"),
	]) == both
}

test_only_what_is_said_of_late_takes_away if {
	taken_within([], vulnerable.day_s) == both
	taken_within([], vulnerable.day_s - 1) == set()
	taken_within([], 0) == set()
	taken_within([vulnerable.put(word("security", "at_s"), now_s)], 0) == {"f1"}
}

test_what_was_said_long_ago_still_speaks_against if {
	taken([
		vulnerable.remove(concat("/", ["/findings/f1/vex", vulnerable.digests.vendor])),
		vulnerable.put(word("before", "at_s"), 0),
	]) == {"f2"}
}

test_silence_takes_nothing_away if {
	taken([vulnerable.remove("/findings/f1/vex"), vulnerable.put("/findings/f2/vex", {})]) == set()
}

test_undefined_when_a_word_is_not_of_the_statement if {
	not taken([vulnerable.put(word("security", "author"), "vendor")])
	not taken([vulnerable.put("/findings/f1/artifact", "site")])
	not taken([vulnerable.put(concat("/", ["/findings/f1/vex", vulnerable.digests.other]), {})])
	digest := vulnerable.digests.security
	not taken([
		vulnerable.put(concat("/", ["/attestations", digest, "claim"]), "sbom"),
		vulnerable.put("/claims/sbom", {"all": [digest], "by_artifact": {"server": [digest]}}),
		vulnerable.remove("/claims/vex/all/2"),
		vulnerable.remove("/claims/vex/by_artifact/server/2"),
	])
}

test_undefined_when_a_word_is_malformed if {
	not taken([vulnerable.put("/findings/f1/vex", null)])
	not taken([vulnerable.put("/findings/f1/vex", [])])
	every key in ["at_s", "author", "justification", "status"] {
		not taken([vulnerable.remove(word("security", key))])
		not taken([vulnerable.put(word("security", key), {})])
	}
}

test_undefined_when_statements_or_age_are_malformed if {
	not taken([vulnerable.put("/claims", {})])
	not taken_within([], "30d")
	not taken_within([], null)
	not taken([vulnerable.put("/context/now_s", null)])
}

test_an_author_may_be_two_signers if {
	taken([
		vulnerable.put(concat("/", ["/attestations", vulnerable.digests.security, "signers"]), [{"name": "b"}, {"name": "a"}]),
		vulnerable.put(word("security", "author"), "a and b"),
		vulnerable.put(concat("/", ["/findings/f2/vex", vulnerable.digests.security, "author"]), "a and b"),
	]) == both
}
