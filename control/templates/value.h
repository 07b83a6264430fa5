/* control/templates/value.h - JSON as a value that a template shows. */
#pragma once
#include <jansson.h>

#include "schema/wire/value.h"

/* The string stays in j.  NULL, arrays and objects are null. */
struct value templates_value_of(const json_t *j);
