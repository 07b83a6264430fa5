/* base/log.c - one event as one line. */
#include "base/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encode.h"

enum { LINE_MAX_BYTES = 4096 };

static int log_fd = STDERR_FILENO;
static _Atomic int log_threshold = LOG_INFO;
static const char *const level_names[] = { "error", "warn", "info", "debug" };

void log_open(int fd, enum log_level level)
{
	log_fd = fd;
	log_threshold = level;
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_threshold, memory_order_relaxed);
}

int log_level_parse(struct slice s, enum log_level *ret)
{
	for (unsigned i = 0; i < ARRAY_LEN(level_names); i++)
		if (slice_eq(s, slice_str(level_names[i]))) {
			*ret = (enum log_level)i;
			return 0;
		}
	return E_SYNTAX;
}

/* One line while it is made.  What does not fit is dropped. */
struct log_line {
	char p[LINE_MAX_BYTES];
	size_t n;
};

static size_t room(const struct log_line *l)
{
	const size_t most = sizeof(l->p) - 2; /* a closing quote and the newline always fit */

	return l->n < most ? most - l->n : 0;
}

static void put(struct log_line *l, const char *s, size_t n)
{
	n = MIN_OF(n, room(l));
	memcpy(l->p + l->n, s, n);
	l->n += n;
}

static void put_str(struct log_line *l, const char *s)
{
	put(l, s, strlen(s));
}

static void put_escaped(struct log_line *l, struct slice s)
{
	put(l, "\"", 1);
	while (s.n > 0) {
		unsigned char c = (unsigned char)s.p[0];
		size_t n = utf8_length(s);
		char hex[8];
		if (c == '"' || c == '\\') {
			char pair[2] = { '\\', (char)c };
			put(l, pair, 2);
			n = 1;
		} else if (n == 0 || c < 0x20 || c == 0x7f ||
			   (c == 0xc2 && n == 2 && (unsigned char)s.p[1] < 0xa0)) {
			(void)snprintf(hex, sizeof(hex), "\\x%02x", c);
			put_str(l, hex);
			n = 1;
		} else {
			put(l, s.p, n);
		}
		s = slice_skip(s, n);
	}
	if (l->n < sizeof(l->p) - 1)
		l->p[l->n++] = '"';
}

void log_write(enum log_level level, const char *event, const struct kv *pairs, size_t n)
{
	struct log_line l = { .n = 0 };
	char text[RFC3339_MAX];

	put_str(&l, "time=");
	put_str(&l, clock_rfc3339(clock_wall_ms(), text));
	put_str(&l, " level=");
	put_str(&l, level_names[level]);
	put_str(&l, " event=");
	put_str(&l, event);
	for (size_t i = 0; i < n; i++) {
		put(&l, " ", 1);
		put_str(&l, pairs[i].key);
		put(&l, "=", 1);
		if (pairs[i].type == KV_INT) {
			(void)snprintf(text, sizeof(text), "%" PRId64, pairs[i].i);
			put_str(&l, text);
		} else if (pairs[i].type == KV_ERR) {
			put_escaped(&l, slice_str(err_text((int)pairs[i].i)));
		} else {
			put_escaped(&l, pairs[i].s);
		}
	}
	l.p[l.n++] = '\n';
	(void)!write(log_fd, l.p, l.n);
}
