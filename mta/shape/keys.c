/* mta/shape/keys.c - the keys of a shape, and their values read and shown. */
#include "mta/shape/keys.h"

#include <stdarg.h>
#include <stdio.h>

#include "mta/smtp/ehlo.h"
#include "mta/smtp/tls_word.h"

enum { SEC = 1000, MINUTE = 60 * SEC, HOUR = 60 * MINUTE };
#define DAY_MS (24LL * HOUR)
#define PER_DAY_MAX (1000000LL * 86400)         /* a million per second */
#define BYTES_PER_DAY_MAX ((1LL << 34) * 86400) /* 16 GiB per second */

static const char *const adaptive_words[] = { "no", "yes", NULL };
static const char *const family_words[] = { "any", "ipv4", "ipv6", NULL };
#define BY_TENANT SHAPE_BY_TENANT
#define AT_PROVIDER SHAPE_AT_PROVIDER
#define OF_POOLS SHAPE_OF_POOLS
#define OWN SHAPE_OWN

/* clang-format off */
const struct shape_key_row shape_key_rows[SHAPE_KEYS] = {
	[SHAPE_CONNECTIONS] = { "connections", SHAPE_NUMBER, OWN, 1, 100000, NULL,
		"Most connections at a time to one site, over all lanes." },
	[SHAPE_CONNECTIONS_START] = { "connections.start", SHAPE_NUMBER, OF_POOLS, 1, 100000, NULL,
		"Connections with which a site begins; success raises them to \"connections\"." },
	[SHAPE_CONNECTIONS_KEPT] = { "connections.kept", SHAPE_NUMBER, OF_POOLS, 0, 1000, NULL,
		"How many of the connections never carry bulk mail; at most a quarter." },
	[SHAPE_CONNECTIONS_PER_SOURCE] = { "connections.per_source", SHAPE_NUMBER, 0, 1, 100000, NULL,
		"Most connections at a time to one site from one source." },
	[SHAPE_PROVIDER_CONNECTIONS] = { "provider.connections", SHAPE_NUMBER, AT_PROVIDER | OWN, 1, 1000000, NULL,
		"Most connections at a time to all sites of the provider together." },
	[SHAPE_ADAPTIVE] = { "adaptive", SHAPE_WORD, OF_POOLS, 0, 0, adaptive_words,
		"Whether trouble lowers connections and rate, and success raises them: yes or no." },
	[SHAPE_PROVIDER_ADAPTIVE] = { "provider.adaptive", SHAPE_WORD, AT_PROVIDER | OF_POOLS, 0, 0, adaptive_words,
		"Whether trouble at several sites of the provider slows all of them: yes or no." },
	[SHAPE_ADAPTIVE_FLOOR] = { "adaptive.floor", SHAPE_NUMBER, OF_POOLS, 1, 100000, NULL,
		"Connections of a source to a site that trouble leaves at least." },
	[SHAPE_ADAPTIVE_RATE] = { "adaptive.rate", SHAPE_PER_TIME, OF_POOLS, 1, PER_DAY_MAX, NULL,
		"Messages per time of a source to a site that trouble leaves at least." },
	[SHAPE_TRANSACTIONAL_SHARE] = { "transactional.share", SHAPE_NUMBER, OF_POOLS, 1, 99, NULL,
		"Percentage of the turns that transactional mail may take while bulk mail waits." },
	[SHAPE_MESSAGES] = { "messages", SHAPE_NUMBER, 0, 1, 1000000, NULL,
		"Most messages per connection." },
	[SHAPE_RECIPIENTS] = { "recipients", SHAPE_NUMBER, BY_TENANT, 1, 50, NULL,
		"Most recipients per transaction." },
	[SHAPE_RATE] = { "rate", SHAPE_PER_TIME, OWN, 0, PER_DAY_MAX, NULL,
		"Most messages per time to one site." },
	[SHAPE_BYTES] = { "bytes", SHAPE_BYTES_PER_TIME, OWN, 0, BYTES_PER_DAY_MAX, NULL,
		"Most bytes of messages per time to one site." },
	[SHAPE_PROVIDER_RATE] = { "provider.rate", SHAPE_PER_TIME, AT_PROVIDER | OWN, 0, PER_DAY_MAX, NULL,
		"Most messages per time to all sites of the provider together." },
	[SHAPE_PROVIDER_BYTES] = { "provider.bytes", SHAPE_BYTES_PER_TIME, AT_PROVIDER | OWN, 0, BYTES_PER_DAY_MAX, NULL,
		"Most bytes of messages per time to all sites of the provider together." },
	[SHAPE_IDLE] = { "idle", SHAPE_DURATION, 0, 0, 5 * MINUTE, NULL,
		"How long a connection without work is kept open." },
	[SHAPE_TIMEOUT_CONNECT] = { "timeout.connect", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for a connection." },
	[SHAPE_TIMEOUT_GREETING] = { "timeout.greeting", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the greeting." },
	[SHAPE_TIMEOUT_EHLO] = { "timeout.ehlo", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to EHLO." },
	[SHAPE_TIMEOUT_STARTTLS] = { "timeout.starttls", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to STARTTLS, and again for the handshake." },
	[SHAPE_TIMEOUT_MAIL] = { "timeout.mail", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to MAIL." },
	[SHAPE_TIMEOUT_RCPT] = { "timeout.rcpt", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to RCPT." },
	[SHAPE_TIMEOUT_DATA] = { "timeout.data", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to DATA." },
	[SHAPE_TIMEOUT_BLOCK] = { "timeout.block", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait until the host takes a block of the message." },
	[SHAPE_TIMEOUT_DOT] = { "timeout.dot", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to the final dot." },
	[SHAPE_TIMEOUT_RSET] = { "timeout.rset", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to RSET." },
	[SHAPE_TIMEOUT_QUIT] = { "timeout.quit", SHAPE_DURATION, 0, 100, HOUR, NULL,
		"Longest wait for the reply to QUIT." },
	[SHAPE_TLS] = { "tls", SHAPE_WORD, 0, 0, 0, tls_words,
		"How mail travels: never, may, encrypt, verify, dane, dane-only, mta-sts or opportunistic." },
	[SHAPE_FAMILY] = { "family", SHAPE_WORD, OF_POOLS, 0, 0, family_words,
		"Addresses of hosts that are used: any, ipv4 or ipv6." },
	[SHAPE_IGNORE] = { "ignore", SHAPE_KEYWORDS, 0, 0, 0, NULL,
		"EHLO keywords that are not made use of, such as PIPELINING; or \"none\"." },
	[SHAPE_BACKOFF_MIN] = { "backoff.min", SHAPE_DURATION, SHAPE_OF_HOSTS, 10, DAY_MS, NULL,
		"First pause of a site when none of its hosts can be reached; it doubles." },
	[SHAPE_BACKOFF_MAX] = { "backoff.max", SHAPE_DURATION, SHAPE_OF_HOSTS, 10, DAY_MS, NULL,
		"Longest pause of a site." },
	[SHAPE_HOST_BAD] = { "host.bad", SHAPE_DURATION, SHAPE_OF_HOSTS, 10, DAY_MS, NULL,
		"How long an address is not used after it failed." },
	[SHAPE_LIFE] = { "life", SHAPE_DURATION, BY_TENANT | OF_POOLS, MINUTE, 30 * DAY_MS, NULL,
		"How long a message is tried at most; a shorter life of its own counts." },
	[SHAPE_RETRY] = { "retry", SHAPE_SCHEDULE, BY_TENANT | OF_POOLS, SEC, 30 * DAY_MS, NULL,
		"Delays between tries; the last one repeats." },
};
/* clang-format on */

enum shape_key shape_key_find(struct slice name)
{
	unsigned i = 0;

	while (i < SHAPE_KEYS && !slice_eq(name, slice_str(shape_key_rows[i].name)))
		i++;
	return (enum shape_key)i;
}

/* ---- reading ----------------------------------------------------------------------------- */

int shape_wrong(char *error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(error, OPTION_ERROR_MAX, format, ap);
	va_end(ap);
	return E_SYNTAX;
}

static int expected(const struct shape_key_row *row, struct slice text, const char *what,
		    char *error)
{
	return shape_wrong(error, "%s: \"%.*s\" is not %s", row->name,
			   (int)MIN_OF(text.n, (size_t)60), text.p, what);
}

/* "10M/m": the time's factor comes from "1/m". */
static int read_bytes(struct slice text, int64_t *ret)
{
	struct slice size, time;
	int64_t bytes, per_day;
	char one[4] = "1/";

	if (!slice_cut(text, '/', &size, &time) || time.n != 1)
		return E_SYNTAX;
	one[2] = time.p[0];
	if (option_number(T_SIZE, size, &bytes) < 0 ||
	    option_number(T_RATE, slice_of(one, 3), &per_day) < 0 || bytes > INT64_MAX / per_day)
		return E_SYNTAX;
	*ret = bytes * per_day;
	return 0;
}

static int read_word(const struct shape_key_row *row, struct slice text, int64_t *ret)
{
	enum tls_word word;
	bool old;

	if (row->words == tls_words && tls_word_parse(text, &word, &old) == 0) {
		*ret = word; /* "must" keeps its meaning */
		return 0;
	}
	for (int64_t i = 0; row->words[i]; i++)
		if (slice_eq(text, slice_str(row->words[i]))) {
			*ret = i;
			return 0;
		}
	return E_SYNTAX;
}

static int read_keywords(struct slice text, int64_t *ret)
{
	int64_t bits = 0;

	if (!text.n)
		return E_SYNTAX;
	while (text.n && !slice_eq(text, SLICE("none"))) {
		unsigned bit = ehlo_keyword(slice_trim(slice_take(&text, ',')));
		if (!bit)
			return E_SYNTAX;
		bits |= bit;
	}
	*ret = bits;
	return 0;
}

static int read_schedule(const struct shape_key_row *row, struct slice text,
			 struct shape_schedule *ret)
{
	ret->n = 0;
	do {
		int64_t ms;
		struct slice step = slice_trim(slice_take(&text, ','));
		if (ret->n == SHAPE_STEPS_MAX || option_number(T_DURATION, step, &ms) < 0 ||
		    ms < row->min || ms > row->max)
			return E_SYNTAX;
		ret->ms[ret->n++] = ms;
	} while (text.n);
	return 0;
}

static const struct {
	enum option_type type;
	const char *what;
} units[] = {
	[SHAPE_NUMBER] = { T_INT, "a number" },
	[SHAPE_DURATION] = { T_DURATION, "a duration such as 30s" },
	[SHAPE_PER_TIME] = { T_RATE, "a rate such as 100/s, 600/m, 20000/h, 100000/d, or none" },
	[SHAPE_BYTES_PER_TIME] = { T_SIZE, "a rate of bytes such as 10M/m, or none" },
	[SHAPE_WORD] = { T_STR, "one of its words" },
	[SHAPE_KEYWORDS] = { T_STR, "EHLO keywords such as PIPELINING, or none" },
	[SHAPE_SCHEDULE] = { T_STR, "a list of at most 16 durations from 1s to 30d" },
};

static int read_number(const struct shape_key_row *row, struct slice text, int64_t *ret)
{
	bool rate = row->unit == SHAPE_PER_TIME || row->unit == SHAPE_BYTES_PER_TIME;

	if (rate && slice_eq(text, SLICE("none"))) {
		*ret = 0;
		return 0;
	}
	if (row->unit == SHAPE_BYTES_PER_TIME)
		return read_bytes(text, ret);
	return option_number(units[row->unit].type, text, ret);
}

/* A rate of nothing would stop the mail: there is a hold for that. */
static int check_bounds(const struct shape_key_row *row, struct slice text, int64_t v, char *error)
{
	bool rate = row->unit == SHAPE_PER_TIME || row->unit == SHAPE_BYTES_PER_TIME;
	struct buf least, most;

	if (rate && v == 0 && !slice_eq(text, SLICE("none")))
		return shape_wrong(
		    error,
		    "%s: a rate of 0 sends nothing: use an order to hold, or none for no limit",
		    row->name);
	if (v >= row->min && v <= row->max)
		return 0;
	buf_init(&least, 0);
	buf_init(&most, 0);
	option_number_show(rate ? T_RATE : units[row->unit].type, row->min, &least);
	option_number_show(rate ? T_RATE : units[row->unit].type, row->max, &most);
	(void)shape_wrong(error, "%s: must lie between %s and %s", row->name, buf_cstr(&least),
			  buf_cstr(&most));
	buf_free(&least);
	buf_free(&most);
	return E_SYNTAX;
}

static int expected_word(const struct shape_key_row *row, struct slice text, char *error)
{
	struct buf words;

	buf_init(&words, 0);
	for (unsigned i = 0; row->words[i]; i++)
		buf_putf(&words, "%s%s", i ? ", " : "", row->words[i]);
	(void)shape_wrong(error, "%s: \"%.*s\" is not one of: %s", row->name,
			  (int)MIN_OF(text.n, (size_t)60), text.p, buf_cstr(&words));
	buf_free(&words);
	return E_SYNTAX;
}

int shape_value_read(enum shape_key key, struct slice text, int64_t *ret,
		     struct shape_schedule *schedule, char *error)
{
	const struct shape_key_row *row = &shape_key_rows[key];
	int r;

	*ret = 0;
	switch (row->unit) {
	case SHAPE_WORD:
		return read_word(row, text, ret) < 0 ? expected_word(row, text, error) : 0;
	case SHAPE_KEYWORDS:
		r = read_keywords(text, ret);
		break;
	case SHAPE_SCHEDULE:
		r = read_schedule(row, text, schedule);
		break;
	default:
		r = read_number(row, text, ret);
		if (r == 0)
			return check_bounds(row, text, *ret, error);
	}
	return r < 0 ? expected(row, text, units[row->unit].what, error) : 0;
}

/* ---- showing ----------------------------------------------------------------------------- */

static void show_bytes(int64_t per_day, struct buf *out)
{
	static const struct {
		int64_t factor;
		char unit;
	} times[] = { { 86400, 's' }, { 1440, 'm' }, { 24, 'h' }, { 1, 'd' } };
	unsigned i = 0;

	while (per_day % times[i].factor != 0)
		i++;
	option_number_show(T_SIZE, per_day / times[i].factor, out);
	buf_putf(out, "/%c", times[i].unit);
}

static void show_keywords(int64_t bits, struct buf *out)
{
	static const char *const known[] = { "PIPELINING", "SIZE",     "8BITMIME",
					     "STARTTLS",   "SMTPUTF8", "ENHANCEDSTATUSCODES",
					     "CHUNKING" };
	bool any = false;

	for (unsigned i = 0; i < ARRAY_LEN(known); i++)
		if (ehlo_keyword(slice_str(known[i])) & (unsigned)bits) {
			buf_putf(out, "%s%s", any ? ", " : "", known[i]);
			any = true;
		}
	if (!any)
		buf_put(out, SLICE("none"));
}

static void show_schedule(const struct shape_schedule *s, struct buf *out)
{
	for (unsigned i = 0; i < s->n; i++) {
		buf_put(out, i ? SLICE(", ") : SLICE(""));
		option_number_show(T_DURATION, s->ms[i], out);
	}
}

void shape_value_show(enum shape_key key, int64_t v, const struct shape_schedule *schedule,
		      struct buf *out)
{
	const struct shape_key_row *row = &shape_key_rows[key];
	bool rate = row->unit == SHAPE_PER_TIME || row->unit == SHAPE_BYTES_PER_TIME;

	if (rate && v == 0)
		buf_put(out, SLICE("none"));
	else if (row->unit == SHAPE_BYTES_PER_TIME)
		show_bytes(v, out);
	else if (row->unit == SHAPE_WORD)
		buf_put(out, slice_str(row->words[v]));
	else if (row->unit == SHAPE_KEYWORDS)
		show_keywords(v, out);
	else if (row->unit == SHAPE_SCHEDULE)
		show_schedule(schedule, out);
	else
		option_number_show(units[row->unit].type, v, out);
}
