/* base/buf.h - a growable run of bytes with a hard cap, read from the front and written at the end.
 * Owns:   its memory; buf_free() gives it back and leaves an empty buf that may be used again.
 * Fails:  E_LIMIT past the cap, -ENOMEM; a failed append leaves the buf as it was.
 * Limits: not thread-safe.  A slice from buf_data() is valid until the next call that writes. */
#pragma once
#include "base/base.h"

struct buf {
	char *p;
	size_t start, end, cap; /* bytes [start, end) are the content */
	size_t max;             /* 0: no cap of its own */
};

static inline size_t buf_len(const struct buf *b)
{
	return b->end - b->start;
}
static inline struct slice buf_data(const struct buf *b)
{
	return slice_of(b->p + b->start, b->end - b->start);
}
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_clear(struct buf *b);               /* keeps the memory */
void buf_shrink(struct buf *b, size_t keep); /* clears, and frees when more than keep is held */
int buf_reserve(struct buf *b, size_t n) MUST_CHECK; /* room for n more bytes at the end */
static inline char *buf_tail(struct buf *b)          /* after buf_reserve */
{
	return b->p + b->end;
}
static inline void buf_grow(struct buf *b, size_t n) /* n bytes were written at buf_tail */
{
	assert(b->end + n <= b->cap);
	b->end += n;
}
void buf_consume(struct buf *b, size_t n); /* drops n bytes from the front */
int buf_append(struct buf *b, struct slice s) MUST_CHECK;
int buf_append_byte(struct buf *b, char c) MUST_CHECK;
int buf_printf(struct buf *b, const char *format, ...) PRINTF(2, 3) MUST_CHECK;
/* For bufs without a cap that hold only our own small text: end the process when memory is gone. */
void buf_put(struct buf *b, struct slice s);
void buf_putf(struct buf *b, const char *format, ...) PRINTF(2, 3);
const char *buf_cstr(struct buf *b); /* ends in a NUL, which is not part of the content */
