/* message/mailbox.c - one address: local part, domain, literal. */
#include "message/mailbox.h"

#include <idn2.h>

#include "base/address.h"
#include "base/encode.h"

/* Code points that are invisible or move the text around them.  No address needs one, and they
 * mislead readers of logs and screens (RFC 8265 section 4, Unicode TR 39). */
static const struct {
	uint32_t from, to;
} unfit[] = {
	{ 0x0000, 0x0020 }, { 0x007f, 0x00a0 }, { 0x00ad, 0x00ad },    { 0x061c, 0x061c },
	{ 0x1680, 0x1680 }, { 0x180e, 0x180e }, { 0x2000, 0x200f },    { 0x2028, 0x202f },
	{ 0x205f, 0x206f }, { 0x3000, 0x3000 }, { 0xe000, 0xf8ff },    { 0xfdd0, 0xfdef },
	{ 0xfeff, 0xfeff }, { 0xfff0, 0xffff }, { 0xe0000, 0x10ffff },
};

/* Length of one fit non-ASCII character at the front of s, or 0. */
static size_t utf8_fit(struct slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t n = utf8_length(s);
	uint32_t c;

	if (n < 2)
		return 0;
	c = n == 2 ? p[0] & 0x1fu : n == 3 ? p[0] & 0x0fu : p[0] & 0x07u;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	for (size_t i = 0; i < ARRAY_LEN(unfit); i++)
		if (c >= unfit[i].from && c <= unfit[i].to)
			return 0;
	return n;
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* atext, RFC 5322 section 3.2.3 */
static bool is_atext(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

/* Length of the character at the front that may stand in a Dot-string, or 0. */
static size_t atext_length(struct slice s, bool utf8)
{
	if (s.n && is_atext(s.p[0]))
		return 1;
	return utf8 ? utf8_fit(s) : 0;
}

/* Dot-string = Atom *("." Atom).  Returns its length, 0 when there is none. */
static size_t scan_dot_string(struct slice s, bool utf8)
{
	size_t i = 0, n;

	for (;;) {
		size_t atom = i;
		while ((n = atext_length(slice_skip(s, i), utf8)) > 0)
			i += n;
		if (i == atom)
			return 0;
		if (i == s.n || s.p[i] != '.')
			return i;
		i++;
	}
}

static bool quoted_fit(char c, bool any)
{
	if (c < 0x20 || c == 0x7f)
		return false;
	return any || (c != ' ' && c != '<' && c != '>');
}

/* Quoted-string = DQUOTE *( qtextSMTP / "\" %d32-126 ) DQUOTE.  Length with quotes, or 0. */
static size_t scan_quoted(struct slice s, unsigned flags)
{
	bool any = flags & MAILBOX_QUOTED_ANY;
	size_t i = 1;

	while (i < s.n && s.p[i] != '"') {
		if (s.p[i] == '\\') {
			if (i + 1 == s.n || (signed char)s.p[i + 1] < 0 ||
			    !quoted_fit(s.p[i + 1], any))
				return 0;
			i += 2;
		} else if ((signed char)s.p[i] > 0 && quoted_fit(s.p[i], any)) {
			i++;
		} else {
			size_t n = flags & MAILBOX_UTF8 ? utf8_fit(slice_skip(s, i)) : 0;
			if (!n)
				return 0;
			i += n;
		}
	}
	return i < s.n ? i + 1 : 0;
}

/* Domain = sub-domain *("." sub-domain); sub-domain = Let-dig [*( ALPHA / DIGIT / "-" ) Let-dig] */
static int check_domain(struct slice d, unsigned flags)
{
	size_t label = 0, labels = 1, digits = 0;

	if (d.n > MAILBOX_DOMAIN_MAX)
		return E_LIMIT;
	for (size_t i = 0; i < d.n; i++) {
		if (d.p[i] == '.') {
			if (label == 0 || d.p[i - 1] == '-')
				return E_SYNTAX;
			label = digits = 0;
			labels++;
			continue;
		}
		if (!is_alnum(d.p[i]) && (d.p[i] != '-' || label == 0))
			return E_SYNTAX;
		digits += d.p[i] <= '9' && d.p[i] != '-';
		if (++label > 63)
			return E_LIMIT;
	}
	if (label == 0 || d.p[d.n - 1] == '-')
		return E_SYNTAX;
	if ((flags & MAILBOX_FQDN) && (labels < 2 || digits == label))
		return E_SYNTAX;
	return 0;
}

/* U-labels to A-labels: "xn--" and lower case, from libidn2. */
static int domain_to_ascii(struct slice d, char *buf, size_t *ret_n)
{
	char in[4 * MAILBOX_DOMAIN_MAX + 1];
	uint8_t *out = NULL;
	size_t n;
	int r;

	if (d.n >= sizeof(in))
		return E_LIMIT;
	for (size_t i = 0, k; i < d.n; i += k) {
		k = (signed char)d.p[i] > 0 ? 1 : utf8_fit(slice_skip(d, i));
		if (!k)
			return E_SYNTAX;
	}
	(void)slice_copy(in, sizeof(in), d);
	r = idn2_lookup_u8((const uint8_t *)in, &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (r == IDN2_TOO_BIG_DOMAIN || r == IDN2_TOO_BIG_LABEL)
		return E_LIMIT;
	if (r != IDN2_OK)
		return E_SYNTAX;
	n = strlen((char *)out);
	if (n <= MAILBOX_DOMAIN_MAX)
		memcpy(buf, out, n + 1);
	idn2_free(out);
	*ret_n = n;
	return n > MAILBOX_DOMAIN_MAX ? E_LIMIT : 0;
}

int mailbox_domain_parse(struct slice s, unsigned flags, char *buf, struct slice *ret)
{
	bool ascii = true;
	size_t n = s.n;
	int r;

	for (size_t i = 0; i < s.n; i++)
		ascii &= (signed char)s.p[i] >= 0;
	if (!ascii) {
		if (!(flags & (MAILBOX_IDN | MAILBOX_UTF8)))
			return E_SYNTAX;
		r = domain_to_ascii(s, buf, &n);
		if (r < 0)
			return r;
	} else {
		if (s.n > MAILBOX_DOMAIN_MAX)
			return E_LIMIT;
		for (size_t i = 0; i < s.n; i++)
			buf[i] = ascii_lower(s.p[i]);
		buf[s.n] = '\0';
	}
	/* The result of the mapping must follow the same grammar: it can contain "@" or a space. */
	r = check_domain(slice_of(buf, n), flags);
	if (r < 0)
		return r;
	*ret = slice_of(buf, n);
	return 0;
}

/* address-literal = "[" ( IPv4 / "IPv6:" IPv6 ) "]" */
static int parse_literal(struct slice d, char *buf, struct slice *ret)
{
	struct slice inner = slice_of(d.p + 1, d.n - 2);
	const struct slice v6 = SLICE("IPv6:");
	uint8_t family = AF_INET;
	struct ip ip;

	if (d.n < 3 || d.n > 64 || d.p[d.n - 1] != ']')
		return E_SYNTAX;
	if (slice_starts_nocase(inner, v6)) {
		inner = slice_skip(inner, v6.n);
		family = AF_INET6;
	}
	if (ip_parse(inner, &ip) < 0 || ip.family != family)
		return E_SYNTAX;
	memcpy(buf, d.p, d.n);
	buf[d.n] = '\0';
	*ret = slice_of(buf, d.n);
	return 0;
}

static int scan_local(struct slice s, unsigned flags, size_t *ret_n)
{
	size_t n =
	    s.n && s.p[0] == '"' ? scan_quoted(s, flags) : scan_dot_string(s, flags & MAILBOX_UTF8);

	if (n == 0 || n == s.n || s.p[n] != '@')
		return E_SYNTAX;
	if (n > MAILBOX_LOCAL_MAX)
		return E_LIMIT;
	*ret_n = n;
	return 0;
}

struct slice address_domain(struct slice address)
{
	struct slice local, domain = SLICE("");

	(void)slice_cut_last(address, '@', &local, &domain);
	return domain;
}

int mailbox_parse(struct slice s, unsigned flags, struct mailbox *ret)
{
	char domain[MAILBOX_MAX + 2];
	struct mailbox m = { 0 };
	struct slice rest, d = { 0 };
	size_t n = 0;
	int r;

	if (s.n > 8 * (size_t)MAILBOX_MAX)
		return E_LIMIT;
	r = scan_local(s, flags, &n);
	if (r < 0)
		return r;
	rest = slice_skip(s, n + 1);
	m.literal = rest.n && rest.p[0] == '[';
	if (m.literal)
		r = flags & MAILBOX_LITERAL ? parse_literal(rest, domain, &d) : E_SYNTAX;
	else
		r = mailbox_domain_parse(rest, flags, domain, &d);
	if (r < 0)
		return r;
	if (n + 1 + d.n > MAILBOX_MAX)
		return E_LIMIT;
	memcpy(m.text, s.p, n + 1);
	memcpy(m.text + n + 1, d.p, d.n);
	for (size_t i = 0; i < n; i++)
		m.utf8 |= (signed char)s.p[i] < 0;
	m.local_n = (uint16_t)n;
	m.n = (uint16_t)(n + 1 + d.n);
	*ret = m;
	return 0;
}

struct slice mailbox_normal(const struct mailbox *m, char *buf)
{
	struct slice local = mailbox_local(m), domain = mailbox_domain(m);
	size_t n = 0;

	if (local.p[0] == '"') {
		for (size_t i = 1; i + 1 < local.n; i++) {
			i += local.p[i] == '\\';
			buf[n++] = local.p[i];
		}
		if (n == 0 || scan_dot_string(slice_of(buf, n), true) != n)
			n = 0; /* the quotes are needed */
	}
	if (n == 0) {
		memcpy(buf, local.p, local.n);
		n = local.n;
	}
	for (size_t i = 0; i < n; i++)
		buf[i] = ascii_lower(buf[i]);
	buf[n++] = '@';
	for (size_t i = 0; i < domain.n; i++)
		buf[n++] = ascii_lower(domain.p[i]);
	buf[n] = '\0';
	return slice_of(buf, n);
}
