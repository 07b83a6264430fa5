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

static const char *total_of(const struct counter_row *row)
{
	return row->type == COUNTER ? "_total" : "";
}

static void put_head(struct buf *out, const struct counter_row *row)
{
	buf_putf(out, "# HELP postern_%s%s %s\n# TYPE postern_%s%s %s\n", row->name, total_of(row),
		 row->help, row->name, total_of(row), row->type == COUNTER ? "counter" : "gauge");
}

void counters_put(struct buf *out, const struct counter_row *row, uint64_t value)
{
	put_head(out, row);
	buf_putf(out, "postern_%s%s %" PRIu64 "\n", row->name, total_of(row), value);
}

static void put_family(struct engine *e, const struct part *p, struct buf *out)
{
	const struct counter_family *f = p->family;

	put_head(out, &f->row);
	for (unsigned i = 0; i < f->n; i++)
		buf_putf(out, "postern_%s%s{%s=\"%s\"} %" PRIu64 "\n", f->row.name,
			 total_of(&f->row), f->label, f->value_of(i),
			 counters_sum(e, p, f->row.offset + i * sizeof(counter)));
}

void counters_text(struct engine *e, struct buf *out)
{
	const struct part *p;

	for (unsigned i = 0; (p = engine_part(e, i)) != NULL; i++) {
		for (size_t k = 0; p->counters && k < p->counters->n; k++)
			counters_put(out, &p->counters->rows[k],
				     counters_sum(e, p, p->counters->rows[k].offset));
		if (p->family)
			put_family(e, p, out);
	}
}
