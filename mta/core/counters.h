/* mta/core/counters.h - what the parts count.  A part keeps its counters in its state and has a row
 * for each of them in its own file.  Here they are added up over the lanes;
 * mta/metrics names and shows them.
 * Threads: only its lane writes a counter; any thread may read it. */
#pragma once
#include <stdatomic.h>

#include "base/buf.h"
#include "base/histogram.h"

typedef _Atomic uint64_t counter;

struct counter_row {
	const char *name; /* mta/metrics/names.c may call it otherwise */
	enum { COUNTER, GAUGE } type;
	const char *help;
	size_t offset; /* in the part's struct of counters */
};
/* A row of the struct `owner`, under the name of its member. */
#define COUNTER_ROW(owner, member, type, help)                                                     \
	{                                                                                          \
#member, type, help, offsetof(struct owner, member)                                \
	}
struct counter_set {
	const struct counter_row *rows;
	size_t n;
};

/* An array of counters, one for each value of a label: a few fixed words. */
struct counter_family {
	struct counter_row row; /* of the first */
	unsigned n;
	const char *label;
	const char *(*value_of)(unsigned i);
};

/* One writer: no locked instruction needed. */
static inline void count_add(counter *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}
static inline void count_sub(counter *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) - n,
			      memory_order_relaxed);
}

/* A struct histogram of a part; the metric is postern_<name>. */
struct histogram_row {
	const char *name, *help;
	const struct histogram_scale *scale;
	size_t offset; /* in the part's struct of counters */
};

struct engine;
struct part;
/* One counter of a part, over all lanes. */
uint64_t counters_sum(struct engine *e, const struct part *p, size_t offset);
/* One histogram of a part, over all lanes. */
void counters_histogram(struct engine *e, const struct part *p, size_t offset,
			struct histogram *ret);
