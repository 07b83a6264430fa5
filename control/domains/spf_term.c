/* control/domains/spf_term.c - from the text of an SPF record to its terms. */
#include "control/domains/spf_term.h"

/* RFC 7208 section 12:
 *	record           = version terms *SP
 *	version          = "v=spf1"
 *	terms            = *( 1*SP ( directive / modifier ) )
 *	directive        = [ qualifier ] mechanism
 *	modifier         = redirect / explanation / unknown-modifier
 *	unknown-modifier = name "=" macro-string
 *	name             = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
#define VERSION SLICE("v=spf1")

enum spf_wants { WANTS_NOTHING, WANTS_DOMAIN, MAY_DOMAIN, MAY_DOMAIN_CIDR, WANTS_IP4, WANTS_IP6 };
static const struct spf_mechanism {
	const char *name;
	enum spf_kind kind;
	enum spf_wants wants;
} mechanisms[] = {
	{ "all", SPF_ALL, WANTS_NOTHING }, { "include", SPF_INCLUDE, WANTS_DOMAIN },
	{ "a", SPF_A, MAY_DOMAIN_CIDR },   { "mx", SPF_MX, MAY_DOMAIN_CIDR },
	{ "ptr", SPF_PTR, MAY_DOMAIN },    { "ip4", SPF_IP4, WANTS_IP4 },
	{ "ip6", SPF_IP6, WANTS_IP6 },     { "exists", SPF_EXISTS, WANTS_DOMAIN },
};

static bool is_alpha(char c)
{
	c = ascii_lower(c);
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool spf_is_record(struct slice txt)
{
	return slice_starts_nocase(txt, VERSION) && (txt.n == VERSION.n || txt.p[VERSION.n] == ' ');
}

struct slice spf_terms(struct slice record)
{
	return slice_skip(record, VERSION.n);
}

/* macro-expand = ( "%{" macro-letter transformers *delimiter "}" ) / "%%" / "%_" / "%-"
 * transformers = *DIGIT [ "r" ]
 * Gives its length, 0 when there is none. */
static size_t macro_length(struct slice s)
{
	size_t i = 2;

	if (s.n < 2)
		return 0;
	if (s.p[1] != '{')
		return strchr("%_-", s.p[1]) && s.p[1] ? 2 : 0;
	if (s.n < 4 || !is_alpha(s.p[2]) || !strchr("slodiphcrtv", ascii_lower(s.p[2])))
		return 0;
	for (i = 3; i < s.n && is_digit(s.p[i]);)
		i++;
	if (i < s.n && ascii_lower(s.p[i]) == 'r')
		i++;
	while (i < s.n && s.p[i] && strchr(".-+,/_=", s.p[i]))
		i++;
	return i < s.n && s.p[i] == '}' ? i + 1 : 0;
}

/* macro-string = *( macro-expand / macro-literal ), macro-literal = %x21-24 / %x26-7E.
 * *ret_end is where its last macro ends. */
static int macro_string(struct slice s, size_t *ret_end)
{
	*ret_end = 0;
	for (size_t i = 0; i < s.n;) {
		size_t n = s.p[i] == '%' ? macro_length(slice_skip(s, i)) : 1;

		if (n == 0 || s.p[i] < 0x21 || s.p[i] > 0x7e)
			return E_SYNTAX;
		i += n;
		if (s.p[i - n] == '%')
			*ret_end = i;
	}
	return 0;
}

/* toplabel = ( *alphanum ALPHA *alphanum ) /
 *            ( 1*alphanum "-" *( alphanum / "-" ) alphanum ) */
static bool is_toplabel(struct slice s)
{
	bool digits = true;

	for (size_t i = 0; i < s.n; i++) {
		bool edge = i == 0 || i + 1 == s.n;

		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) && (s.p[i] != '-' || edge))
			return false;
		digits = digits && is_digit(s.p[i]);
	}
	return s.n > 0 && !digits;
}

/* domain-spec = macro-string domain-end
 * domain-end  = ( "." toplabel [ "." ] ) / macro-expand */
static int take_domain(struct slice s, struct spf_term *ret)
{
	struct slice name = s, before, top;
	size_t end;

	if (s.n == 0 || macro_string(s, &end) < 0)
		return E_SYNTAX;
	ret->domain = s;
	ret->macros = end > 0;
	if (end == s.n)
		return 0;
	if (s.p[s.n - 1] == '.')
		name.n--;
	if (!slice_cut_last(name, '.', &before, &top) || !is_toplabel(top) || before.n < end)
		return E_SYNTAX;
	return 0;
}

/* "/" ( "0" / %x31-39 0*2DIGIT ) */
static int take_bits(struct slice s, uint8_t max, uint8_t *ret)
{
	uint64_t bits;

	if (slice_u64(s, max, &bits) < 0 || (s.n > 1 && s.p[0] == '0'))
		return E_SYNTAX;
	*ret = (uint8_t)bits;
	return 0;
}

