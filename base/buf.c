/* base/buf.c - a growable run of bytes. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void buf_clear(struct buf *b)
{
	b->start = b->end = 0;
}

void buf_shrink(struct buf *b, size_t keep)
{
	buf_clear(b);
	if (b->cap > keep)
		buf_free(b);
}

int buf_reserve(struct buf *b, size_t n)
{
	size_t len = buf_len(b), cap;
	char *p;

	if (b->max && (n > b->max || len > b->max - n))
		return E_LIMIT;
	if (b->cap - b->end >= n)
		return 0;
	if (b->start) {
		memmove(b->p, b->p + b->start, len);
		b->start = 0;
		b->end = len;
		if (b->cap - b->end >= n)
			return 0;
	}
	if (n > SIZE_MAX / 4 - len)
		return E_LIMIT;
	cap = MAX_OF(MAX_OF(b->cap * 2, len + n), (size_t)256);
	if (b->max)
		cap = MIN_OF(cap, b->max);
	p = realloc(b->p, cap);
	if (!p)
		return -ENOMEM;
	b->p = p;
	b->cap = cap;
	return 0;
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= buf_len(b));
	b->start += n;
	if (b->start == b->end)
		b->start = b->end = 0;
}

int buf_append(struct buf *b, struct slice s)
{
	int r = buf_reserve(b, s.n);

	if (r < 0)
		return r;
	if (s.n)
		memcpy(b->p + b->end, s.p, s.n);
	b->end += s.n;
	return 0;
}

int buf_append_byte(struct buf *b, char c)
{
	return buf_append(b, slice_of(&c, 1));
}

__attribute__((format(printf, 2, 0))) static int append_format(struct buf *b, const char *format,
							       va_list ap)
{
	va_list again;
	int n, r;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (n < 0)
		return -EINVAL;
	/* vsnprintf always writes a NUL: one byte more for it. */
	r = buf_reserve(b, (size_t)n + 1);
	if (r < 0)
		return r;
	(void)vsnprintf(b->p + b->end, (size_t)n + 1, format, ap);
	b->end += (size_t)n;
	return 0;
}

int buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = append_format(b, format, ap);
	va_end(ap);
	return r;
}

static void die_unless(int r)
{
	if (r < 0)
		abort();
}

void buf_put(struct buf *b, struct slice s)
{
	die_unless(buf_append(b, s));
}

void buf_putf(struct buf *b, const char *format, ...)
{
	va_list ap;
	int r;

	va_start(ap, format);
	r = append_format(b, format, ap);
	va_end(ap);
	die_unless(r);
}

const char *buf_cstr(struct buf *b)
{
	die_unless(buf_reserve(b, 1));
	b->p[b->end] = '\0';
	return b->p + b->start;
}
