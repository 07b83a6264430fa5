/* spool/durable.c - reads and writes the second record of how far the log was durable. */
#include "spool/durable.h"

#include <fcntl.h>

#include "base/hash.h"

#define DURABLE_MAGIC 0x315255444e545350ULL /* "PSTNDUR1" */

struct durable_file {
	uint64_t magic;
	uint64_t spool_hi, spool_lo;
	uint64_t lsn;
	uint8_t zero[28];
	uint32_t crc;
};
static_assert(sizeof(struct durable_file) == 64, "no padding");

static uint32_t crc_of(const struct durable_file *f)
{
	return hash_crc32c(0, f, offsetof(struct durable_file, crc));
}

int durable_read(const struct disk *d, int dirfd, struct durable_mark *ret)
{
	struct durable_file f;
	int fd = d->open(d->self, dirfd, DURABLE_NAME, O_RDONLY, 0);
	ssize_t n;

	*ret = (struct durable_mark){ .lsn = 0 };
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	n = d->pread(d->self, fd, &f, sizeof(f), 0);
	(void)d->close(d->self, fd);
	if (n < 0)
		return (int)n;
	if (n == sizeof(f) && f.magic == DURABLE_MAGIC && f.crc == crc_of(&f))
		*ret = (struct durable_mark){ { f.spool_hi, f.spool_lo }, f.lsn };
	return 0;
}

int durable_write(const struct disk *d, int dirfd, int *fd, const struct durable_mark *mark)
{
	struct durable_file f = { .magic = DURABLE_MAGIC,
				  .spool_hi = mark->spool.hi,
				  .spool_lo = mark->spool.lo,
				  .lsn = mark->lsn };
	bool fresh = *fd < 0;
	ssize_t n;
	int r;

	f.crc = crc_of(&f);
	if (fresh)
		*fd = d->open(d->self, dirfd, DURABLE_NAME, O_RDWR | O_CREAT, 0600);
	if (*fd < 0)
		return *fd;
	n = d->pwrite(d->self, *fd, &f, sizeof(f), 0);
	if (n != sizeof(f))
		return n < 0 ? (int)n : -EIO;
	r = d->sync_data(d->self, *fd);
	return r >= 0 && fresh ? d->sync_dir(d->self, dirfd) : r;
}
