/* control/domains/spf.c - check_host() of RFC 7208 section 4, for a network at a time. */
#include "control/domains/spf.h"

#include <stdarg.h>
#include <stdio.h>

#include "control/domains/spf_int.h"

enum { LOOKUPS_MAX = 10, VOIDS_MAX = 2, HOSTS_MAX = 10 };

/* One check_host() with all that it includes. */
struct spf_run {
	struct inquiry *inquiry;
	const struct spf_subject *subject;
	unsigned lookups, voids;
	char unsure[160]; /* the first term that was not evaluated */
	char *why;        /* SPF_WHY_MAX bytes */
};
enum spf_match { MATCH_NO, MATCH_YES, MATCH_PART, MATCH_TEMP, MATCH_PERM };

const char *spf_verdict_text(enum spf_verdict v)
{
	static const char *const texts[] = {
		[SPF_NONE] = "none",
		[SPF_NEUTRAL] = "neutral",
		[SPF_PASS] = "pass",
		[SPF_FAIL] = "fail",
		[SPF_SOFTFAIL] = "softfail",
		[SPF_TEMPERROR] = "temporary error",
		[SPF_PERMERROR] = "permanent error",
		[SPF_UNSURE] = "not known",
	};
	return texts[v];
}

PRINTF(2, 3) static void say(char *why, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(why, SPF_WHY_MAX, format, args);
	va_end(args);
}
#define S(slice) (int)(slice).n, (slice).p

/* ---- addresses --------------------------------------------------------------------------- */

static enum spf_match match_net(const struct spf_subject *s, const struct ip_net *net)
{
	if (s->term)
		return MATCH_NO;
	if (net->bits <= s->net.bits)
		return ip_net_has(net, &s->net.ip) ? MATCH_YES : MATCH_NO;
	return ip_net_has(&s->net, &net->ip) ? MATCH_PART : MATCH_NO;
}

static enum spf_match match_addresses(const struct spf_subject *s, const struct spf_term *t,
				      const struct dns_answer *answer)
{
	enum spf_match best = MATCH_NO;

	for (unsigned i = 0; i < answer->n && best != MATCH_YES; i++) {
		struct ip_net net = { .ip = answer->records[i].ip };
		enum spf_match m;

		net.bits = net.ip.family == AF_INET ? t->bits4 : t->bits6;
		m = match_net(s, &net);
		if (m != MATCH_NO)
			best = m;
	}
	return best;
}

static bool is_void(int status)
{
	return status == E_DNS_NONE || status == E_DNS_NXDOMAIN;
}

/* A term found nothing.  Section 4.6.4: two of those are borne. */
static enum spf_match note_void(struct spf_run *run, const struct spf_term *t)
{
	if (++run->voids <= VOIDS_MAX)
		return MATCH_NO;
	say(run->why, "more than %d terms find nothing in DNS, at %.*s", VOIDS_MAX, S(t->text));
	return MATCH_PERM;
}

static enum spf_match failed(struct spf_run *run, const struct spf_term *t, int status)
{
	if (status == E_SYNTAX)
		return MATCH_NO; /* section 4.8: nobody is asked about such a name */
	if (is_void(status))
		return note_void(run, t);
	say(run->why, "DNS gives no answer for %.*s", S(t->text));
	return MATCH_TEMP;
}

static enum dns_type address_type(const struct spf_subject *s)
{
	return !s->term && s->net.ip.family == AF_INET6 ? DNS_AAAA : DNS_A;
}

static enum spf_match match_a(struct spf_run *run, const struct spf_term *t, struct slice name)
{
	const struct dns_answer *answer;
	int r = inquiry_ask(run->inquiry, name, address_type(run->subject), &answer);

	return r < 0 ? failed(run, t, r) : match_addresses(run->subject, t, answer);
}

/* One of the hosts of an MX.  *found_void: a host without an address is counted once a term. */
static enum spf_match match_exchanger(struct spf_run *run, const struct spf_term *t,
				      struct slice host, bool *found_void)
{
	const struct dns_answer *answer;
	int r = inquiry_ask(run->inquiry, host, address_type(run->subject), &answer);

	if (r == 0)
		return match_addresses(run->subject, t, answer);
	if (is_void(r) && *found_void)
		return MATCH_NO;
	*found_void = *found_void || is_void(r);
	return failed(run, t, r);
}

/* Section 5.4; no address of the domain itself stands in for an MX. */
static enum spf_match match_mx(struct spf_run *run, const struct spf_term *t, struct slice name)
{
	enum spf_match best = MATCH_NO, m = MATCH_NO;
	const struct dns_answer *mx;
	bool found_void = false;
	int r = inquiry_ask(run->inquiry, name, DNS_MX, &mx);

	if (r < 0)
		return failed(run, t, r);
	if (mx->n > HOSTS_MAX) {
		say(run->why, "%.*s has more than %d hosts", S(t->text), HOSTS_MAX);
		return MATCH_PERM;
	}
	for (unsigned i = 0; i < mx->n && m != MATCH_YES; i++) {
		m = match_exchanger(run, t, mx->records[i].name, &found_void);
		if (m == MATCH_TEMP || m == MATCH_PERM)
			return m;
		if (m != MATCH_NO)
			best = m;
	}
	return best;
}

