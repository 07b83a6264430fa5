/* mta/policy/asking.c - the questions about a route's hosts, all at once, and their answers. */
#include "mta/policy/asking.h"

#include <stdio.h>

#include "dns/name.h"
#include "mta/policy/reporting.h"
#include "mta/policy/sts_ask.h"

enum { PREFIX_MAX = 16, BROKEN_TTL_S = 60 };

/* Where the records of a host are looked for (RFC 7672 section 2.2.2): at the end of its aliases,
 * then at its own name. */
enum tlsa_step { TLSA_AT_CANONICAL, TLSA_AT_NAME, TLSA_IS_ALIAS_SIGNED };

struct policy_asked_host {
	struct policy_work *work;
	unsigned index;
	enum tlsa_step step;
	struct dns_query query;
};

struct policy_work {
	struct policies *of;
	struct policy_query *q;
	struct policy_facts *facts;
	unsigned unanswered;
	struct sts_query sts;
	struct dns_query reports;
	struct policy_asked_host hosts[];
};

static struct policy_work *work_free(struct policy_work *w)
{
	for (unsigned i = 0; i < w->facts->n_hosts; i++)
		if (w->hosts[i].work) /* where nothing was asked, no question began */
			resolver_cancel(w->of->resolver, &w->hosts[i].query);
	sts_cancel(&w->sts);
	if (w->reports.done) /* it was asked, whatever holds now */
		resolver_cancel(w->of->resolver, &w->reports);
	(void)policy_facts_unref(w->facts);
	free(w);
	return NULL;
}

static void answered(struct policy_work *w)
{
	struct policy_query *q = w->q;
	struct policy_facts *facts;

	if (--w->unanswered)
		return;
	facts = policy_facts_ref(w->facts);
	policy_facts_seal(facts);
	q->work = work_free(w);
	q->done(q, facts); /* q may be gone now */
}

/* ---- TLSA -------------------------------------------------------------------------------- */

static const struct route_host *host_of(const struct policy_asked_host *h)
{
	return &h->work->facts->route->hosts[h->index];
}

static struct slice base_of(const struct policy_asked_host *h)
{
	const struct route_host *host = host_of(h);

	return slice_str(h->step == TLSA_AT_CANONICAL ? host->canonical : host->name);
}

static void note_ttl(struct policy_work *w, uint32_t ttl_s)
{
	w->facts->ttl_s = MIN_OF(w->facts->ttl_s, ttl_s);
}

/* A name that is too long for the prefix has no records. */
static bool ask_tlsa(struct policy_asked_host *h)
{
	struct slice base = base_of(h);
	char name[PREFIX_MAX + DNS_NAME_MAX];
	int n =
	    snprintf(name, sizeof(name), "_%u._tcp.%.*s", h->work->of->port, (int)base.n, base.p);

	return resolver_ask(h->work->of->resolver, &h->query, slice_of(name, (size_t)n),
			    DNS_TLSA) == 0;
}

static bool ask_at_name(struct policy_asked_host *h)
{
	h->step = TLSA_AT_NAME;
	return ask_tlsa(h);
}

static void set_broken(struct policy_asked_host *h)
{
	h->work->facts->hosts[h->index].dane = POLICY_DANE_BROKEN;
	note_ttl(h->work, BROKEN_TTL_S);
	count_add(&h->work->of->counters.tlsa_broken, 1);
}

static void take_tlsa(struct policy_asked_host *h, const struct dns_answer *a)
{
	struct policy_host *host = &h->work->facts->hosts[h->index];
	bool none = a->status == E_DNS_NXDOMAIN || a->status == E_DNS_NONE ||
		    (a->status == 0 && !a->authentic);

	if (a->status == 0 && a->authentic) {
		policy_host_take(host, a, base_of(h));
		count_add(&h->work->of->counters.tlsa_usable, host->dane == POLICY_DANE_USABLE);
		note_ttl(h->work, a->ttl_s);
	} else if (!none) {
		set_broken(h);
	} else {
		note_ttl(h->work, a->ttl_s);
		if (h->step == TLSA_AT_CANONICAL &&
		    strcmp(host_of(h)->canonical, host_of(h)->name) != 0 && ask_at_name(h))
			return;
	}
	answered(h->work);
}

