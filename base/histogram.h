/* base/histogram.h - how often something took how long: counts in fixed steps.
 * Threads: one writer; any thread may read.  A reader may see a count before its sum. */
#pragma once
#include <stdatomic.h>

#include "base/base.h"

enum { HISTOGRAM_STEPS_MAX = 22 };

/* What the steps are, and in which unit values are noted. */
struct histogram_scale {
	int64_t per_second; /* 1000: values are milliseconds */
	unsigned n;
	int64_t most[HISTOGRAM_STEPS_MAX]; /* of each step, growing */
};
struct histogram {
	_Atomic uint64_t at[HISTOGRAM_STEPS_MAX + 1]; /* the last one: beyond all steps */
	_Atomic uint64_t sum;
};

static inline void histogram_add(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}
/* Which step a value belongs to: several histograms of one scale may take it then. */
static inline unsigned histogram_step(const struct histogram_scale *s, int64_t v)
{
	unsigned i = 0;

	while (i < s->n && v > s->most[i])
		i++;
	return i;
}
static inline void histogram_put(struct histogram *h, unsigned step, int64_t v)
{
	histogram_add(&h->at[step], 1);
	histogram_add(&h->sum, v < 0 ? 0 : (uint64_t)v);
}
static inline void histogram_note(struct histogram *h, const struct histogram_scale *s, int64_t v)
{
	histogram_put(h, histogram_step(s, v), v);
}