static enum spf_match match_exists(struct spf_run *run, const struct spf_term *t)
{
	const struct dns_answer *answer;
	int r = inquiry_ask(run->inquiry, t->domain, DNS_A, &answer);

	return r < 0 ? failed(run, t, r) : MATCH_YES;
}

/* ---- ptr (section 5.5) ------------------------------------------------------------------- */

static void reverse_name(const struct ip *ip, char *ret, size_t cap)
{
	const uint8_t *b = ip->bytes;
	size_t n = 0;

	if (ip->family == AF_INET) {
		(void)snprintf(ret, cap, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
		return;
	}
	for (int i = 15; i >= 0; i--)
		n += (size_t)snprintf(ret + n, cap - n, "%x.%x.", b[i] & 15, b[i] >> 4);
	(void)snprintf(ret + n, cap - n, "ip6.arpa");
}

static bool is_under(struct slice name, struct slice domain)
{
	if (domain.n && domain.p[domain.n - 1] == '.')
		domain.n--;
	if (name.n < domain.n)
		return false;
	return slice_eq_nocase(slice_skip(name, name.n - domain.n), domain) &&
	       (name.n == domain.n || name.p[name.n - domain.n - 1] == '.');
}

/* Errors of DNS are no match here. */
static enum spf_match match_ptr(struct spf_run *run, const struct spf_term *t, struct slice name)
{
	const struct spf_term whole = { .bits4 = 32, .bits6 = 128 };
	const struct ip *ip = &run->subject->net.ip;
	const struct dns_answer *ptr, *answer;
	char reverse[DNS_NAME_MAX];
	int r;

	reverse_name(ip, reverse, sizeof(reverse));
	r = inquiry_ask(run->inquiry, slice_str(reverse), DNS_PTR, &ptr);
	if (r < 0)
		return is_void(r) ? note_void(run, t) : MATCH_NO;
	for (unsigned i = 0; i < ptr->n && i < HOSTS_MAX; i++) {
		if (!is_under(ptr->records[i].name, name))
			continue;
		r = inquiry_ask(run->inquiry, ptr->records[i].name, address_type(run->subject),
				&answer);
		if (r == 0 && match_addresses(run->subject, &whole, answer) == MATCH_YES)
			return MATCH_YES;
	}
	return MATCH_NO;
}

/* ---- terms ------------------------------------------------------------------------------- */

static int walk_record(struct spf_run *run, struct slice domain);

static bool asks(enum spf_kind kind)
{
	return kind != SPF_ALL && kind != SPF_IP4 && kind != SPF_IP6 && kind != SPF_EXP &&
	       kind != SPF_MODIFIER;
}

/* Is this the term that the question is about? */
static bool is_subject(const struct spf_subject *s, const struct spf_term *t)
{
	return s->term && s->term->kind == t->kind && s->term->bits4 == t->bits4 &&
	       s->term->bits6 == t->bits6 && slice_eq_nocase(s->term->domain, t->domain);
}

static bool is_host(const struct ip_net *net)
{
	return net->bits == (net->ip.family == AF_INET ? 32 : 128);
}

/* Terms that this check does not evaluate. */
static bool is_beyond(const struct spf_run *run, const struct spf_term *t)
{
	const struct spf_subject *s = run->subject;

	return asks(t->kind) &&
	       (t->macros || (t->kind == SPF_PTR && (s->term || !is_host(&s->net))));
}

static void note_beyond(struct spf_run *run, const struct spf_term *t)
{
	if (!run->unsure[0])
		slice_copy(run->unsure, sizeof(run->unsure), t->text);
}

/* Section 5.2: only a pass matches; the record has to be there. */
static enum spf_match match_include(struct spf_run *run, const struct spf_term *t)
{
	char inner[SPF_WHY_MAX];
	int v = walk_record(run, t->domain);

	if (v == SPF_NONE)
		say(run->why, "%.*s has no SPF record", S(t->text));
	if (v == SPF_NONE || v == SPF_PERMERROR)
		return MATCH_PERM;
	if (v == SPF_TEMPERROR)
		return MATCH_TEMP;
	if (v == SPF_PART)
		return MATCH_PART;
	if (v != SPF_PASS)
		return MATCH_NO;
	(void)snprintf(inner, sizeof(inner), "%s", run->why);
	say(run->why, "%.*s, there %.400s", S(t->text), inner);
	return MATCH_YES;
}

static bool count_lookup(struct spf_run *run, const struct spf_term *t)
{
	if (!asks(t->kind) || ++run->lookups <= LOOKUPS_MAX)
		return true;
	say(run->why, "more than %d terms ask DNS, at %.*s", LOOKUPS_MAX, S(t->text));
	return false;
}

static enum spf_match match_term(struct spf_run *run, const struct spf_term *t, struct slice domain)
{
	struct slice name = t->domain.n ? t->domain : domain;

	if (!count_lookup(run, t))
		return MATCH_PERM;
	if (is_subject(run->subject, t))
		return MATCH_YES;
	if (is_beyond(run, t)) {
		note_beyond(run, t);
		return MATCH_NO;
	}
	switch (t->kind) {
	case SPF_ALL:
		return MATCH_YES;
	case SPF_INCLUDE:
		return match_include(run, t);
	case SPF_A:
		return match_a(run, t, name);
	case SPF_MX:
		return match_mx(run, t, name);
	case SPF_PTR:
		return match_ptr(run, t, name);
	case SPF_IP4:
	case SPF_IP6:
		return match_net(run->subject, &t->net);
	case SPF_EXISTS:
		return match_exists(run, t);
	case SPF_REDIRECT:
	case SPF_EXP:
	case SPF_MODIFIER:
		break;
	}
	return MATCH_NO;
}

static enum spf_verdict qualified(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_FAIL;
	case '~':
		return SPF_SOFTFAIL;
	case '?':
		return SPF_NEUTRAL;
	default:
		return SPF_PASS;
	}
}

