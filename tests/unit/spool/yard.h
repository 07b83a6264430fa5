/* tests/unit/spool/yard.h - a spool in a folder of its own, and what the tests of
 * the spool do often.
 * Owns: yard_open() makes the folder, yard_close() removes it. */
#pragma once
#include "base/base.h"
#include "spool/spool.h"

struct yard {
	char dir[64];
	struct spool_options o;
	struct spool_recovery recovery;
	struct spool *sp;
};
void yard_open(struct yard *y);  /* segments of 4 KiB, nothing runs by itself */
void yard_again(struct yard *y); /* ends the spool in good order and opens it again */
void yard_close(struct yard *y);
void yard_commit(struct yard *y);

struct id128 yard_id(uint64_t n);
/* Job n with `rows` rows; content n + 1000 comes with it when with_content. */
int yard_put(struct yard *y, uint64_t n, uint32_t rows, bool with_content, job_no *ret);
int yard_end(struct yard *y, job_no job, uint32_t row, enum outcome_kind kind);
int yard_defer(struct yard *y, job_no job, uint32_t row, uint16_t attempt, int64_t next_ms);
struct books yard_books(struct yard *y); /* also asserts that they balance */
unsigned yard_files(struct yard *y);     /* how many segments the folder has */
