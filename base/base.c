/* base/base.c - slices, allocations that end the process, ids as text. */
#include "base/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"

bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	return s.n >= prefix.n && slice_eq_nocase(slice_of(s.p, prefix.n), prefix);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
			return false;
	return true;
}

static bool is_in(char c, const char *set)
{
	return c && strchr(set, c);
}

struct slice slice_trim_set(struct slice s, const char *set)
{
	while (s.n && is_in(s.p[0], set))
		s = slice_skip(s, 1);
	while (s.n && is_in(s.p[s.n - 1], set))
		s.n--;
	return s;
}

struct slice slice_trim(struct slice s)
{
	return slice_trim_set(s, " \t");
}

bool slice_strip(struct slice *s, struct slice prefix)
{
	if (s->n < prefix.n || (prefix.n && memcmp(s->p, prefix.p, prefix.n) != 0))
		return false;
	*s = slice_skip(*s, prefix.n);
	return true;
}

static bool cut_at(struct slice s, const char *found, struct slice *ret_before,
		   struct slice *ret_after)
{
	size_t n;

	if (!found)
		return false;
	n = (size_t)(found - s.p);
	*ret_before = slice_of(s.p, n);
	*ret_after = slice_skip(s, n + 1);
	return true;
}

bool slice_cut(struct slice s, char at, struct slice *ret_before, struct slice *ret_after)
{
	const char *found = s.n ? memchr(s.p, at, s.n) : NULL;

	return cut_at(s, found, ret_before, ret_after);
}

bool slice_cut_last(struct slice s, char at, struct slice *ret_before, struct slice *ret_after)
{
	const char *found = s.n ? memrchr(s.p, at, s.n) : NULL;

	return cut_at(s, found, ret_before, ret_after);
}

struct slice slice_take(struct slice *rest, char end)
{
	struct slice taken = *rest;

	if (rest->n && !slice_cut(*rest, end, &taken, rest))
		*rest = slice_skip(*rest, rest->n);
	return taken;
}

size_t slice_copy(char *dst, size_t cap, struct slice s)
{
	size_t n = MIN_OF(s.n, cap - 1);

	assert(cap > 0);
	if (n)
		memcpy(dst, s.p, n);
	dst[n] = '\0';
	return n;
}

int slice_u64(struct slice s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0)
		return -EINVAL;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return -EINVAL;
		uint64_t d = (uint64_t)(s.p[i] - '0');
		if (v > (max - d) / 10 || d > max)
			return -ERANGE;
		v = v * 10 + d;
	}
	*ret = v;
	return 0;
}

bool slice_eq_secret(struct slice a, struct slice b)
{
	volatile unsigned char diff = 0;

	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		diff = (unsigned char)(diff | ((unsigned char)a.p[i] ^ (unsigned char)b.p[i]));
	return diff == 0;
}

static void out_of_memory(void)
{
	static const char text[] = "out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

void *must_alloc(size_t n)
{
	void *p = calloc(1, n ? n : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *must_resize(void *p, size_t n)
{
	void *q = realloc(p, n ? n : 1);

	if (!q)
		out_of_memory();
	return q;
}

char *must_copy(struct slice s)
{
	char *p = must_alloc(s.n + 1);

	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

char *id_format(struct id128 id, char *buf)
{
	(void)snprintf(buf, ID_TEXT_MAX, "%" PRIx64 ".%" PRIx64, id.hi, id.lo);
	return buf;
}

int id_parse(struct slice s, struct id128 *ret)
{
	struct slice hi, lo;
	struct id128 id;

	if (!slice_cut(s, '.', &hi, &lo) || hex_u64(hi, &id.hi) < 0 || hex_u64(lo, &id.lo) < 0)
		return E_SYNTAX;
	*ret = id;
	return 0;
}
