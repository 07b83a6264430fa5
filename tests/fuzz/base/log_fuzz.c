/* Law: a line of the log, in either form, is one line, and reads back to the pairs that it was made
 * of: no value makes a field or a line, and what was cut is marked. */
#include <stdio.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PAIRS = 12 };
static const char *const keys[PAIRS] = {
	"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"
};

struct cursor {
	const char *p, *end;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void eat(struct cursor *c, const char *s)
{
	size_t n = strlen(s);

	must((size_t)(c->end - c->p) >= n && memcmp(c->p, s, n) == 0);
	c->p += n;
}

static bool sees(const struct cursor *c, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(c->end - c->p) >= n && memcmp(c->p, s, n) == 0;
}

/* A JSON string, as RFC 8259 has it. */
static void eat_string(struct cursor *c, struct buf *ret)
{
	eat(c, "\"");
	while (!sees(c, "\"")) {
		must(c->p < c->end && (unsigned char)*c->p >= 0x20 && *c->p != 0x7f);
		if (*c->p != '\\') {
			buf_put(ret, slice_of(c->p++, 1));
			continue;
		}
		c->p++;
		if (sees(c, "u")) {
			unsigned v;
			char hex[5] = "";
			must(c->end - c->p >= 5);
			memcpy(hex, c->p + 1, 4);
			must(sscanf(hex, "%4x", &v) == 1);
			if (v < 0x80)
				buf_putf(ret, "%c", (int)v);
			else if (v < 0x800)
				buf_putf(ret, "%c%c", (int)(0xc0 | v >> 6), (int)(0x80 | (v & 63)));
			else
				buf_putf(ret, "%c%c%c", (int)(0xe0 | v >> 12),
					 (int)(0x80 | (v >> 6 & 63)), (int)(0x80 | (v & 63)));
			c->p += 5;
		} else {
			must(sees(c, "\"") || sees(c, "\\"));
			buf_put(ret, slice_of(c->p++, 1));
		}
	}
	eat(c, "\"");
	must(utf8_valid(buf_data(ret)));
}

/* What a reader should get. */
static void expect(struct buf *out, struct slice s)
{
	while (s.n) {
		size_t n = utf8_length(s);
		buf_put(out, n ? slice_of(s.p, n) : SLICE("\xef\xbf\xbd"));
		s = slice_skip(s, n ? n : 1);
	}
}

static void check_value(struct cursor *c, const struct kv *kv, bool cut)
{
	struct buf got = { 0 }, want = { 0 };
	char number[32];

	if (kv->type == KV_STR) {
		eat_string(c, &got);
		expect(&want, kv->s);
		must(buf_len(&got) <= buf_len(&want));
		must(cut || buf_len(&got) == buf_len(&want));
		must(memcmp(buf_data(&got).p ? buf_data(&got).p : "",
			    buf_data(&want).p ? buf_data(&want).p : "", buf_len(&got)) == 0);
	} else if (kv->type == KV_BOOL) {
		eat(c, kv->i ? "true" : "false");
	} else {
		(void)snprintf(number, sizeof(number), "%lld", (long long)kv->i);
		eat(c, number);
	}
	buf_free(&got);
	buf_free(&want);
}

static void check(const char *line, size_t n, bool json, const struct kv *kv, unsigned n_kv)
{
	static const char *const tails[] = { " truncated=true\n", ",\"truncated\":true}\n" };
	struct cursor c = { line, line + n };
	size_t tail = strlen(tails[json]);
	bool cut = n > tail && memcmp(line + n - tail, tails[json], tail) == 0;
	char key[32];

	must(n <= LOG_LINE_MAX && memchr(line, '\n', n) == line + n - 1);
	eat(&c, json ? "{\"ts\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"event\":\"x.y\""
		     : "ts=2023-11-14T22:13:20.123Z level=info event=x.y");
	for (unsigned i = 0; i < n_kv; i++) {
		(void)snprintf(key, sizeof(key), json ? ",\"%s\":" : " %s=", kv[i].key);
		if (cut && !sees(&c, key))
			continue; /* it did not fit */
		eat(&c, key);
		check_value(&c, &kv[i], cut);
	}
	eat(&c, cut ? tails[json] : json ? "}\n" : "\n");
	must(c.p == c.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kv kv[PAIRS];
	struct slice rest = slice_of(data, size);
	char line[LOG_LINE_MAX];
	unsigned n = 0;

	/* A byte says the type and the length of a value, which follows. */
	for (; rest.n && n < PAIRS; n++) {
		unsigned char c = (unsigned char)*rest.p;
		size_t length = MIN_OF((size_t)(c & 63) * ((c & 128) ? 64 : 1), rest.n - 1);
		kv[n] = kv_slice(keys[n], slice_of(rest.p + 1, length));
		if (c == 64)
			kv[n] = kv_int(keys[n], (int64_t)size - 5000);
		else if (c == 65)
			kv[n] = kv_bool(keys[n], size & 1);
		rest = slice_skip(rest, 1 + (c == 64 || c == 65 ? 0 : length));
	}
	for (unsigned json = 0; json < 2; json++) {
		size_t length = log_line(line, json ? LOG_JSON : LOG_LOGFMT, 1700000000123,
					 LOG_INFO, "x.y", kv, n);
		check(line, length, json, kv, n);
	}
	return 0;
}
