/* base/log.c - one event as one line, logfmt or JSON. */
#include "base/log.h"

#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"

static _Atomic int log_fd = STDERR_FILENO;
static _Atomic int log_threshold = LOG_INFO;
static _Atomic int log_form = LOG_LOGFMT;
static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char *const format_names[] = { [LOG_LOGFMT] = "logfmt", [LOG_JSON] = "json" };

void log_open(int fd, enum log_level level)
{
	log_fd = fd;
	log_threshold = level;
}

void log_set_format(enum log_format format)
{
	log_form = format;
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

static int find_name(const char *const *names, unsigned n, struct slice s, unsigned *ret)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_eq(s, slice_str(names[i]))) {
			*ret = i;
			return 0;
		}
	return E_SYNTAX;
}

int log_level_parse(struct slice s, enum log_level *ret)
{
	unsigned i;

	if (find_name(level_names, ARRAY_LEN(level_names), s, &i) < 0)
		return E_SYNTAX;
	*ret = (enum log_level)i;
	return 0;
}

int log_format_parse(struct slice s, enum log_format *ret)
{
	unsigned i;

	if (find_name(format_names, ARRAY_LEN(format_names), s, &i) < 0)
		return E_SYNTAX;
	*ret = (enum log_format)i;
	return 0;
}

/* ---- one line while it is made ----------------------------------------------------------- */

static const struct slice tails[] = {
	[LOG_LOGFMT] = { " truncated=true\n", 16 }, [LOG_JSON] = { ",\"truncated\":true}\n", 19 }
};

struct log_text {
	char *p;
	size_t n, most; /* most: here the tail begins at the latest */
	bool json, cut;
};

/* False, and nothing was put: it does not fit. */
static bool put(struct log_text *l, size_t most, const char *s, size_t n)
{
	if (n > most - l->n)
		return false;
	memcpy(l->p + l->n, s, n);
	l->n += n;
	return true;
}

/* Bytes at the front that need no escape. */
static size_t plain(struct slice s)
{
	size_t n = 0;

	while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7f && s.p[n] != '"' && s.p[n] != '\\')
		n++;
	return n;
}

/* Controls, and what some readers take for the end of a line. */
static bool must_hide(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

/* One character that is not plain ASCII; gives the bytes it had, 0: it does not fit. */
static size_t put_odd(struct log_text *l, size_t most, struct slice s)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = utf8_length(s);
	uint32_t c = n ? utf8_code_point(s) : 0;

	if (!n)
		return put(l, most, "\xef\xbf\xbd", 3) ? 1 : 0;
	if (c == '"' || c == '\\')
		return put(l, most, c == '"' ? "\\\"" : "\\\\", 2) ? 1 : 0;
	if (must_hide(c)) {
		const char esc[] = {
			'\\',       'u', hex[c >> 12 & 15], hex[c >> 8 & 15], hex[c >> 4 & 15],
			hex[c & 15]
		};
		return put(l, most, esc, sizeof(esc)) ? n : 0;
	}
	return put(l, most, s.p, n) ? n : 0;
}

/* The value in quotes, cut where it is too long.  False: not even its quotes fit. */
static bool put_quoted(struct log_text *l, struct slice s)
{
	size_t most = MIN_OF(l->most - 1, l->n + LOG_VALUE_MAX);

	if (l->n + 2 > l->most || !put(l, l->most, "\"", 1))
		return false;
	while (s.n > 0) {
		size_t n = plain(s);
		if (n) {
			n = MIN_OF(n, most - l->n);
			(void)put(l, most, s.p, n);
		} else {
			n = put_odd(l, most, s);
		}
		if (!n)
			break;
		s = slice_skip(s, n);
	}
	l->cut |= s.n > 0;
	return put(l, l->most, "\"", 1);
}

static bool put_number(struct log_text *l, int64_t v)
{
	char digits[24], *p = digits + sizeof(digits);
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	do
		*--p = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	if (v < 0)
		*--p = '-';
	return put(l, l->most, p, (size_t)(digits + sizeof(digits) - p));
}

static bool put_value(struct log_text *l, const struct kv *pair)
{
	switch (pair->type) {
	case KV_INT:
		return put_number(l, pair->i);
	case KV_BOOL:
		return put(l, l->most, pair->i ? "true" : "false", pair->i ? 4 : 5);
	case KV_ERR:
		return put_quoted(l, slice_str(err_text((int)pair->i)));
	case KV_STR:
		break;
	}
	return put_quoted(l, pair->s);
}

static bool put_key(struct log_text *l, const char *key)
{
	size_t n = strlen(key);

	if (!l->json)
		return put(l, l->most, " ", 1) && put(l, l->most, key, n) &&
		       put(l, l->most, "=", 1);
	return put(l, l->most, ",\"", 2) && put(l, l->most, key, n) && put(l, l->most, "\":", 2);
}

static void put_pair(struct log_text *l, const struct kv *pair)
{
	size_t before = l->n;

	if (put_key(l, pair->key) && put_value(l, pair))
		return;
	l->n = before;
	l->cut = true;
}

/* Most lines of a thread have the second of the one before. */
static const char *time_text(int64_t wall_ms)
{
	static _Thread_local char text[RFC3339_MAX];
	static _Thread_local int64_t second = INT64_MIN;
	unsigned ms = (unsigned)(wall_ms % 1000);

	if (wall_ms < 0 || wall_ms / 1000 != second) {
		(void)clock_rfc3339(wall_ms, text);
		second = wall_ms < 0 ? INT64_MIN : wall_ms / 1000;
		return text;
	}
	for (unsigned i = 0; i < 3; i++, ms /= 10)
		text[22 - i] = (char)('0' + ms % 10);
	return text;
}

/* What every line begins with: our own words, which always fit and need no escape. */
static void put_head(struct log_text *l, int64_t wall_ms, const char *level, const char *event)
{
	const char *const between[2][3] = { { "ts=", " level=", " event=" },
					    { "{\"ts\":\"", "\",\"level\":\"",
					      "\",\"event\":\"" } };
	const char *const words[] = { time_text(wall_ms), level, event };

	for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
		(void)put(l, l->most, between[l->json][i], strlen(between[l->json][i]));
		(void)put(l, l->most, words[i], strlen(words[i]));
	}
	if (l->json)
		(void)put(l, l->most, "\"", 1);
}

size_t log_line(char *buf, enum log_format format, int64_t wall_ms, enum log_level level,
		const char *event, const struct kv *pairs, size_t n)
{
	struct log_text l = { .p = buf,
			      .most = LOG_LINE_MAX - tails[format].n,
			      .json = format == LOG_JSON };

	put_head(&l, wall_ms, level_names[level], event);
	for (size_t i = 0; i < n; i++)
		put_pair(&l, &pairs[i]);
	l.most = LOG_LINE_MAX;
	if (l.cut)
		(void)put(&l, l.most, tails[format].p, tails[format].n);
	else
		(void)put(&l, l.most, l.json ? "}\n" : "\n", l.json ? 2 : 1);
	return l.n;
}

void log_write(enum log_level level, const char *event, const struct kv *pairs, size_t n)
{
	enum log_format format =
	    (enum log_format)atomic_load_explicit(&log_form, memory_order_relaxed);
	char line[LOG_LINE_MAX];
	size_t length = log_line(line, format, clock_wall_ms(), level, event, pairs, n);

	(void)!write(log_fd, line, length);
}
