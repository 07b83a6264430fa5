/* tests/unit/spool/yard.c - a spool in a folder of its own. */
#include "tests/unit/spool/yard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <dirent.h>
#include <unistd.h>

void yard_open(struct yard *y)
{
	memset(y, 0, sizeof(*y));
	(void)strcpy(y->dir, "/tmp/postern-spool-XXXXXX");
	assert_non_null(mkdtemp(y->dir));
	y->o = (struct spool_options){
		.dir = y->dir, .segment_bytes = 4096, .reserve_bytes = 1, .recovery = &y->recovery
	};
	assert_int_equal(spool_open(&y->sp, &y->o), 0);
}

void yard_again(struct yard *y)
{
	y->sp = spool_free(y->sp);
	assert_int_equal(spool_open(&y->sp, &y->o), 0);
}

static unsigned each_file(struct yard *y, bool remove)
{
	DIR *d = opendir(y->dir);
	struct dirent *e;
	unsigned n = 0;

	while (d && (e = readdir(d))) {
		n += strstr(e->d_name, ".seg") != NULL;
		if (remove && e->d_name[0] != '.')
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	(void)closedir(d);
	return n;
}

void yard_close(struct yard *y)
{
	y->sp = spool_free(y->sp);
	(void)each_file(y, true);
	assert_int_equal(rmdir(y->dir), 0);
}

void yard_commit(struct yard *y)
{
	assert_int_equal(spool_commit_now(y->sp), 0);
}

struct id128 yard_id(uint64_t n)
{
	return (struct id128){ 7, n };
}

int yard_put(struct yard *y, uint64_t n, uint32_t rows, bool with_content, job_no *ret)
{
	char data[64], bytes[64];
	lsn_t lsn;
	int data_n = snprintf(data, sizeof(data), "rows of %llu", (unsigned long long)n);
	int bytes_n = snprintf(bytes, sizeof(bytes), "bytes of %llu", (unsigned long long)n);
	struct content_in c = { yard_id(n + 1000), SLICE("content meta"),
				slice_of(bytes, bytes_n) };
	struct job_in j = { .id = yard_id(n),
			    .content = c.id,
			    .tenant = 3,
			    .campaign = 4,
			    .class = CLASS_TRANSACTIONAL,
			    .accepted_ms = 1000,
			    .expires_ms = 2000,
			    .rows = rows,
			    .meta = SLICE("job meta"),
			    .data = slice_of(data, data_n) };

	return spool_put(y->sp, with_content ? &c : NULL, &j, ret, &lsn);
}

int yard_end(struct yard *y, job_no job, uint32_t row, enum outcome_kind kind)
{
	struct outcome o = { .job = job,
			     .row = row,
			     .kind = kind,
			     .attempt = 1,
			     .code = 250,
			     .status = STATUS(2, 0, 0),
			     .at_ms = 1500,
			     .flags = OUTCOME_TLS,
			     .text = SLICE("ok"),
			     .host = SLICE("mx.example"),
			     .ip = SLICE("::1"),
			     .source = SLICE("::2"),
			     .rcpt = SLICE("a@b.example") };
	lsn_t lsn;

	return spool_put_outcome(y->sp, &o, &lsn);
}

int yard_defer(struct yard *y, job_no job, uint32_t row, uint16_t attempt, int64_t next_ms)
{
	struct outcome o = { .job = job,
			     .row = row,
			     .kind = OUTCOME_DEFERRED,
			     .attempt = attempt,
			     .next_ms = next_ms,
			     .code = 451 };
	lsn_t lsn;

	return spool_put_outcome(y->sp, &o, &lsn);
}

struct books yard_books(struct yard *y)
{
	struct books b;

	spool_books(y->sp, &b);
	assert_int_equal(b.accepted, b.delivered + b.bounced + b.expired + b.cancelled + b.queued);
	return b;
}

unsigned yard_files(struct yard *y)
{
	return each_file(y, false);
}
