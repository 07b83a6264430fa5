/* mta/credentials/line.c - a line of the file of credentials. */
#include "base/crypted.h"
#include "message/mailbox.h"
#include "mta/config/entries.h"
#include "mta/credentials/inside.h"

enum { LINE_MAX_BYTES = 8192, NAME_MAX_BYTES = 255 };

static bool is_name(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n && s.n <= NAME_MAX_BYTES;
}

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && (!c || !strchr("-_.", c)))
			return false;
	}
	return s.n && s.n <= CREDENTIAL_WORD_MAX;
}

static bool is_domain(struct slice s)
{
	char text[MAILBOX_MAX + 2];
	struct slice domain;

	/* It is compared with what mailboxes hold, which is in this form. */
	return mailbox_domain_parse(s, 0, text, &domain) == 0 && slice_eq_nocase(domain, s);
}

static bool all_are(struct slice list, bool (*is)(struct slice))
{
	if (!list.n || list.p[list.n - 1] == ',')
		return false;
	while (list.n)
		if (!is(slice_take(&list, ',')))
			return false;
	return true;
}

static int take_number(struct slice text, uint64_t *ret)
{
	return slice_u64(text, INT64_MAX, ret) < 0 ? E_SYNTAX : 0;
}

static int take_list(struct slice text, bool (*is)(struct slice), struct slice *ret)
{
	*ret = text;
	return all_are(text, is) ? 0 : E_SYNTAX;
}

static int take_nets(struct credential *c, struct slice list)
{
	unsigned most = 1;

	if (c->nets || !list.n || list.p[list.n - 1] == ',')
		return E_SYNTAX;
	for (size_t i = 0; i < list.n; i++)
		most += list.p[i] == ',';
	if (most > CREDENTIAL_NETS_MAX)
		return E_SYNTAX;
	c->nets = must_alloc(most * sizeof(*c->nets));
	while (list.n)
		if (ip_net_parse(slice_take(&list, ','), &c->nets[c->n_nets++]) < 0)
			return E_SYNTAX;
	return 0;
}

static int take_expiry(struct credential *c, struct slice text)
{
	uint64_t seconds;

	if (slice_u64(text, INT64_MAX / 1000, &seconds) < 0 || !seconds)
		return E_SYNTAX;
	c->expires_ms = (int64_t)seconds * 1000;
	return 0;
}

static int take_word(struct credential *c, struct slice word, const char **why)
{
	struct slice key, value;

	*why = "a word is none of tenant=, domains=, pools=, stream=, networks=, expires=, hour= "
	       "and day=, or its value is none";
	if (!slice_cut(word, '=', &key, &value))
		return E_SYNTAX;
	if (slice_eq(key, SLICE("tenant"))) {
		c->says_tenant = true;
		return take_number(value, &c->tenant);
	}
	if (slice_eq(key, SLICE("networks")))
		return take_nets(c, value);
	if (slice_eq(key, SLICE("expires")))
		return take_expiry(c, value);
	if (slice_eq(key, SLICE("hour")))
		return take_number(value, &c->limits.hour);
	if (slice_eq(key, SLICE("day")))
		return take_number(value, &c->limits.day);
	if (slice_eq(key, SLICE("domains")))
		return take_list(value, is_domain, &c->domains);
	if (slice_eq(key, SLICE("pools")))
		return take_list(value, is_word, &c->pools);
	c->stream = value;
	return slice_eq(key, SLICE("stream")) && is_word(value) ? 0 : E_SYNTAX;
}

static int take_words(struct credential *c, struct slice line, const char **why)
{
	struct slice word, hash;
	int r = 0;

	c->name = entries_word(&line);
	hash = entries_word(&line);
	*why = "it does not begin with a name, of printable ASCII, and a hash";
	if (!is_name(c->name) || !crypted_is_good(hash))
		return E_SYNTAX;
	c->hash = must_copy(hash);
	while (r == 0 && (word = entries_word(&line)).n && word.p[0] != '#')
		r = take_word(c, word, why);
	return r;
}

int credential_line(struct slice line, struct credential **ret, const char **why)
{
	struct credential *c;

	line = slice_trim_set(line, " \t\r");
	if (!line.n || line.p[0] == '#')
		return 0;
	*why = "it is too long, or has a NUL";
	if (line.n > LINE_MAX_BYTES || memchr(line.p, '\0', line.n))
		return E_SYNTAX;
	c = must_alloc(sizeof(*c));
	atomic_init(&c->refs, 1);
	c->text = must_copy(line);
	if (take_words(c, slice_str(c->text), why) < 0) {
		credential_unref(c);
		return E_SYNTAX;
	}
	*ret = c;
	return 1;
}
