/* Dot-stuffing: a run of bytes that may be copied as they are is found sixteen at a time; only the
 * byte that ends a run is looked at alone. */
#include "mta/smtp/stuff.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* A byte is odd when it may not simply be copied after its predecessor: a dot that begins a line,
 * an LF without CR before it, anything but LF after a CR. */
static bool is_odd(const struct stuff *st, char c)
{
	if (st->after_cr)
		return c != '\n';
	return c == '\n' || (c == '.' && !st->mid_line);
}

static void step_over(struct stuff *st, char c)
{
	st->after_cr = c == '\r';
	st->mid_line = c != '\n';
}

#ifdef __SSE2__
/* Leading bytes of p[0..15] that are not odd, 16 when none is; `st` is as before p[0]. */
static unsigned run_of_16(const struct stuff *st, const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	unsigned cr = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\r')));
	unsigned lf = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')));
	unsigned dot = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8('.')));
	unsigned want_lf = (cr << 1 | st->after_cr) & 0xffff;
	unsigned line_start = lf << 1 | !st->mid_line;
	unsigned odd = (lf ^ want_lf) | (dot & line_start);

	return odd ? (unsigned)__builtin_ctz(odd) : 16;
}
#endif

static size_t plain_run(struct stuff *st, const char *p, size_t n)
{
	size_t i = 0;

#ifdef __SSE2__
	while (n - i >= 16) {
		unsigned k = run_of_16(st, p + i);

		if (k)
			step_over(st, p[i + k - 1]);
		i += k;
		if (k < 16)
			return i;
	}
#endif
	while (i < n && !is_odd(st, p[i]))
		step_over(st, p[i++]);
	return i;
}

/* What an odd byte becomes; at most three bytes. */
static size_t put_odd(struct stuff *st, char *out, char c)
{
	size_t n = 0;

	if (st->after_cr) { /* and c is not LF: the line ends here */
		out[n++] = '\n';
		step_over(st, '\n');
	}
	if (c == '\n')
		out[n++] = '\r';
	else if (c == '.' && !st->mid_line)
		out[n++] = '.';
	out[n++] = c;
	step_over(st, c);
	return n;
}

size_t stuff_copy(struct stuff *st, char *out, size_t room, struct slice in, size_t *ret_used)
{
	size_t used = 0, n = 0;

	while (used < in.n) {
		size_t run = plain_run(st, in.p + used, MIN_OF(in.n - used, room - n));

		memcpy(out + n, in.p + used, run);
		n += run;
		used += run;
		if (used == in.n || room - n < STUFF_ROOM_MIN)
			break;
		if (is_odd(st, in.p[used])) {
			n += put_odd(st, out + n, in.p[used]);
			used++;
		}
	}
	*ret_used = used;
	return n;
}

static bool is_clean(struct stuff *st, struct slice s)
{
	size_t i = 0;

	while ((i += plain_run(st, s.p + i, s.n - i)) < s.n) {
		if (s.p[i] != '.' || st->after_cr)
			return false;
		step_over(st, s.p[i++]);
	}
	return true;
}

bool stuff_is_clean(struct slice head, struct slice message)
{
	struct stuff st = { 0 };

	return is_clean(&st, head) && is_clean(&st, message) && !st.mid_line && !st.after_cr;
}

size_t stuff_end(struct stuff *st, char *out)
{
	size_t n = 0;

	if (st->after_cr) {
		out[n++] = '\n';
	} else if (st->mid_line) {
		out[n++] = '\r';
		out[n++] = '\n';
	}
	memcpy(out + n, ".\r\n", 3);
	*st = (struct stuff){ 0 };
	return n + 3;
}
