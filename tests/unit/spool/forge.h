/* tests/unit/spool/forge.h - writes a log by hand: records that are sealed as ours, whatever they
 * say, in the files of a simulated disk.  Everything before a record counts as synced.
 * Owns:   nothing; forge_end() writes the file.
 * Limits: one segment at a time, of FORGE_BYTES. */
#pragma once
#include "spool/audit.h"
#include "spool/format.h"
#include "tests/sim/disk_sim.h"

enum { FORGE_BYTES = 64 << 10 };
struct forge {
	struct disk_sim *sim;
	struct segment_header header; /* may be changed until forge_end(), which seals it */
	size_t n;
	char file[FORGE_BYTES];
};
void forge_begin(struct forge *f, struct disk_sim *sim, lsn_t start);
void forge_end(struct forge *f);

/* Each returns where its record begins. */
lsn_t forge_record(struct forge *f, unsigned type, unsigned flags, struct slice payload);
lsn_t forge_content(struct forge *f, uint64_t n);
lsn_t forge_job(struct forge *f, uint64_t n, uint32_t rows);
/* A copy of job n: `ended` has a bit for every finished row; `deferred` rows follow. */
lsn_t forge_copy(struct forge *f, uint64_t n, uint32_t rows, uint64_t ended, struct slice deferred);
lsn_t forge_outcome(struct forge *f, uint64_t n, uint32_t row, enum outcome_kind kind);

struct id128 forge_id(uint64_t n);                       /* of job n */
struct job_fixed forge_fixed(uint64_t n, uint32_t rows); /* its content is n too */
/* Opens (for reading, when read_only) and says what recovery found; NULL unless `expected` is 0. */
struct spool *forge_open(struct disk_sim *sim, int expected, struct spool_recovery *ret);
struct spool_audit forge_audit(struct disk_sim *sim, int expected);
