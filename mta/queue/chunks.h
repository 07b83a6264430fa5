/* mta/queue/chunks.h - decoded recipients of jobs, kept while they are likely to be read again.
 * Owns:   what it keeps; holders count references.  Above the limit of bytes, those that were
 *         unused for longest leave first.
 * Blocks: on the spool's files (page cache, else disk).
 * Fails:  E_UNKNOWN: the job no longer exists; E_CORRUPT, E_SYNTAX, -errno.
 * Limits: one lane. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"
#include "spool/spool.h"

struct chunk {
	struct map_link link;
	struct list rest; /* unused, or the spare list */
	unsigned refs;
	job_no job;
	struct job_info info;
	struct wire_job_meta meta;
	struct buf meta_bytes, data;
	struct wire_rows *rows;
};
struct chunks {
	struct spool *spool;
	struct map map;
	struct list rest, spare;
	unsigned n_spare;
	size_t bytes, max;
};
void chunks_init(struct chunks *c, struct spool *sp);
void chunks_end(struct chunks *c);
int chunks_get(struct chunks *c, job_no job, struct chunk **ret) MUST_CHECK; /* with a reference */
void chunks_unref(struct chunks *c, struct chunk *k);                        /* takes NULL */
void chunks_forget(struct chunks *c, job_no job); /* the number went to another job */
