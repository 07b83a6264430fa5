/* Recovery over arbitrary bytes.  Laws:
 *	recover(recover(x)) == recover(x);
 *	where the audit balances, its account and the books are the same;
 *	a log that was repaired opens, verifies and has the account that its books have;
 *	encode(decode(x)) == x for an outcome, or a fact about mail that came back, that decodes.
 * The first byte chooses: odd, the rest is the segment after its header as it stands; even, it is a
 * list of records (type, flags, length of two bytes, payload) that are sealed as ours, so that what
 * lies behind the checksums is reached. */
#include <fcntl.h>

#include "base/hash.h"
#include "spool/audit.h"
#include "spool/late_format.h"
#include "spool/repair.h"
#include "tests/crash/oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FILE_MAX = 1 << 20 };
static char file[FILE_MAX];

static size_t put_header(void)
{
	struct segment_header h = { .magic = SEGMENT_MAGIC,
				    .version = FORMAT_VERSION,
				    .length = SEGMENT_HEADER,
				    .spool_hi = 1,
				    .spool_lo = 2 };

	segment_header_seal(&h);
	memcpy(file, &h, sizeof(h));
	return sizeof(h);
}

static void check_outcome(const char *p, size_t n)
{
	char again[OUTCOME_BYTES_MAX];
	struct outcome_view v;

	if (record_decode_outcome(slice_of(p, n), &v) < 0)
		return;
	assert(record_encode_outcome(again, v.job, v.tenant, v.campaign, &v.o) == n);
	assert(memcmp(again, p, n) == 0);
}

static void check_fact(const char *p, size_t n)
{
	struct late_fixed again;
	struct late_view v;

	if (late_decode(slice_of(p, n), &v) < 0)
		return;
	again = late_fixed_of(&v.f, (uint32_t)v.f.report.n, v.packed);
	again.report_raw = v.raw_len;
	assert(memcmp(&again, p, sizeof(again)) == 0);
}

static size_t put_records(size_t at, const uint8_t *data, size_t size)
{
	uint64_t salt = record_salt((struct id128){ 1, 2 });

	while (size >= 4) {
		size_t n = MIN_OF((size_t)(data[2] | data[3] << 8), size - 4);
		struct record_header h = { .length = (uint32_t)n,
					   .type = data[0],
					   .flags = data[1] };
		if (at + record_size(n) > FILE_MAX)
			break;
		if (data[0] == RECORD_OUTCOME)
			check_outcome((const char *)data + 4, n);
		if (data[0] == RECORD_RETURNED)
			check_fact((const char *)data + 4, n);
		record_seal(&h, hash_crc32c(0, data + 4, n), at, salt);
		memcpy(file + at, &h, sizeof(h));
		memcpy(file + at + sizeof(h), data + 4, n);
		memset(file + at + sizeof(h) + n, 0, record_size(n) - sizeof(h) - n);
		at += record_size(n);
		data += 4 + n;
		size -= 4 + n;
	}
	return at;
}

static void write_file(struct disk_sim *sim, size_t n)
{
	const struct disk *d = disk_sim_disk(sim);
	int fd = d->open(d->self, 0, "0000000000000000.seg", O_RDWR | O_CREAT, 0600);

	assert(fd >= 0 && d->pwrite(d->self, fd, file, n, 0) == (ssize_t)n);
	assert(d->sync_data(d->self, fd) == 0 && d->sync_dir(d->self, 0) == 0);
	(void)d->close(d->self, fd);
}

static void check_repair(struct disk_sim *sim)
{
	struct spool_repair_options ro = { .dir = "", .disk = disk_sim_disk(sim), .apply = true };
	struct spool_options o = {
		.dir = "", .disk = disk_sim_disk(sim), .segment_bytes = 4096, .reserve_bytes = 1
	};
	struct spool_repair repaired;
	struct spool_verify verify;
	struct spool *sp = NULL;
	struct books books;
	int r;

	if (spool_repair(&ro, &repaired) < 0)
		return; /* records with the right checksum contradict each other */
	r = spool_verify("", disk_sim_disk(sim), NULL, NULL, &verify);
	assert(r == 0 && !verify.damaged);
	r = spool_open(&sp, &o);
	assert(r == 0);
	spool_books(sp, &books);
	assert(books.queued == repaired.books.queued && books.lost == repaired.books.lost);
	sp = spool_free(sp);
}

static void check_laws(struct disk_sim *sim)
{
	struct spool_options o = {
		.dir = "", .disk = disk_sim_disk(sim), .segment_bytes = 4096, .reserve_bytes = 1
	};
	struct spool_verify verify;
	struct spool_audit audit;
	struct books books;
	struct spool *sp = NULL;
	uint64_t digest;
	int r, audited = spool_audit("", disk_sim_disk(sim), &audit);

	(void)!spool_verify("", disk_sim_disk(sim), NULL, NULL, &verify);
	r = spool_open(&sp, &o);
	if (r < 0) {
		check_repair(sim);
		return;
	}
	spool_books(sp, &books);
	if (audited == 0 && audit.balanced)
		assert(audit.books.queued == books.queued &&
		       audit.books.accepted == books.accepted &&
		       audit.books.bounced == books.bounced &&
		       audit.books.returned == books.returned &&
		       audit.books.returned_mails == books.returned_mails &&
		       audit.books.returned_waiting == books.returned_waiting);
	digest = oracle_digest(sp);
	sp = spool_free(sp);
	r = spool_open(&sp, &o);
	assert(r == 0 && oracle_digest(sp) == digest);
	sp = spool_free(sp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(disk_sim) sim = disk_sim_new();
	size_t n = put_header();

	if (!size || size > FILE_MAX / 2)
		return 0;
	if (data[0] & 1) {
		memcpy(file + n, data + 1, size - 1);
		n += size - 1;
	} else {
		n = put_records(n, data + 1, size - 1);
	}
	write_file(sim, n);
	check_laws(sim);
	return 0;
}
