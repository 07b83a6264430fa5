/* control/templates/clean.h - what the API says of HTML that was removed (message/sanitise.h).
 * Names: templates_. */
#pragma once
#include <jansson.h>

#include "message/sanitise.h"

/* {"removed": [{"line": 3, "column": 7, "what": "the element script"}], "removed_total": 1} */
void templates_report_removed(json_t *out, const struct sanitise_report *report);
