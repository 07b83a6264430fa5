/* spool/beside.c - whole files beside the log. */
#include "spool/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static int put_all(const struct disk *d, int fd, struct slice bytes)
{
	int r = 0;

	for (size_t at = 0; at < bytes.n && r >= 0;) {
		ssize_t n = d->pwrite(d->self, fd, bytes.p + at, bytes.n - at, at);
		r = n > 0 ? 0 : n < 0 ? (int)n : -EIO;
		at += n > 0 ? (size_t)n : 0;
	}
	if (r >= 0)
		r = d->truncate(d->self, fd, bytes.n);
	return r >= 0 ? d->sync_data(d->self, fd) : r;
}

int beside_write(const struct disk *d, int dirfd, const char *name, struct slice bytes)
{
	char other[BESIDE_NAME_MAX + 8];
	int fd, r;

	(void)snprintf(other, sizeof(other), "%s.new", name);
	fd = d->open(d->self, dirfd, other, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	r = put_all(d, fd, bytes);
	(void)d->close(d->self, fd);
	if (r >= 0)
		r = d->rename(d->self, dirfd, other, name);
	return r >= 0 ? d->sync_dir(d->self, dirfd) : r;
}

static int take_all(const struct disk *d, int fd, uint64_t max, struct buf *out)
{
	uint64_t size;
	ssize_t n = 0;
	int r = d->size(d->self, fd, &size);

	if (r >= 0 && size > max)
		r = E_LIMIT;
	if (r >= 0)
		r = buf_reserve(out, size + 1);
	for (uint64_t at = 0; r >= 0 && at < size; at += (uint64_t)n) {
		n = d->pread(d->self, fd, buf_tail(out), size - at, at);
		r = n > 0 ? 0 : n < 0 ? (int)n : E_EOF;
		if (r >= 0)
			buf_grow(out, (size_t)n);
	}
	return r;
}

int beside_read(const struct disk *d, int dirfd, const char *name, uint64_t max, struct buf *out)
{
	int fd = d->open(d->self, dirfd, name, O_RDONLY, 0), r;

	if (fd < 0)
		return fd;
	r = take_all(d, fd, max, out);
	(void)d->close(d->self, fd);
	return r < 0 ? r : 0;
}