/* The host is an alias into a zone that is not signed; if the alias itself is signed, its own name
 * may have records. */
static void take_alias(struct policy_asked_host *h, const struct dns_answer *a)
{
	if (a->status == 0 && a->authentic && ask_at_name(h))
		return;
	if (a->status == E_DNS_TEMP)
		set_broken(h);
	answered(h->work);
}

static void on_answer(struct dns_query *q, const struct dns_answer *a)
{
	struct policy_asked_host *h = container_of(q, struct policy_asked_host, query);

	if (h->step == TLSA_IS_ALIAS_SIGNED)
		take_alias(h, a);
	else
		take_tlsa(h, a);
}

static bool ask_host(struct policy_asked_host *h)
{
	const struct route_host *host = host_of(h);

	if (host->secure) {
		h->step = TLSA_AT_CANONICAL;
		return ask_tlsa(h);
	}
	if (strcmp(host->canonical, host->name) == 0)
		return false;
	h->step = TLSA_IS_ALIAS_SIGNED;
	return resolver_ask(h->work->of->resolver, &h->query, slice_str(host->name), DNS_CNAME) ==
	       0;
}

static void ask_hosts(struct policy_work *w)
{
	for (unsigned i = 0; i < w->facts->n_hosts; i++) {
		struct policy_asked_host *h = &w->hosts[i];
		h->work = w;
		h->index = i;
		dns_query_init(&h->query, on_answer);
		if (w->facts->named_securely)
			w->unanswered += ask_host(h);
	}
}

/* ---- MTA-STS ------------------------------------------------------------------------------ */

static void on_sts(struct sts_query *q, const struct sts_entry *e, uint32_t ttl_s)
{
	static const enum policy_sts states[] = { [STS_NONE] = POLICY_STS_NONE,
						  [STS_TESTING] = POLICY_STS_TESTING,
						  [STS_ENFORCE] = POLICY_STS_ENFORCE };
	struct policy_work *w = container_of(q, struct policy_work, sts);
	struct policy_facts *f = w->facts;

	note_ttl(w, ttl_s);
	if (!e->policy)
		(void)slice_copy(f->sts_fault, sizeof(f->sts_fault), slice_str(e->fault));
	if (e->policy) {
		f->sts_policy = sts_policy_ref(e->policy);
		f->sts = states[e->policy->mode];
		(void)slice_copy(f->sts_id, sizeof(f->sts_id), slice_str(e->id));
		for (unsigned i = 0; i < f->n_hosts; i++)
			f->hosts[i].sts_names =
			    sts_policy_names(e->policy, slice_str(f->route->hosts[i].name));
	}
	answered(w);
}

static void ask_sts(struct policy_work *w)
{
	w->sts.done = on_sts;
	w->unanswered++;
	sts_ask(w->of, &w->sts, slice_str(w->facts->route->domain));
}

/* ---- reports ------------------------------------------------------------------------------ */

static void on_reports(struct dns_query *q, const struct dns_answer *a)
{
	struct policy_work *w = container_of(q, struct policy_work, reports);
	struct reporting wanted;

	w->facts->reports = reporting_of(a, &wanted) == 0;
	answered(w);
}

static void ask_reports(struct policy_work *w)
{
	char name[PREFIX_MAX + DNS_NAME_MAX];
	int n = snprintf(name, sizeof(name), "_smtp._tls.%s", w->facts->route->domain);

	dns_query_init(&w->reports, on_reports);
	w->unanswered +=
	    resolver_ask(w->of->resolver, &w->reports, slice_of(name, (size_t)n), DNS_TXT) == 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

void policy_ask(struct policies *p, struct policy_query *q, struct route *route)
{
	struct policy_work *w =
	    must_alloc(sizeof(*w) + route->n_hosts * sizeof(struct policy_asked_host));

	w->of = p;
	w->q = q;
	w->facts = policy_facts_new(route);
	w->facts->named_securely = route->secure;
	w->unanswered = 1;
	q->work = w;
	if (!p->off) {
		ask_hosts(w);
		ask_sts(w);
		if (p->reports)
			ask_reports(w);
	}
	answered(w);
}

void policy_cancel(struct policy_query *q)
{
	if (q->work)
		q->work = work_free(q->work);
}
