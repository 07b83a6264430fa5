/* dkim/canon.c - relaxed canonicalisation of fields and body. */
#include "dkim/canon.h"

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

int canon_field(struct slice text, size_t name_n, size_t colon, bool crlf, struct buf *out)
{
	const char *p = text.p + colon + 1, *end = text.p + text.n;
	bool space = false;
	char *o;
	int r = buf_reserve(out, text.n + 3);

	if (r < 0)
		return r;
	o = buf_tail(out);
	for (size_t i = 0; i < name_n; i++)
		*o++ = ascii_lower(text.p[i]);
	*o++ = ':';
	while (p < end && (is_wsp(*p) || *p == '\r' || *p == '\n'))
		p++;
	for (; p < end; p++) {
		if (is_wsp(*p) || *p == '\r' || *p == '\n') {
			space = true;
			continue;
		}
		if (space)
			*o++ = ' ';
		space = false;
		*o++ = *p;
	}
	if (crlf) {
		*o++ = '\r';
		*o++ = '\n';
	}
	buf_grow(out, (size_t)(o - buf_tail(out)));
	return 0;
}

/* Short runs are collected first: one call of the hash costs as much as hashing
 * some hundred bytes. */
enum { STAGE = 2048, STAGE_RUN_MAX = 512 };
struct stage {
	EVP_MD_CTX *hash;
	size_t n;
	bool failed;
	char bytes[STAGE];
};

static void stage_flush(struct stage *s)
{
	if (s->n && EVP_DigestUpdate(s->hash, s->bytes, s->n) != 1)
		s->failed = true;
	s->n = 0;
}

static void stage_put(struct stage *s, const char *p, size_t n)
{
	if (n > STAGE - s->n || n > STAGE_RUN_MAX)
		stage_flush(s);
	if (n > STAGE_RUN_MAX) {
		if (EVP_DigestUpdate(s->hash, p, n) != 1)
			s->failed = true;
		return;
	}
	memcpy(s->bytes + s->n, p, n);
	s->n += n;
}

/* The end of the last line that is not blank, without its own blanks and line end. */
static const char *trim_end(struct slice body)
{
	const char *end = body.p + body.n;

	for (;;) {
		while (end > body.p && is_wsp(end[-1]))
			end--;
		if (end - body.p < 2 || end[-1] != '\n' || end[-2] != '\r')
			return end;
		end -= 2;
	}
}

/* The first byte that might have to change: any byte up to and including the space. */
static const char *next_special(const char *p, const char *end)
{
#ifdef __SSE2__
	typedef char vec __attribute__((vector_size(16)));
	vec v;

	for (; end - p >= 16; p += 16) {
		memcpy(&v, p, 16);
		unsigned bits =
		    (unsigned)__builtin_ia32_pmovmskb128((v == ' ') | (v == '\t') | (v == '\r'));
		if (bits)
			return p + __builtin_ctz(bits);
	}
#endif
	while (p < end && *p != ' ' && *p != '\t' && *p != '\r')
		p++;
	return p;
}

static const char *skip_wsp(const char *p, const char *end)
{
	while (p < end && is_wsp(*p))
		p++;
	return p;
}

int canon_body(struct slice body, EVP_MD_CTX *hash)
{
	const char *p = body.p, *end = trim_end(body), *run = p;
	struct stage s;

	s.hash = hash;
	s.n = 0;
	s.failed = false;
	if (p == end)
		return 0;
	while ((p = next_special(p, end)) < end) {
		const char *q = skip_wsp(p, end);
		bool eol = q < end && *q == '\r';

		if (eol && (q + 1 == end || q[1] != '\n'))
			return E_SYNTAX;
		if (p < q && (eol || q - p > 1 || *p == '\t')) {
			stage_put(&s, run, (size_t)(p - run));
			if (!eol)
				stage_put(&s, " ", 1);
			run = q;
		}
		p = eol ? q + 2 : q;
	}
	stage_put(&s, run, (size_t)(end - run));
	stage_put(&s, "\r\n", 2);
	stage_flush(&s);
	return s.failed ? E_CRYPTO : 0;
}
