/* The parts of an engine that only delivers; see the header. */
#include "tests/engine_parts.h"

#include "mta/admin/admin.h"
#include "mta/core/space.h"
#include "mta/link/link.h"
#include "mta/metrics/metrics.h"
#include "mta/reports/reading.h"
#include "mta/reports/reports.h"
#include "mta/submit/submit.h"

static bool is_left_out(const struct part *p)
{
	static const struct part *const out[] = { &space_part,   &submit_part, &reading_part,
						  &reports_part, &uplink_part, &metrics_part,
						  &admin_part };

	for (unsigned i = 0; i < ARRAY_LEN(out); i++)
		if (out[i] == p)
			return true;
	return false;
}

const struct part *const *engine_parts_delivering(unsigned *ret_n)
{
	static const struct part *parts[PARTS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < mta_parts_n; i++)
		if (!is_left_out(mta_parts[i]))
			parts[n++] = mta_parts[i];
	*ret_n = n;
	return parts;
}
