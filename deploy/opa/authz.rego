# METADATA
# title: What an OPA server lets in
# description: >-
#   The gate's one question, asked strictly, by whoever has the token in the environment variable GATE_OPA_TOKEN of the
#   server; and the health check. Everything else is refused, reading policies and data included. Takes effect
#   with --authentication=token --authorization=basic.
package system.authz

default allow := false

allow if {
	input.method == "GET"
	input.path == ["health"]
}

allow if {
	input.method == "POST"
	input.path == ["v1", "data", "gate", "main", "report"]
	input.params == {"provenance": ["true"], "strict-builtin-errors": ["true"]}

	token := opa.runtime().env.GATE_OPA_TOKEN

	# No token, or one that can be guessed, opens nothing.
	count(token) >= 32
	crypto.hmac.equal(input.identity, token)
}
