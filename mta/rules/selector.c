/* mta/rules/selector.c - text to selector and back. */
#include "mta/rules/selector.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/options.h"
#include "message/judge/class.h"

enum { AGE_MAX_DAYS = 3660 };

enum value_kind {
	VALUE_OF_NUMBER,
	VALUE_OF_TEXT,
	VALUE_OF_IP,
	VALUE_OF_ID,
	VALUE_OF_ROW,
	VALUE_OF_AGE,
	VALUE_OF_COUNT,
	VALUE_OF_CLASS
};

static const struct {
	const char *name;
	enum value_kind kind;
	bool lower; /* case does not count: it is printed in lower case */
} keys[SELECT_KEYS] = {
	[SELECT_TENANT] = { "tenant", VALUE_OF_NUMBER, false },
	[SELECT_CAMPAIGN] = { "campaign", VALUE_OF_NUMBER, false },
	[SELECT_STREAM] = { "stream", VALUE_OF_TEXT, false },
	[SELECT_DOMAIN] = { "domain", VALUE_OF_TEXT, true },
	[SELECT_PROVIDER] = { "provider", VALUE_OF_TEXT, false },
	[SELECT_SITE] = { "site", VALUE_OF_TEXT, false },
	[SELECT_SOURCE] = { "source", VALUE_OF_IP, false },
	[SELECT_POOL] = { "pool", VALUE_OF_TEXT, false },
	[SELECT_SENDER] = { "sender", VALUE_OF_TEXT, false },
	[SELECT_RECIPIENT] = { "recipient", VALUE_OF_TEXT, false },
	[SELECT_JOB] = { "job", VALUE_OF_ID, false },
	[SELECT_RCPT] = { "rcpt", VALUE_OF_ROW, false },
	[SELECT_AGE] = { "age", VALUE_OF_AGE, false },
	[SELECT_ATTEMPTS] = { "attempts", VALUE_OF_COUNT, false },
	[SELECT_CLASS] = { "class", VALUE_OF_CLASS, false },
	[SELECT_REPLY] = { "reply", VALUE_OF_TEXT, false },
};

const char *selector_key_name(enum selector_key key)
{
	return keys[key].name;
}

static bool has_address(enum selector_key key)
{
	return key == SELECT_SENDER || key == SELECT_RECIPIENT;
}

static bool is_compared(enum selector_key key)
{
	return keys[key].kind == VALUE_OF_AGE || keys[key].kind == VALUE_OF_COUNT;
}

enum selector_key selector_key_of(struct slice *word)
{
	if (slice_strip(word, SLICE("message/")))
		return SELECT_JOB;
	for (unsigned k = 0; k < SELECT_KEYS; k++) {
		struct slice rest = *word;
		if (!slice_strip(&rest, slice_str(keys[k].name)) || !rest.n)
			continue;
		if (is_compared((enum selector_key)k) ? !strchr("<>=", *rest.p) : *rest.p != '/')
			continue;
		*word = is_compared((enum selector_key)k) ? rest : slice_skip(rest, 1);
		return (enum selector_key)k;
	}
	return SELECT_KEYS;
}

/* ---- reading ----------------------------------------------------------------------------- */

static int PRINTF(2, 3) wrong(char *fault, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	if (fault)
		(void)vsnprintf(fault, SELECTOR_FAULT_MAX, format, ap);
	va_end(ap);
	return E_SYNTAX;
}

static int read_class(struct slice value, uint64_t *ret)
{
	enum judge_class class;
	char word[64];
	int r;

	if (value.n >= sizeof(word))
		return E_SYNTAX;
	slice_copy(word, sizeof(word), value);
	for (char *at = word; *at; at++)
		*at = *at == ' ' ? '-' : ascii_lower(*at);
	r = judge_class_parse(slice_str(word), &class);
	if (r == 0)
		*ret = class;
	return r < 0 ? E_SYNTAX : 0;
}

static int read_row(struct slice value, struct selector_term *t)
{
	struct slice id, number;
	uint64_t row;

	if (!slice_cut(value, ':', &id, &number) || id_parse(id, &t->job) < 0)
		return E_SYNTAX;
	if (slice_u64(number, UINT32_MAX, &row) < 0)
		return E_SYNTAX;
	t->row = (uint32_t)row;
	return 0;
}