/* Section 6.1: when no mechanism matched. */
static int follow_redirect(struct spf_run *run, const struct spf_term *t)
{
	int v;

	if (!count_lookup(run, t))
		return SPF_PERMERROR;
	if (is_beyond(run, t)) {
		note_beyond(run, t);
		return SPF_NEUTRAL;
	}
	v = walk_record(run, t->domain);
	if (v != SPF_NONE)
		return v;
	say(run->why, "%.*s has no SPF record", S(t->text));
	return SPF_PERMERROR;
}

static int verdict_of(struct spf_run *run, const struct spf_term *t, struct slice domain,
		      enum spf_match m)
{
	switch (m) {
	case MATCH_TEMP:
		return SPF_TEMPERROR;
	case MATCH_PERM:
		return SPF_PERMERROR;
	case MATCH_PART:
		return SPF_PART;
	case MATCH_NO:
	case MATCH_YES:
		break;
	}
	if (t->kind != SPF_INCLUDE || is_subject(run->subject, t))
		say(run->why, "%.*s of %.*s", S(t->text), S(domain));
	return qualified(t->qualifier);
}

static int walk_terms(struct spf_run *run, struct slice terms, struct slice domain)
{
	struct spf_term t, redirect = { 0 };
	struct slice bad;

	if (spf_terms_check(terms, &bad) < 0) {
		say(run->why, "\"%.*s\" in the record of %.*s is no SPF term", S(bad), S(domain));
		return SPF_PERMERROR;
	}
	while (spf_term_next(&terms, &t) > 0) {
		enum spf_match m = MATCH_NO;

		if (t.kind == SPF_REDIRECT)
			redirect = t;
		else
			m = match_term(run, &t, domain);
		if (m != MATCH_NO)
			return verdict_of(run, &t, domain, m);
	}
	if (redirect.text.n)
		return follow_redirect(run, &redirect);
	say(run->why, "no term of %.*s matches", S(domain));
	return SPF_NEUTRAL;
}

enum spf_verdict spf_fetch(struct inquiry *a, struct slice domain, struct slice *ret_terms,
			   char *why)
{
	const struct dns_answer *answer;
	unsigned found = 0;
	int r = inquiry_ask(a, domain, DNS_TXT, &answer);

	if (r < 0 && r != E_SYNTAX && !is_void(r)) {
		say(why, "DNS gives no answer for the record of %.*s", S(domain));
		return SPF_TEMPERROR;
	}
	for (unsigned i = 0; r == 0 && i < answer->n; i++) {
		if (!spf_is_record(answer->records[i].data))
			continue;
		*ret_terms = spf_terms(answer->records[i].data);
		found++;
	}
	if (found == 1)
		return SPF_PASS;
	if (found == 0)
		say(why, "%.*s has no SPF record", S(domain));
	else
		say(why, "%.*s has %u SPF records", S(domain), found);
	return found ? SPF_PERMERROR : SPF_NONE;
}

static int walk_record(struct spf_run *run, struct slice domain)
{
	struct slice terms;
	enum spf_verdict v = spf_fetch(run->inquiry, domain, &terms, run->why);

	return v == SPF_PASS ? walk_terms(run, terms, domain) : (int)v;
}

/* A term that was passed over might have matched. */
static int finish(struct spf_run *run, int v)
{
	if (!run->unsure[0] || v == SPF_PASS || v == SPF_PART)
		return v;
	say(run->why, "%s is not evaluated by this check", run->unsure);
	return SPF_UNSURE;
}

int spf_walk(struct inquiry *a, const struct spf_subject *s, struct slice domain, char *why)
{
	struct spf_run run = { .inquiry = a, .subject = s, .why = why };

	return finish(&run, walk_record(&run, domain));
}

int spf_walk_terms(struct inquiry *a, const struct spf_subject *s, struct slice terms,
		   struct slice domain, char *why)
{
	struct spf_run run = { .inquiry = a, .subject = s, .why = why };

	return finish(&run, walk_terms(&run, terms, domain));
}
