/* control/contacts/import_file.c - finding a file's character set, then decoding it. */
#include "control/contacts/import_file.h"

#include <fcntl.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

struct import_file {
	int fd;
	struct charset_decoder decoder;
	bool ended;
	struct buf text;
	char piece[PIECE];
};

struct import_file *import_file_free(struct import_file *f)
{
	if (!f)
		return NULL;
	if (f->fd >= 0)
		(void)close(f->fd);
	buf_free(&f->text);
	free(f);
	return NULL;
}

/* As much as there is, up to a whole piece. */
static ssize_t read_piece(struct import_file *f)
{
	size_t at = 0;

	while (at < PIECE) {
		ssize_t n = read(f->fd, f->piece + at, PIECE - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		at += (size_t)n;
	}
	return (ssize_t)at;
}

static int recognise(struct import_file *f)
{
	struct charset_scan scan = { 0 };
	ssize_t n;

	do {
		n = read_piece(f);
		if (n > 0)
			charset_scan(&scan, slice_of(f->piece, (size_t)n));
	} while (n > 0 && !scan.sure && !scan.binary);
	return n < 0 ? (int)n : charset_scan_end(&scan, &f->decoder.from);
}

int import_file_rewind(struct import_file *f)
{
	f->decoder.n_carry = 0;
	f->ended = false;
	return lseek(f->fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

int import_file_open(struct import_file **ret, const char *path)
{
	OWNED(import_file) f = must_alloc(sizeof(*f));
	int r;

	buf_init(&f->text, 0);
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0)
		return -errno;
	r = recognise(f);
	if (r >= 0)
		r = import_file_rewind(f);
	if (r < 0)
		return r;
	*ret = TAKE(f);
	return 0;
}

enum charset import_file_charset(const struct import_file *f)
{
	return f->decoder.from;
}

int import_file_next(struct import_file *f, struct slice *ret)
{
	ssize_t n;
	int r;

	if (f->ended)
		return 0;
	n = read_piece(f);
	if (n < 0)
		return (int)n;
	f->ended = n < PIECE;
	if (f->decoder.from == CHARSET_UTF8) {
		*ret = slice_of(f->piece, (size_t)n);
		return n > 0;
	}
	buf_clear(&f->text);
	r = charset_decode(&f->decoder, slice_of(f->piece, (size_t)n), f->ended, &f->text);
	if (r < 0)
		return r;
	*ret = buf_data(&f->text);
	return ret->n > 0;
}