static int read_compared(struct slice value, struct selector_term *t)
{
	int64_t ms;

	t->sign = *value.p;
	value = slice_skip(value, 1);
	if (t->key == SELECT_ATTEMPTS)
		return slice_u64(value, UINT16_MAX, &t->number);
	if (t->sign == '=' || option_number(T_DURATION, value, &ms) < 0 || ms < 0 ||
	    ms > (int64_t)AGE_MAX_DAYS * 86400000)
		return E_SYNTAX;
	t->number = (uint64_t)ms;
	return 0;
}

static int read_value(struct slice value, struct selector_term *t)
{
	switch (keys[t->key].kind) {
	case VALUE_OF_NUMBER:
		return slice_u64(value, UINT64_MAX, &t->number);
	case VALUE_OF_TEXT:
		t->text = value;
		return value.n && (t->key != SELECT_DOMAIN || value.n < 255) ? 0 : E_SYNTAX;
	case VALUE_OF_IP:
		return ip_parse(value, &t->ip);
	case VALUE_OF_ID:
		return id_parse(value, &t->job);
	case VALUE_OF_ROW:
		return read_row(value, t);
	case VALUE_OF_AGE:
	case VALUE_OF_COUNT:
		return value.n > 1 ? read_compared(value, t) : E_SYNTAX;
	case VALUE_OF_CLASS:
		return read_class(value, &t->number);
	}
	return E_SYNTAX;
}

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == '\x7f';
}

/* How much of s is a quoted local part and what follows it (RFC 5321 section 4.1.2); 0: it is
 * none. */
static size_t quoted_address(struct slice s)
{
	size_t n = 1;

	while (n < s.n && s.p[n] != '"' && !is_control(s.p[n]))
		n += s.p[n] == '\\' && n + 1 < s.n && !is_control(s.p[n + 1]) ? 2 : 1;
	if (n + 1 >= s.n || s.p[n] != '"' || s.p[n + 1] != '@')
		return 0;
	while (n < s.n && s.p[n] != ' ' && !is_control(s.p[n]))
		n++;
	return n;
}

static size_t quoted(struct slice s)
{
	const char quote = *s.p;
	size_t n = 1;

	while (n < s.n && s.p[n] != quote && !is_control(s.p[n]))
		n++;
	return n < s.n && s.p[n] == quote ? n + 1 : 0;
}

static size_t unquoted(struct slice s, bool address)
{
	size_t n = 0;

	while (n < s.n && s.p[n] != ' ' && s.p[n] != '"' && (s.p[n] != '\'' || address) &&
	       !is_control(s.p[n]))
		n++;
	return n;
}

/* Takes the value at the front of *rest, with or without quotes.  An address may have quotes of its
 * own, and an apostrophe. */
static int take_value(struct slice *rest, bool address, struct slice *ret)
{
	const bool quotes = rest->n && (*rest->p == '"' || *rest->p == '\'');
	size_t n = address && quotes && *rest->p == '"' ? quoted_address(*rest) : 0;

	if (n || !quotes) {
		n = n ? n : unquoted(*rest, address);
		*ret = slice_of(rest->p, n);
	} else {
		n = quoted(*rest);
		if (!n)
			return E_SYNTAX;
		*ret = slice_of(rest->p + 1, n - 2);
	}
	*rest = slice_skip(*rest, n);
	return rest->n && *rest->p != ' ' ? E_SYNTAX : 0;
}

static bool goes_before(const struct selector_term *a, const struct selector_term *b)
{
	return a->key != b->key ? a->key < b->key : a->sign < b->sign;
}

/* Terms stand in the order of their keys. */
static int add_term(struct selector *s, const struct selector_term *t, char *fault)
{
	unsigned at = s->n;

	if (s->n == SELECTOR_TERMS_MAX)
		return wrong(fault, "a selector has at most %d terms", SELECTOR_TERMS_MAX);
	for (unsigned i = 0; i < s->n; i++)
		if (s->terms[i].key == t->key && s->terms[i].sign == t->sign)
			return wrong(fault, "%s is named twice", keys[t->key].name);
	for (; at && goes_before(t, &s->terms[at - 1]); at--)
		s->terms[at] = s->terms[at - 1];
	s->terms[at] = *t;
	s->n++;
	s->keys |= SELECTS(t->key);
	return 0;
}

static int read_term(struct slice *rest, struct selector *ret, char *fault)
{
	struct selector_term t = { 0 };
	struct slice whole = *rest, value;

	t.key = selector_key_of(rest);
	if (t.key == SELECT_KEYS)
		return wrong(fault, "\"%.*s\" begins with no key", (int)MIN_OF(whole.n, (size_t)80),
			     whole.p);
	if (take_value(rest, has_address(t.key), &value) < 0 || read_value(value, &t) < 0)
		return wrong(fault, "\"%.*s\" has no good value for %s",
			     (int)MIN_OF(whole.n - rest->n, (size_t)80), whole.p, keys[t.key].name);
	return add_term(ret, &t, fault);
}

