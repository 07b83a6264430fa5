#include "base/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

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

struct slice slice_trim(struct slice s)
{
	while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = slice_skip(s, 1);
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

bool slice_strip(struct slice *s, struct slice prefix)
{
	if (s->n < prefix.n || (prefix.n && memcmp(s->p, prefix.p, prefix.n) != 0))
		return false;
	*s = slice_skip(*s, prefix.n);
	return true;
}

bool slice_cut(struct slice s, char at, struct slice *ret_before, struct slice *ret_after)
{
	const char *found = s.n ? memchr(s.p, at, s.n) : NULL;
	size_t n;

	if (!found)
		return false;
	n = (size_t)(found - s.p);
	*ret_before = slice_of(s.p, n);
	*ret_after = slice_skip(s, n + 1);
	return true;
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

static int hex_u64(struct slice s, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return E_SYNTAX;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return E_SYNTAX;
	}
	*ret = v;
	return 0;
}

int id_parse(struct slice s, struct id128 *ret)
{
	const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
	struct id128 id;
	int r;

	if (!dot)
		return E_SYNTAX;
	r = hex_u64(slice_of(s.p, (size_t)(dot - s.p)), &id.hi);
	if (r < 0)
		return r;
	r = hex_u64(slice_of(dot + 1, s.n - (size_t)(dot - s.p) - 1), &id.lo);
	if (r < 0)
		return r;
	*ret = id;
	return 0;
}
