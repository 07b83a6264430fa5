/* control/domains/spf_ours.c - do verifiers let everything pass that the operator sends from?
 *
 * What the operator names is first made into networks, through its own records.  Then each network
 * is judged by the domain's record, so it does not matter how that record comes to it. */
#include <stdio.h>

#include "control/domains/spf.h"
#include "control/domains/spf_int.h"

enum { FETCHES_MAX = 40, WALKS_MAX = 512 };

struct spf_ours {
	struct inquiry *inquiry;
	struct slice ours, domain;
	struct ip_net nets[SPF_NETS_MOST];
	unsigned n_nets;
	struct spf_term terms[SPF_NETS_MOST]; /* those that stand for no address we can find */
	unsigned n_terms;
	unsigned fetches, walks;
	struct spf_result *result;
};

static void clear_host_bits(struct ip_net *net)
{
	unsigned n = net->ip.family == AF_INET ? 4 : 16;

	for (unsigned i = 0; i < n; i++) {
		unsigned at = i * 8, keep = net->bits <= at ? 0 : MIN_OF(net->bits - at, 8u);

		net->ip.bytes[i] &= (uint8_t)(0xff00u >> keep);
	}
}

static void add_net(struct spf_ours *o, struct ip_net net)
{
	clear_host_bits(&net);
	if (o->n_nets < SPF_NETS_MOST)
		o->nets[o->n_nets++] = net;
}

static void add_term(struct spf_ours *o, const struct spf_term *t)
{
	if (o->n_terms < SPF_NETS_MOST)
		o->terms[o->n_terms++] = *t;
}

/* ---- from mechanisms to networks --------------------------------------------------------- */

static enum spf_verdict expand(struct spf_ours *o, struct slice terms, struct slice domain);

static bool failed(int status)
{
	return status < 0 && status != E_DNS_NONE && status != E_DNS_NXDOMAIN && status != E_SYNTAX;
}

static enum spf_verdict no_answer(struct spf_ours *o, struct slice name)
{
	(void)snprintf(o->result->why, SPF_WHY_MAX, "DNS gives no answer for %.*s", (int)name.n,
		       name.p);
	return SPF_TEMPERROR;
}

static enum spf_verdict expand_host(struct spf_ours *o, const struct spf_term *t, struct slice name)
{
	static const enum dns_type types[] = { DNS_A, DNS_AAAA };
	const struct dns_answer *answer;

	for (unsigned k = 0; k < ARRAY_LEN(types); k++) {
		int r = inquiry_ask(o->inquiry, name, types[k], &answer);

		if (failed(r))
			return no_answer(o, name);
		for (unsigned i = 0; r == 0 && i < answer->n; i++)
			add_net(o, (struct ip_net){ answer->records[i].ip,
						    types[k] == DNS_A ? t->bits4 : t->bits6 });
	}
	return SPF_PASS;
}

static enum spf_verdict expand_mx(struct spf_ours *o, const struct spf_term *t, struct slice name)
{
	const struct dns_answer *answer;
	int r = inquiry_ask(o->inquiry, name, DNS_MX, &answer);
	enum spf_verdict v = failed(r) ? no_answer(o, name) : SPF_PASS;

	for (unsigned i = 0; r == 0 && v == SPF_PASS && i < MIN_OF(answer->n, 10u); i++)
		v = expand_host(o, t, answer->records[i].name);
	return v;
}

static enum spf_verdict expand_include(struct spf_ours *o, struct slice name)
{
	struct slice terms;
	enum spf_verdict v;

	if (++o->fetches > FETCHES_MAX) {
		(void)snprintf(o->result->why, SPF_WHY_MAX,
			       "what the operator names includes more than %d records",
			       FETCHES_MAX);
		return SPF_PERMERROR;
	}
	v = spf_fetch(o->inquiry, name, &terms, o->result->why);
	if (v != SPF_PASS)
		return v == SPF_NONE ? SPF_PERMERROR : v;
	return expand(o, terms, name);
}

static enum spf_verdict expand_term(struct spf_ours *o, const struct spf_term *t,
				    struct slice domain)
{
	struct slice name = t->domain.n ? t->domain : domain;

	if (t->macros)
		return SPF_PASS;
	switch (t->kind) {
	case SPF_IP4:
	case SPF_IP6:
		add_net(o, t->net);
		return SPF_PASS;
	case SPF_A:
		return expand_host(o, t, name);
	case SPF_MX:
		return expand_mx(o, t, name);
	case SPF_INCLUDE:
	case SPF_REDIRECT:
		return expand_include(o, name);
	default:
		return SPF_PASS;
	}
}

static enum spf_verdict expand(struct spf_ours *o, struct slice terms, struct slice domain)
{
	struct spf_term t, redirect = { 0 };
	enum spf_verdict v = SPF_PASS;
	int r = 0;

