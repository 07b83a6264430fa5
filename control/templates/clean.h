/* control/templates/clean.h - the HTML of templates without what mail must not carry, and what the API
 * says of that.
 * Owns:   out grows; the JSON is the caller's.
 * Blocks: never.
 * Fails:  as message/sanitise.h.
 * Names:  templates_. */
#pragma once
#include <jansson.h>

#include "message/sanitise.h"

/* {"removed": [{"line": 3, "column": 7, "what": "the element script"}], "removed_total": 1} */
void templates_report_removed(json_t *out, const struct sanitise_report *report);
