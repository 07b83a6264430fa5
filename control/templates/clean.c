/* control/templates/clean.c - what was removed, as JSON. */
#include "control/templates/clean.h"

#include "control/http/api.h"

void templates_report_removed(json_t *out, const struct sanitise_report *report)
{
	json_t *removed = json_array();

	for (unsigned i = 0; i < report->n; i++) {
		const struct sanitise_finding *f = &report->findings[i];

		(void)json_array_append_new(
		    removed, json_pack("{s:i, s:i, s:o}", "line", (int)f->line, "column",
				       (int)f->column, "what", api_text(slice_str(f->what))));
	}
	(void)json_object_set_new(out, "removed", removed);
	(void)json_object_set_new(out, "removed_total", json_integer(report->total));
}
