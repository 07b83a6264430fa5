/* mta/core/counters.c - sums over the lanes. */
#include "mta/core/counters.h"

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

static void add_histogram(const struct lane *l, unsigned index, const struct part *p, size_t offset,
			  struct histogram *to)
{
	for (unsigned i = 0; i < ARRAY_LEN(to->at); i++)
		histogram_add(&to->at[i], of_lane(l, index, p,
						  offset + offsetof(struct histogram, at) +
						      i * sizeof(counter)));
	histogram_add(&to->sum, of_lane(l, index, p, offset + offsetof(struct histogram, sum)));
}

void counters_histogram(struct engine *e, const struct part *p, size_t offset,
			struct histogram *ret)
{
	unsigned index = engine_part_index(e, p);

	*ret = (struct histogram){ 0 };
	for (unsigned i = 0; i < engine_lanes(e); i++)
		add_histogram(engine_lane(e, i), index, p, offset, ret);
}
