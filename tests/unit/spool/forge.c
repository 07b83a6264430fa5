/* tests/unit/spool/forge.c - seals records of any kind and writes them as a segment. */
#include "tests/unit/spool/forge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>

#include "base/hash.h"
#include "spool/folder.h"

static const struct id128 spool_id = { 1, 2 };

void forge_begin(struct forge *f, struct disk_sim *sim, lsn_t start)
{
	f->sim = sim;
	f->n = SEGMENT_HEADER;
	f->header = (struct segment_header){ .magic = SEGMENT_MAGIC,
					     .version = FORMAT_VERSION,
					     .length = SEGMENT_HEADER,
					     .spool_hi = spool_id.hi,
					     .spool_lo = spool_id.lo,
					     .start = start };
}

void forge_end(struct forge *f)
{
	const struct disk *d = disk_sim_disk(f->sim);
	struct segment_header h = f->header;
	char name[SEGMENT_NAME];
	int fd;

	segment_header_seal(&h);
	memcpy(f->file, &h, sizeof(h));
	folder_segment_name(f->header.start, name);
	fd = d->open(d->self, 0, name, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(d->pwrite(d->self, fd, f->file, f->n, 0), f->n);
	assert_int_equal(d->sync_data(d->self, fd), 0);
	assert_int_equal(d->close(d->self, fd), 0);
}

lsn_t forge_record(struct forge *f, unsigned type, unsigned flags, struct slice payload)
{
	lsn_t lsn = f->header.start + f->n;
	struct record_header h = { .length = (uint32_t)payload.n,
				   .type = (uint8_t)type,
				   .flags = (uint8_t)flags };
	char *p = f->file + f->n;

	assert_true(f->n + record_size(payload.n) <= sizeof(f->file));
	record_seal(&h, hash_crc32c(0, payload.p, payload.n), lsn, record_salt(spool_id));
	memset(p, 0, record_size(payload.n));
	memcpy(p, &h, sizeof(h));
	if (payload.n)
		memcpy(p + sizeof(h), payload.p, payload.n);
	f->n += record_size(payload.n);
	return lsn;
}

struct id128 forge_id(uint64_t n)
{
	return (struct id128){ 2, n };
}

struct job_fixed forge_fixed(uint64_t n, uint32_t rows)
{
	return (struct job_fixed){ .id = forge_id(n), .content = { 3, n }, .rows = rows };
}

lsn_t forge_content(struct forge *f, uint64_t n)
{
	struct content_fixed c = { .id = { 3, n } };

	return forge_record(f, RECORD_CONTENT, 0, slice_of(&c, sizeof(c)));
}

lsn_t forge_job(struct forge *f, uint64_t n, uint32_t rows)
{
	struct job_fixed j = forge_fixed(n, rows);

	return forge_record(f, RECORD_JOB, 0, slice_of(&j, sizeof(j)));
}

lsn_t forge_copy(struct forge *f, uint64_t n, uint32_t rows, uint64_t ended, struct slice deferred)
{
	struct job_fixed j = forge_fixed(n, rows);
	uint32_t count = (uint32_t)(deferred.n / sizeof(struct deferred_row));
	struct buf b = { .max = 0 };
	lsn_t lsn;

	buf_put(&b, slice_of(&j, sizeof(j)));
	buf_put(&b, slice_of(&count, sizeof(count)));
	buf_put(&b, slice_of(&ended, (rows + 7) / 8));
	buf_put(&b, deferred);
	lsn = forge_record(f, RECORD_JOB, RECORD_COPY, buf_data(&b));
	buf_free(&b);
	return lsn;
}

lsn_t forge_outcome(struct forge *f, uint64_t n, uint32_t row, enum outcome_kind kind)
{
	struct outcome o = { .row = row, .kind = kind, .attempt = 1, .next_ms = 1000 };
	char bytes[OUTCOME_BYTES_MAX];
	size_t size = record_encode_outcome(bytes, forge_id(n), 1, 1, &o);

	return forge_record(f, RECORD_OUTCOME, 0, slice_of(bytes, size));
}

struct spool *forge_open(struct disk_sim *sim, int expected, struct spool_recovery *ret)
{
	struct spool_options o = { .dir = "spool",
				   .disk = disk_sim_disk(sim),
				   .segment_bytes = 8192,
				   .reserve_bytes = 1,
				   .recovery = ret };
	struct spool *sp = NULL;

	assert_int_equal(spool_open(&sp, &o), expected);
	return sp;
}

struct spool_audit forge_audit(struct disk_sim *sim, int expected)
{
	struct spool_audit a;

	assert_int_equal(spool_audit("spool", disk_sim_disk(sim), &a), expected);
	return a;
}
