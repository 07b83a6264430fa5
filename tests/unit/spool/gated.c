/* tests/unit/spool/gated.c - a spool behind a gate, and the words its tests say again and again. */
#include "tests/unit/spool/gated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static char text[1 << 20];

void gated_make(struct gated *g)
{
	memset(g, 0, sizeof(*g));
	memset(text, 'x', sizeof(text));
	g->sim = disk_sim_new();
	g->gate = disk_gate_new(disk_sim_disk(g->sim));
	g->o = (struct spool_options){ .dir = "spool",
				       .disk = disk_gate_disk(g->gate),
				       .segment_bytes = 4096,
				       .reserve_bytes = 1,
				       .clean_ratio = 110 };
}

void gated_open(struct gated *g)
{
	assert_int_equal(spool_open(&g->sp, &g->o), 0);
}

void gated_close(struct gated *g)
{
	g->sp = spool_free(g->sp);
}

void gated_end(struct gated *g)
{
	gated_close(g);
	g->gate = disk_gate_free(g->gate);
	g->sim = disk_sim_free(g->sim);
}

void gated_commit(struct gated *g)
{
	assert_int_equal(spool_commit_now(g->sp), 0);
}

struct id128 gated_id(uint64_t n)
{
	return (struct id128){ 7, n };
}

int gated_put(struct gated *g, uint64_t n, uint32_t rows, size_t bytes, job_no *ret)
{
	struct content_in c = { { 8, n }, SLICE("meta"), slice_of(text, bytes) };
	struct job_in j = {
		.id = gated_id(n), .content = c.id, .rows = rows, .meta = SLICE("job")
	};
	lsn_t lsn;

	return spool_put(g->sp, &c, &j, ret, &lsn);
}

int gated_finish(struct gated *g, job_no job, uint32_t row)
{
	struct outcome o = { .job = job, .row = row, .kind = OUTCOME_DELIVERED };

	return spool_put_outcome(g->sp, &o, NULL);
}

void gated_fill(struct gated *g, uint64_t from, uint64_t to, size_t bytes, uint64_t kept_each)
{
	job_no job;

	for (uint64_t n = from; n < to; n++) {
		assert_int_equal(gated_put(g, n, 1, bytes, &job), 0);
		if (!kept_each || n % kept_each)
			assert_int_equal(gated_finish(g, job, 0), 0);
		gated_commit(g);
	}
}

bool gated_has(struct gated *g, uint64_t n)
{
	struct buf meta = { .max = 0 }, bytes = { .max = 0 };
	job_no job;
	bool has = spool_find_job(g->sp, gated_id(n), &job) == 0 &&
		   spool_read_job(g->sp, job, &meta, NULL) == 0 &&
		   slice_eq(buf_data(&meta), SLICE("job")) &&
		   spool_read_content(g->sp, (struct id128){ 8, n }, NULL, &bytes) == 0 &&
		   slice_eq(buf_data(&bytes), slice_of(text, buf_len(&bytes)));

	buf_free(&meta);
	buf_free(&bytes);
	return has;
}

struct books gated_books(struct gated *g)
{
	struct books b;

	spool_books(g->sp, &b);
	assert_int_equal(b.accepted, b.delivered + b.bounced + b.expired + b.cancelled + b.queued);
	return b;
}

static void count(void *arg, const char *file)
{
	*(unsigned *)arg += strstr(file, ".seg") != NULL;
}

unsigned gated_segments(const struct gated *g)
{
	unsigned n = 0;

	disk_sim_each(g->sim, count, &n);
	return n;
}
