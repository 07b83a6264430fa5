/* mta/policy/reporting.c - records of TLS reporting, read. */
#include "mta/policy/reporting.h"

#include <stdio.h>

#include "base/encode.h"
#include "dns/name.h"
#include "message/mailbox.h"

enum { HTTPS_PORT = 443 };

/* "%40" is "@" (RFC 3986 section 2.1).  What it stands for is looked at afterwards. */
static int decode_percent(struct slice s, char *out, size_t cap, size_t *ret_n)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		int high, low;
		if (n + 1 >= cap)
			return E_LIMIT;
		if (s.p[i] != '%') {
			out[n++] = s.p[i];
			continue;
		}
		high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
		low = high < 0 ? -1 : hex_digit(s.p[i + 2]);
		if (low < 0)
			return E_SYNTAX;
		out[n++] = (char)(high << 4 | low);
		i += 2;
	}
	*ret_n = n;
	return 0;
}

/* What follows "?" are fields that the address would like to have (RFC 6068); it gets ours. */
static int read_mail(struct slice s, struct reporting_uri *u)
{
	struct slice address = slice_take(&s, '?');
	struct mailbox box;
	char text[REPORTING_TEXT_MAX];
	size_t n;
	int r = decode_percent(address, text, sizeof(text), &n);

	if (r == 0)
		r = mailbox_parse(slice_of(text, n), MAILBOX_FQDN, &box);
	if (r < 0)
		return E_SYNTAX;
	(void)slice_copy(u->text, sizeof(u->text), mailbox_text(&box));
	return 0;
}

static bool is_path(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"<>\\^`{|}", s.p[i]))
			return false;
	return s.n < REPORTING_TEXT_MAX - 1;
}

/* An address in digits is none: whoever publishes a record has a name, and its certificate too. */
static int read_authority(struct slice s, struct reporting_uri *u)
{
	struct slice host = slice_take(&s, ':');
	uint64_t port = HTTPS_PORT;
	struct ip ip;

	if (s.n && slice_u64(s, UINT16_MAX, &port) < 0)
		return E_SYNTAX;
	if (!port || name_clean(host, u->host) < 0 || ip_parse(host, &ip) == 0)
		return E_SYNTAX;
	u->port = (uint16_t)port;
	return 0;
}

static int read_https(struct slice s, struct reporting_uri *u)
{
	size_t n = 0;

	s = slice_take(&s, '#');
	while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
		n++;
	if (!is_path(slice_skip(s, n)) || read_authority(slice_of(s.p, n), u) < 0)
		return E_SYNTAX;
	u->https = true;
	(void)snprintf(u->text, sizeof(u->text), "%s%.*s", n < s.n && s.p[n] == '/' ? "" : "/",
		       (int)(s.n - n), s.p + n);
	return 0;
}

/* Schemes are written in either case (RFC 3986 section 3.1). */
static bool strip_scheme(struct slice *s, struct slice scheme)
{
	if (!slice_starts_nocase(*s, scheme))
		return false;
	*s = slice_skip(*s, scheme.n);
	return true;
}

int reporting_url(struct slice url, struct reporting_uri *ret)
{
	struct reporting_uri u = { 0 };

	if (!strip_scheme(&url, SLICE("https://")) || read_https(url, &u) < 0)
		return E_SYNTAX;
	*ret = u;
	return 0;
}

static void read_uris(struct slice list, struct reporting *to)
{
	while (list.n && to->n < REPORTING_URIS_MAX) {
		struct slice s = slice_trim_set(slice_take(&list, ','), " \t");
		struct reporting_uri u = { 0 };
		bool good = strip_scheme(&s, SLICE("mailto:")) ? read_mail(s, &u) == 0
							       : reporting_url(s, &u) == 0;

		if (good)
			to->uris[to->n++] = u;
	}
}

int reporting_parse(struct slice txt, struct reporting *ret)
{
	struct slice field = slice_trim_set(slice_take(&txt, ';'), " \t"), name, value;
	struct reporting found = { 0 };
	bool rua = false;

	if (!slice_eq(field, SLICE("v=TLSRPTv1")))
		return E_SYNTAX;
	while (txt.n) {
		field = slice_trim_set(slice_take(&txt, ';'), " \t");
		if (!field.n && !txt.n)
			break;
		if (!slice_cut(field, '=', &name, &value) || !name.n)
			return E_SYNTAX;
		if (rua || !slice_eq(name, SLICE("rua")))
			continue;
		rua = true;
		read_uris(value, &found);
	}
	if (!found.n)
		return E_SYNTAX;
	*ret = found;
	return 0;
}

/* Section 3: others that are there too do not count; two of ours are none. */
int reporting_of(const struct dns_answer *a, struct reporting *ret)
{
	struct slice found = slice_of("", 0);
	unsigned n = 0;

	for (unsigned i = 0; a->status == 0 && i < a->n; i++) {
		struct slice rest = a->records[i].data;
		if (slice_strip(&rest, SLICE("v=TLSRPTv1")) &&
		    (!rest.n || strchr("; \t", rest.p[0]))) {
			found = a->records[i].data;
			n++;
		}
	}
	return n == 1 ? reporting_parse(found, ret) : E_SYNTAX;
}

const char *reporting_show(const struct reporting_uri *u, char *ret)
{
	char port[8] = "";

	if (u->https && u->port != HTTPS_PORT)
		(void)snprintf(port, sizeof(port), ":%u", u->port);
	if (u->https)
		(void)snprintf(ret, REPORTING_SHOWN_MAX, "https://%s%s%s", u->host, port, u->text);
	else
		(void)snprintf(ret, REPORTING_SHOWN_MAX, "mailto:%s", u->text);
	return ret;
}
