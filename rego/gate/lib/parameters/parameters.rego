# METADATA
# title: Parameters
# description: Parameters of the controls, as profile and configuration set them.
# schemas:
#   - input: schema.input
package gate.lib.parameters

import future.keywords.not

# METADATA
# description: Parameters of one control, `{}` if none are set; undefined if they are no object.
of(control) := values if {
	is_object(input.parameters)
	values := object.get(input.parameters, control, {})
	is_object(values)
}
