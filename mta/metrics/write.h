/* mta/metrics/write.h - all metrics as one text.
 * Owns:    nothing but what top_end() ends.
 * Threads: the front desk's. */
#pragma once
#include "mta/metrics/gather.h"
#include "mta/metrics/text.h"
#include "mta/metrics/top.h"

struct writer {
	struct engine *engine; /* NULL: only heads are written, of these parts */
	const struct part *const *parts;
	unsigned n_parts;
	const struct gather *gather;
	struct top top[TALLY_KINDS];
	int64_t started_ms;
	/* The walk over the jobs for the oldest one, which may take more than one text. */
	uint64_t cursor;
	int64_t oldest_so_far_ms, oldest_ms; /* of the walk; of the last whole one, 0: none */
	struct text text;
};
void writer_init(struct writer *w, struct engine *e, const struct gather *g);
void writer_end(struct writer *w);
void writer_write(struct writer *w, struct buf *out);
