/* control/templates/value.c - one JSON value to one of ours. */
#include "control/templates/value.h"

struct value templates_value_of(const json_t *j)
{
	switch (j ? json_typeof(j) : JSON_NULL) {
	case JSON_STRING:
		return (struct value){ .type = VALUE_STRING,
				       .s = slice_of(json_string_value(j), json_string_length(j)) };
	case JSON_INTEGER:
		return (struct value){ .type = VALUE_INT, .i = json_integer_value(j) };
	case JSON_REAL:
		return (struct value){ .type = VALUE_REAL, .d = json_real_value(j) };
	case JSON_TRUE:
	case JSON_FALSE:
		return (struct value){ .type = VALUE_BOOL, .b = json_is_true(j) };
	default:
		return (struct value){ .type = VALUE_NULL };
	}
}