static bool all_digits(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return s.n > 0;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]
 * Cuts it off *s.  A domain-spec may hold "/" itself, but it never ends in "/" and digits. */
static int cut_lengths(struct slice *s, struct spf_term *ret)
{
	struct slice before, bits;

	ret->bits4 = 32;
	ret->bits6 = 128;
	if (!slice_cut_last(*s, '/', &before, &bits) || !all_digits(bits))
		return 0;
	if (before.n && before.p[before.n - 1] == '/') {
		*s = slice_of(before.p, before.n - 1);
		if (take_bits(bits, 128, &ret->bits6) < 0)
			return E_SYNTAX;
		if (!slice_cut_last(*s, '/', &before, &bits) || !all_digits(bits))
			return 0;
	}
	*s = before;
	return take_bits(bits, 32, &ret->bits4);
}

static int take_net(struct slice s, uint8_t family, struct spf_term *ret)
{
	struct slice address = s, bits;
	bool cut = slice_cut(s, '/', &address, &bits);

	if (ip_parse(address, &ret->net.ip) < 0 || ret->net.ip.family != family)
		return E_SYNTAX;
	ret->net.bits = family == AF_INET ? 32 : 128;
	return cut ? take_bits(bits, ret->net.bits, &ret->net.bits) : 0;
}

/* What follows the name of a mechanism; s begins with ':' or '/' or is empty. */
static int take_value(struct slice s, enum spf_wants wants, struct spf_term *ret)
{
	bool given;

	if (wants == MAY_DOMAIN_CIDR && cut_lengths(&s, ret) < 0)
		return E_SYNTAX;
	given = slice_strip(&s, SLICE(":"));
	if (!given && s.n)
		return E_SYNTAX;
	switch (wants) {
	case WANTS_NOTHING:
		return given ? E_SYNTAX : 0;
	case WANTS_DOMAIN:
		return take_domain(s, ret);
	case MAY_DOMAIN:
	case MAY_DOMAIN_CIDR:
		return given ? take_domain(s, ret) : 0;
	case WANTS_IP4:
		return take_net(s, AF_INET, ret);
	case WANTS_IP6:
		return take_net(s, AF_INET6, ret);
	}
	return E_SYNTAX;
}

static size_t name_length(struct slice s)
{
	size_t n = 0;

	while (n < s.n &&
	       (is_alpha(s.p[n]) || (n && (is_digit(s.p[n]) || (s.p[n] && strchr("-_.", s.p[n]))))))
		n++;
	return n;
}

static int take_modifier(struct slice name, struct slice value, struct spf_term *ret)
{
	size_t end;

	ret->qualifier = '+';
	ret->kind = SPF_MODIFIER;
	if (slice_eq_nocase(name, SLICE("redirect")))
		ret->kind = SPF_REDIRECT;
	else if (slice_eq_nocase(name, SLICE("exp")))
		ret->kind = SPF_EXP;
	else
		return macro_string(value, &end);
	return take_domain(value, ret);
}

static int take_directive(struct slice s, struct spf_term *ret)
{
	struct slice name;

	ret->qualifier = '+';
	if (s.n && s.p[0] && strchr("+-~?", s.p[0])) {
		ret->qualifier = s.p[0];
		s = slice_skip(s, 1);
	}
	name = slice_of(s.p, name_length(s));
	for (unsigned i = 0; i < ARRAY_LEN(mechanisms); i++) {
		if (!slice_eq_nocase(name, slice_str(mechanisms[i].name)))
			continue;
		ret->kind = mechanisms[i].kind;
		return take_value(slice_skip(s, name.n), mechanisms[i].wants, ret);
	}
	return E_SYNTAX;
}

int spf_term_next(struct slice *rest, struct spf_term *ret)
{
	struct slice text = { 0 };
	size_t n;
	int r;

	while (rest->n && text.n == 0)
		text = slice_take(rest, ' ');
	if (text.n == 0)
		return 0;
	memset(ret, 0, sizeof(*ret));
	ret->text = text;
	n = name_length(text);
	if (n && n < text.n && text.p[n] == '=')
		r = take_modifier(slice_of(text.p, n), slice_skip(text, n + 1), ret);
	else
		r = take_directive(text, ret);
	return r < 0 ? r : 1;
}

int spf_terms_check(struct slice terms, struct slice *ret_bad)
{
	bool seen[SPF_MODIFIER + 1] = { false };
	struct spf_term t;
	int r;

	while ((r = spf_term_next(&terms, &t)) > 0) {
		/* Section 6: each of these modifiers at most once. */
		if ((t.kind == SPF_REDIRECT || t.kind == SPF_EXP) && seen[t.kind])
			r = E_SYNTAX;
		seen[t.kind] = true;
		if (r < 0)
			break;
	}
	if (r < 0)
		*ret_bad = t.text;
	return r;
}
