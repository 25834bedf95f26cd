# METADATA
# title: Shapes of values
# description: Tests of single values. Each is true or false for every value, so none can leave a rule undefined.
# schemas:
#   - input: schema.input
package gate.lib.shape

import future.keywords.not

# The largest integer that every JSON reader keeps.
_largest := 9007199254740991

default is_digest(_) := false

# Prefix and length, which cost a fraction of a regular expression. The host has compared the digits with the schema.
is_digest(value) if {
	is_string(value)
	startswith(value, "sha256:")
	count(value) == 71
}

default is_optional_digest(_) := false

is_optional_digest(value) if is_null(value)

is_optional_digest(value) if is_digest(value)

default is_text(_) := false

is_text(value) if {
	is_string(value)
	value != ""
}

default is_optional_text(_) := false

is_optional_text(value) if is_null(value)

is_optional_text(value) if is_text(value)

default is_whole(_) := false

is_whole(value) if {
	is_number(value)
	value >= 0 - _largest
	value <= _largest
	floor(value) == value
}

default is_count(_) := false

is_count(value) if {
	is_whole(value)
	value >= 0
}

default is_texts(_) := false

is_texts(values) if {
	is_array(values)
	every value in values {
		is_text(value)
	}
}

default is_digests(_) := false

is_digests(values) if {
	is_array(values)
	every value in values {
		is_digest(value)
	}
}

default is_object_of_texts(_) := false

is_object_of_texts(values) if {
	is_object(values)
	every value in values {
		is_string(value)
	}
}

default is_object_of_digest_lists(_) := false

is_object_of_digest_lists(values) if {
	is_object(values)
	every digests in values {
		is_digests(digests)
	}
}

default is_object_of_counts(_) := false

is_object_of_counts(values) if {
	is_object(values)
	every value in values {
		is_count(value)
	}
}
