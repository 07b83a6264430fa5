/* mta/core/counters.c - sums over the lanes, and their text for Prometheus. */
#include "mta/core/counters.h"

#include <inttypes.h>

#include "mta/core/lane_int.h"

static uint64_t of_lane(const struct lane *l, unsigned index, const struct part *p, size_t offset)
{
	const char *state = l->states[index];
	const counter *c;

	if (!state)
		return 0;
	c = (const counter *)(const void *)(state + p->counters_at + offset);
	return atomic_load_explicit(c, memory_order_relaxed);
}

uint64_t counters_sum(struct engine *e, const struct part *p, size_t offset)
{
	unsigned index = engine_part_index(e, p);
	uint64_t sum = 0;

	if (p->front)
		return of_lane(engine_front(e), index, p, offset);
	for (unsigned i = 0; i < engine_lanes(e); i++)
		sum += of_lane(engine_lane(e, i), index, p, offset);
	return sum;
}

void counters_put(struct buf *out, const struct counter_row *row, uint64_t value)
{
	const char *type = row->type == COUNTER ? "counter" : "gauge";
	const char *total = row->type == COUNTER ? "_total" : "";

	buf_putf(out, "# HELP postern_%s%s %s\n# TYPE postern_%s%s %s\npostern_%s%s %" PRIu64 "\n",
		 row->name, total, row->help, row->name, total, type, row->name, total, value);
}

void counters_text(struct engine *e, struct buf *out)
{
	const struct part *p;

	for (unsigned i = 0; (p = engine_part(e, i)) != NULL; i++)
		for (size_t k = 0; p->counters && k < p->counters->n; k++)
			counters_put(out, &p->counters->rows[k],
				     counters_sum(e, p, p->counters->rows[k].offset));
}
