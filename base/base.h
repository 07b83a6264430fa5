/* base/base.h - the words every file of the house uses: slices, ownership marks, small macros.
 * Names:  slice_, must_, id_
 * Owns:   nothing; a slice never owns the bytes it shows.
 * Limits: GNU C11 (gcc or clang): cleanup attributes and statement expressions are used. */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define UNUSED __attribute__((unused))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN_OF(a, b) ((a) < (b) ? (a) : (b))
#define MAX_OF(a, b) ((a) > (b) ? (a) : (b))
#define container_of(p, type, member) ((type *)(void *)((char *)(p)-offsetof(type, member)))

/* A run of bytes that somebody else owns.  It may hold NUL and does not end in one. */
struct slice {
	const char *p;
	size_t n;
};
#define SLICE(lit) ((struct slice){ (lit), sizeof(lit) - 1 })

static inline struct slice slice_of(const void *p, size_t n)
{
	return (struct slice){ p, n };
}
static inline struct slice slice_str(const char *s)
{
	return (struct slice){ s, s ? strlen(s) : 0 };
}
bool slice_eq(struct slice a, struct slice b);
bool slice_eq_nocase(struct slice a, struct slice b); /* ASCII only, never the locale */
bool slice_starts_nocase(struct slice s, struct slice prefix);
/* The text after the first n bytes; n is at most s.n. */
static inline struct slice slice_skip(struct slice s, size_t n)
{
	return slice_of(s.p + n, s.n - n);
}
/* Without the spaces and tabs at either end. */
struct slice slice_trim(struct slice s);
/* The same for any set of bytes; NUL is never one of them. */
struct slice slice_trim_set(struct slice s, const char *set);
/* True when *s begins with the prefix, byte for byte; *s is then what follows it. */
bool slice_strip(struct slice *s, struct slice prefix);
/* Cuts at the first `at`: *ret_before and *ret_after are the text on either side of it.  False when
 * there is none; both are then unchanged. */
bool slice_cut(struct slice s, char at, struct slice *ret_before, struct slice *ret_after);
/* The same at the last `at`. */
bool slice_cut_last(struct slice s, char at, struct slice *ret_before, struct slice *ret_after);
/* Takes the text before the first `end`, or all of it when there is none; *rest is what follows. */
struct slice slice_take(struct slice *rest, char end);
/* Copies at most cap - 1 bytes into dst and adds a NUL.  Gives the number of bytes copied. */
size_t slice_copy(char *dst, size_t cap, struct slice s);
/* Decimal digits only, no sign, no space; -ERANGE past max, -EINVAL otherwise. */
int slice_u64(struct slice s, uint64_t max, uint64_t *ret) MUST_CHECK;
/* For secrets and tokens: the time it takes depends on the lengths only. */
bool slice_eq_secret(struct slice a, struct slice b);

static inline char ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* OWNED(thing) t = NULL: thing_free(t) runs on every way out.  TAKE(t) hands t on and leaves NULL.
 * A module whose objects may be OWNED writes DEFINE_OWNED(thing) in its header, after it has
 * declared `struct thing *thing_free(struct thing *)`. */
#define DEFINE_OWNED(name)                                                                         \
	static inline void name##_free_owned(struct name **p)                                      \
	{                                                                                          \
		if (*p)                                                                            \
			name##_free(*p);                                                           \
	}
#define OWNED(name) __attribute__((cleanup(name##_free_owned))) struct name *
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})
static inline void free_owned(void *p)
{
	free(*(void **)p);
}
static inline void close_owned_fd(int *fd)
{
	extern int close(int);
	if (*fd >= 0)
		(void)close(*fd);
}
#define OWNED_MEM __attribute__((cleanup(free_owned)))
#define OWNED_FD __attribute__((cleanup(close_owned_fd)))

/* For small allocations whose size we choose: these end the process when memory is gone.  Anything
 * that a peer sizes is bounded first and uses malloc with a check. */
void *must_alloc(size_t n) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *must_resize(void *p, size_t n) __attribute__((returns_nonnull));
char *must_copy(struct slice s) __attribute__((returns_nonnull)); /* NUL-terminated copy */

/* 128-bit id of a job or a content.  hi == 0: made by this engine (SMTP); else by control. */
struct id128 {
	uint64_t hi, lo;
};
static inline bool id_eq(struct id128 a, struct id128 b)
{
	return a.hi == b.hi && a.lo == b.lo;
}
#define ID_TEXT_MAX 40
/* "hi.lo" in lower-case hex, no leading zeros: 1f.a3c.  buf holds ID_TEXT_MAX bytes. */
char *id_format(struct id128 id, char *buf);
int id_parse(struct slice s, struct id128 *ret) MUST_CHECK;