int selector_read(struct slice s, struct selector *ret, char *fault)
{
	struct selector out = { 0 };
	struct slice rest = s;
	int r = 0;

	if (fault)
		*fault = '\0';
	if (s.n >= SELECTOR_TEXT_MAX)
		return wrong(fault, "it is longer than %d bytes", SELECTOR_TEXT_MAX - 1);
	if (slice_eq(s, SLICE("all"))) {
		*ret = out;
		return 0;
	}
	while (r == 0) {
		rest = slice_trim_set(rest, " ");
		if (!rest.n)
			break;
		r = read_term(&rest, &out, fault);
	}
	if (r == 0 && !out.n)
		return wrong(fault, "it is empty");
	if (r == 0)
		*ret = out;
	return r;
}

int selector_parse(struct slice s, struct selector *ret)
{
	return selector_read(s, ret, NULL);
}

int selector_parse_single(struct slice s, struct selector *ret)
{
	struct selector out = { 0 };
	struct selector_term t = { 0 };

	if (slice_eq(s, SLICE("all"))) {
		*ret = out;
		return 0;
	}
	t.key = selector_key_of(&s);
	if (t.key == SELECT_KEYS || !s.n || read_value(s, &t) < 0 || add_term(&out, &t, NULL) < 0)
		return E_SYNTAX;
	*ret = out;
	return 0;
}

/* ---- printing ---------------------------------------------------------------------------- */

static void put_text(const struct selector_term *t, struct buf *out)
{
	bool twofold = memchr(t->text.p, '"', t->text.n) != NULL;
	bool single = memchr(t->text.p, '\'', t->text.n) != NULL;
	bool plain = !twofold && !single && !memchr(t->text.p, ' ', t->text.n);
	/* Only an address has both: that of a quoted local part, which stands as it is. */
	const char *quote = plain || (twofold && single) ? "" : twofold ? "'" : "\"";

	buf_put(out, slice_str(quote));
	for (size_t i = 0; i < t->text.n; i++) {
		char c = keys[t->key].lower ? ascii_lower(t->text.p[i]) : t->text.p[i];
		buf_put(out, slice_of(&c, 1));
	}
	buf_put(out, slice_str(quote));
}

static void put_term(const struct selector_term *t, struct buf *out)
{
	char text[MAX_OF(ID_TEXT_MAX, IP_TEXT_MAX)];

	buf_putf(out, "%s%c", keys[t->key].name, t->sign ? t->sign : '/');
	switch (keys[t->key].kind) {
	case VALUE_OF_NUMBER:
	case VALUE_OF_COUNT:
		buf_putf(out, "%" PRIu64, t->number);
		return;
	case VALUE_OF_TEXT:
		put_text(t, out);
		return;
	case VALUE_OF_IP:
		buf_putf(out, "%s", ip_format(&t->ip, text));
		return;
	case VALUE_OF_ID:
		buf_putf(out, "%s", id_format(t->job, text));
		return;
	case VALUE_OF_ROW:
		buf_putf(out, "%s:%" PRIu32, id_format(t->job, text), t->row);
		return;
	case VALUE_OF_AGE:
		option_number_show(T_DURATION, (int64_t)t->number, out);
		return;
	case VALUE_OF_CLASS:
		buf_putf(out, "%s", judge_class_name((enum judge_class)t->number));
		return;
	}
}

int selector_print(const struct selector *s, char *buf, size_t cap)
{
	struct buf out;
	int r = E_LIMIT;

	buf_init(&out, 0);
	for (unsigned i = 0; i < s->n; i++) {
		buf_put(&out, i ? SLICE(" ") : SLICE(""));
		put_term(&s->terms[i], &out);
	}
	if (!s->n)
		buf_put(&out, SLICE("all"));
	if (buf_len(&out) < cap && buf_len(&out) < SELECTOR_TEXT_MAX) {
		slice_copy(buf, cap, buf_data(&out));
		r = 0;
	}
	buf_free(&out);
	return r;
}

const struct selector_term *selector_find(const struct selector *s, enum selector_key key)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->terms[i].key == key)
			return &s->terms[i];
	return NULL;
}

bool selector_is(const struct selector *s, enum selector_key key)
{
	return s->n == 1 && s->terms[0].key == key;
}