	while (v == SPF_PASS && (r = spf_term_next(&terms, &t)) > 0 && t.kind != SPF_ALL) {
		unsigned before = o->n_nets + o->n_terms;
		bool is_net = t.kind == SPF_IP4 || t.kind == SPF_IP6;

		if (t.kind == SPF_REDIRECT)
			redirect = t;
		if (t.qualifier != '+' || t.kind >= SPF_REDIRECT)
			continue;
		v = expand_term(o, &t, domain);
		if (!is_net && o->n_nets < SPF_NETS_MOST && o->n_nets + o->n_terms == before)
			add_term(o, &t);
	}
	if (r < 0) {
		(void)snprintf(o->result->why, SPF_WHY_MAX,
			       "\"%.*s\" in what the operator names is no SPF term", (int)t.text.n,
			       t.text.p);
		return SPF_PERMERROR;
	}
	if (v == SPF_PASS && r == 0 && redirect.text.n)
		v = expand_term(o, &redirect, domain);
	return v;
}

/* ---- judging ----------------------------------------------------------------------------- */

static void say(struct spf_result *ret, const struct spf_subject *s, const char *why)
{
	char ip[IP_TEXT_MAX], what[256];
	size_t n = strlen(ret->why);

	if (s->term)
		slice_copy(what, sizeof(what), s->term->text);
	else if (s->net.bits == (s->net.ip.family == AF_INET ? 32 : 128))
		slice_copy(what, sizeof(what), slice_str(ip_format(&s->net.ip, ip)));
	else
		(void)snprintf(what, sizeof(what), "%s/%u", ip_format(&s->net.ip, ip), s->net.bits);
	(void)snprintf(ret->why + n, SPF_WHY_MAX - n, "%s%s: %s, %s", n ? "; " : "", what,
		       spf_verdict_text(ret->verdict), why);
}

static void conclude(struct spf_result *ret, const struct spf_subject *s, enum spf_verdict v,
		     const char *why)
{
	ret->verdict = v;
	if (v != SPF_PASS)
		ret->why[0] = '\0'; /* what does not pass is what matters */
	say(ret, s, why);
}

/* Is it the operator's own doing that this does not pass?  Then it is not sent from. */
static bool is_exempt(struct spf_ours *o, const struct spf_subject *s)
{
	char why[SPF_WHY_MAX];
	int v;

	if (!o->ours.n)
		return false;
	v = spf_walk_terms(o->inquiry, s, o->ours, o->domain, why);
	return v == SPF_FAIL || v == SPF_SOFTFAIL || v == SPF_NEUTRAL;
}

/* False: it does not pass, and no more need be asked. */
static bool judge(struct spf_ours *o, struct spf_subject *s)
{
	char why[SPF_WHY_MAX] = "";
	struct spf_subject half = *s;
	int v;

	if (++o->walks > WALKS_MAX) {
		conclude(o->result, s, SPF_UNSURE, "the record has too many parts");
		return false;
	}
	v = spf_walk(o->inquiry, s, o->domain, why);
	if (v == SPF_PART) {
		half.net.bits++;
		if (!judge(o, &half))
			return false;
		half.net.ip.bytes[s->net.bits / 8] |= (uint8_t)(0x80 >> s->net.bits % 8);
		return judge(o, &half);
	}
	if (v != SPF_PASS && is_exempt(o, s))
		return true;
	conclude(o->result, s, (enum spf_verdict)v, why);
	return v == SPF_PASS;
}

void spf_check(struct inquiry *a, const struct ip_net *net, struct slice domain,
	       struct spf_result *ret)
{
	struct spf_ours *o = must_alloc(sizeof(*o));
	struct spf_subject s = { .net = *net };

	memset(ret, 0, sizeof(*ret));
	o->inquiry = a;
	o->domain = domain;
	o->result = ret;
	clear_host_bits(&s.net);
	(void)judge(o, &s);
	free(o);
}

static void judge_all(struct spf_ours *o)
{
	bool passes = true;

	for (unsigned i = 0; passes && i < o->n_nets; i++)
		passes = judge(o, &(struct spf_subject){ .net = o->nets[i] });
	for (unsigned i = 0; passes && i < o->n_terms; i++)
		passes = judge(o, &(struct spf_subject){ .term = &o->terms[i] });
}

void spf_check_ours(struct inquiry *a, struct slice ours, struct slice domain,
		    struct spf_result *ret)
{
	struct spf_ours *o = must_alloc(sizeof(*o));
	struct slice terms;
	enum spf_verdict v;

	memset(ret, 0, sizeof(*ret));
	o->inquiry = a;
	o->ours = ours;
	o->domain = domain;
	o->result = ret;
	/* A domain without a record is told that, whatever else is wrong. */
	v = spf_fetch(a, domain, &terms, ret->why);
	if (v == SPF_PASS)
		v = expand(o, ours, domain);
	ret->verdict = v;
	if (v == SPF_PASS) {
		ret->why[0] = '\0';
		judge_all(o);
	}
	free(o);
}
