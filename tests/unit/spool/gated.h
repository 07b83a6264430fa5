/* tests/unit/spool/gated.h - a spool on a simulated disk behind a gate, where any call can be made
 * to fail.  Segments of 4 KiB; nothing runs by itself.
 * Owns:   gated_make() makes the disk, gated_end() ends all. */
#pragma once
#include "spool/audit.h"
#include "spool/format.h"
#include "tests/sim/disk_gate.h"
#include "tests/sim/disk_sim.h"

struct gated {
	struct disk_sim *sim;
	struct disk_gate *gate;
	struct spool *sp;
	struct spool_options o;
};
void gated_make(struct gated *g); /* an empty disk, no spool on it */
void gated_open(struct gated *g); /* opens, and nothing may fail */
void gated_close(struct gated *g);
void gated_end(struct gated *g);
void gated_commit(struct gated *g);

struct id128 gated_id(uint64_t n);
/* Job n of `rows` rows, with content n of `bytes` bytes. */
int gated_put(struct gated *g, uint64_t n, uint32_t rows, size_t bytes, job_no *ret);
int gated_finish(struct gated *g, job_no job, uint32_t row);
/* Puts and commits jobs [from, to) of one row; all but those `kept` says are delivered at once. */
void gated_fill(struct gated *g, uint64_t from, uint64_t to, size_t bytes, uint64_t kept_each);
bool gated_has(struct gated *g, uint64_t n); /* job n is live, and reads back as it was put */
struct books gated_books(struct gated *g);   /* also asserts that they balance */
unsigned gated_segments(const struct gated *g);
