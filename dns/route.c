/* dns/route.c - from a domain to its hosts: MX, the addresses of each, then what is allowed. */
#include "dns/route.h"

#include <stdatomic.h>

#include "base/random.h"
#include "dns/name.h"
#include "dns/mxset.h"

enum {
	TTL_UNSURE_S = 60,
	HOST_TTL_S = 3600
}; /* a route that lacks a host for now is asked again soon */

struct shared_route {
	atomic_uint refs;
	struct route route;
	struct route_host hosts[];
};

enum { ASK_A, ASK_AAAA, ASKS };
struct route_candidate {
	struct route_work *work;
	struct dns_query asks[ASKS];
	bool temp, forbidden, ours, insecure;
	struct route_host host;
};

struct route_work {
	struct resolver *r;
	const struct route_options *o;
	struct route_query *q;
	struct dns_query mx;
	char domain[DNS_NAME_MAX];
	bool implicit, secure, dropped_ours;
	uint32_t ttl_s, no_ttl_s; /* the least of answers with records, and of the others */
	unsigned unanswered, n;
	struct route_candidate *candidates;
};

/* ---- the result -------------------------------------------------------------------------- */

static struct shared_route *shared_of(struct route *route)
{
	return container_of(route, struct shared_route, route);
}

struct route *route_ref(struct route *route)
{
	atomic_fetch_add_explicit(&shared_of(route)->refs, 1, memory_order_relaxed);
	return route;
}

struct route *route_unref(struct route *route)
{
	if (route &&
	    atomic_fetch_sub_explicit(&shared_of(route)->refs, 1, memory_order_acq_rel) == 1)
		free(shared_of(route));
	return NULL;
}

static struct route_work *work_free(struct route_work *w)
{
	resolver_cancel(w->r, &w->mx);
	for (unsigned i = 0; i < w->n; i++)
		for (unsigned k = 0; k < ASKS; k++)
			resolver_cancel(w->r, &w->candidates[i].asks[k]);
	free(w->candidates);
	free(w);
	return NULL;
}

static bool is_usable(const struct route_candidate *c)
{
	return c->host.n_ips > 0;
}

static void write_site(const struct route_work *w, char *ret)
{
	const char *names[ROUTE_HOSTS_MAX];

	for (unsigned i = 0; i < w->n; i++)
		names[i] = w->candidates[i].host.name;
	if (w->n)
		mxset_name(names, w->n, ret);
}

static void finish(struct route_work *w, enum route_status status)
{
	struct route_query *q = w->q;
	struct shared_route *s;
	unsigned n = 0;

	for (unsigned i = 0; status == ROUTE_OK && i < w->n; i++)
		n += is_usable(&w->candidates[i]);
	s = must_alloc(sizeof(*s) + n * sizeof(s->hosts[0]));
	atomic_init(&s->refs, 1);
	s->route.status = status;
	s->route.implicit = w->implicit;
	s->route.secure = w->secure;
	s->route.ttl_s = w->ttl_s;
	s->route.hosts = s->hosts;
	memcpy(s->route.domain, w->domain, sizeof(w->domain));
	write_site(w, s->route.site);
	for (unsigned i = 0; n && i < w->n; i++)
		if (is_usable(&w->candidates[i]))
			s->hosts[s->route.n_hosts++] = w->candidates[i].host;
	work_free(w);
	q->state = NULL;
	q->done(q, &s->route); /* q may be gone now */
}

/* ---- are we one of them? ----------------------------------------------------------------- */

static bool is_own_name(const struct route_options *o, const char *name)
{
	for (unsigned i = 0; i < o->n_own_names; i++)
		if (slice_eq_nocase(slice_str(o->own_names[i]), slice_str(name)))
			return true;
	return false;
}

static bool is_own_ip(const struct route_options *o, const struct ip *ip)
{
	for (unsigned i = 0; i < o->n_own_ips; i++)
		if (ip_eq(&o->own_ips[i], ip))
			return true;
	return false;
}

/* RFC 5321 section 5.1: when we are among them, only better hosts may be tried. */
static void drop_ours_and_worse(struct route_work *w)
{
	unsigned limit = UINT16_MAX + 1u, n = 0;

	for (unsigned i = 0; i < w->n; i++)
		if (w->candidates[i].ours)
			limit = MIN_OF(limit, w->candidates[i].host.preference);
	while (n < w->n && w->candidates[n].host.preference < limit)
		n++; /* they stand in order */
	w->dropped_ours = w->dropped_ours || n < w->n;
	w->n = n;
}

/* ---- addresses --------------------------------------------------------------------------- */

static bool is_allowed(const struct route_options *o, const struct ip *ip)
{
	if (!ip_is_special(ip))
		return true;
	for (unsigned i = 0; i < o->n_allowed; i++)
		if (ip_net_has(&o->allowed[i], ip))
			return true;
	return false;
}

static void take_ip(struct route_candidate *c, const struct ip *ip)
{
	if (is_own_ip(c->work->o, ip))
		c->ours = true;
	if (!is_allowed(c->work->o, ip))
		c->forbidden = true;
	else if (c->host.n_ips < ROUTE_IPS_MAX)
		c->host.ips[c->host.n_ips++] = *ip;
}

/* IPv4 comes first, whichever answer came first: a route does not depend on a race. */
static int by_family(const void *a, const void *b)
{
	const struct ip *x = a, *y = b;

	if (x->family != y->family)
		return x->family == AF_INET ? -1 : 1;
	return memcmp(x->bytes, y->bytes, sizeof(x->bytes));
}

static void settle(struct route_work *w)
{
	bool temp = false, forbidden = false;
	unsigned usable = 0;

	drop_ours_and_worse(w);
	for (unsigned i = 0; i < w->n; i++) {
		struct route_candidate *c = &w->candidates[i];

		usable += is_usable(c);
		temp = temp || c->temp;
		forbidden = forbidden || c->forbidden;
		qsort(c->host.ips, c->host.n_ips, sizeof(c->host.ips[0]), by_family);
	}
	if (temp)
		w->ttl_s = MIN_OF(w->ttl_s, (uint32_t)TTL_UNSURE_S);
	if (!usable)
		w->ttl_s = MIN_OF(w->ttl_s, w->no_ttl_s);
	if (usable)
		finish(w, ROUTE_OK);
	else if (temp)
		finish(w, ROUTE_TEMP);
	else if (forbidden)
		finish(w, ROUTE_FORBIDDEN);
	else
		finish(w, w->dropped_ours ? ROUTE_LOOP : ROUTE_NO_DOMAIN);
}

static void take_address_answer(struct route_candidate *c, const struct dns_answer *a)
{
	struct route_work *w = c->work;

	if (a->status == 0)
		w->ttl_s = MIN_OF(w->ttl_s, a->ttl_s);
	else
		w->no_ttl_s = MIN_OF(w->no_ttl_s, a->ttl_s);
	if (a->status == E_DNS_TEMP)
		c->temp = true;
	if (a->status == 0) {
		c->insecure = c->insecure || !a->authentic;
		c->host.secure = !c->insecure;
		(void)slice_copy(c->host.canonical, sizeof(c->host.canonical), a->canonical);
	}
	for (unsigned i = 0; a->status == 0 && i < a->n; i++)
		take_ip(c, &a->records[i].ip);
	if (--w->unanswered == 0)
		settle(w);
}

static void on_a(struct dns_query *q, const struct dns_answer *a)
{
	take_address_answer(container_of(q, struct route_candidate, asks[ASK_A]), a);
}

static void on_aaaa(struct dns_query *q, const struct dns_answer *a)
{
	take_address_answer(container_of(q, struct route_candidate, asks[ASK_AAAA]), a);
}

/* Names that are addresses or mean this host are never asked: their meaning is known. */
static bool is_known_without_asking(struct route_candidate *c)
{
	struct slice name = slice_str(c->host.name);
	struct ip ip;

	if (ip_parse(name, &ip) == 0)
		return true; /* RFC 5321 section 5.1: an MX names a host, not an address */
	if (slice_eq(name, SLICE("localhost")) ||
	    (name.n > 10 && slice_eq(slice_of(name.p + name.n - 10, 10), SLICE(".localhost")))) {
		c->forbidden = true;
		return true;
	}
	return false;
}

static void ask_addresses(struct route_candidate *c)
{
	static const struct {
		enum dns_type type;
		void (*done)(struct dns_query *, const struct dns_answer *);
	} kinds[ASKS] = { [ASK_A] = { DNS_A, on_a }, [ASK_AAAA] = { DNS_AAAA, on_aaaa } };
	const struct route_options *o = c->work->o;
	const bool wanted[ASKS] = { [ASK_A] = o->ipv4, [ASK_AAAA] = o->ipv6 };

	for (unsigned k = 0; k < ASKS; k++) {
		dns_query_init(&c->asks[k], kinds[k].done);
		if (!wanted[k] || is_known_without_asking(c))
			continue;
		if (resolver_ask(c->work->r, &c->asks[k], slice_str(c->host.name), kinds[k].type) ==
		    0)
			c->work->unanswered++;
	}
}

static void ask_all_addresses(struct route_work *w)
{
	for (unsigned i = 0; i < w->n; i++)
		ask_addresses(&w->candidates[i]);
	if (w->unanswered == 0)
		settle(w);
}

/* ---- hosts ------------------------------------------------------------------------------- */

struct ranked {
	uint32_t rank; /* preference, then chance */
	const struct dns_record *record;
};

static struct ranked rank(const struct dns_record *record)
{
	return (struct ranked){ (uint32_t)record->preference << 16 | random_below(65536), record };
}

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static bool has_host(const struct route_work *w, struct slice name)
{
	for (unsigned i = 0; i < w->n; i++)
		if (slice_eq(slice_str(w->candidates[i].host.name), name))
			return true;
	return false;
}

static void add_host(struct route_work *w, struct slice name, uint16_t preference)
{
	struct route_candidate *c = &w->candidates[w->n];

	if (w->n == ROUTE_HOSTS_MAX || has_host(w, name))
		return;
	c->work = w;
	c->host.preference = preference;
	(void)slice_copy(c->host.name, sizeof(c->host.name), name);
	(void)slice_copy(c->host.canonical, sizeof(c->host.canonical), name);
	c->ours = is_own_name(w->o, c->host.name);
	w->n++;
}

/* By preference, equal ones in random order (RFC 5321 section 5.1), so that the worst
 * are past the limit. */
static void add_mx_hosts(struct route_work *w, const struct dns_answer *a)
{
	struct ranked ranked[DNS_RECORDS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < a->n && i < DNS_RECORDS_MAX; i++)
		if (a->records[i].name.n) /* RFC 7505 section 3: "." beside others is ignored */
			ranked[n++] = rank(&a->records[i]);
	qsort(ranked, n, sizeof(ranked[0]), by_rank);
	for (unsigned i = 0; i < n; i++)
		add_host(w, ranked[i].record->name, ranked[i].record->preference);
}

static void take_mx(struct route_work *w, const struct dns_answer *a)
{
	if (a->status == 0)
		add_mx_hosts(w, a);
	else
		add_host(w, slice_str(w->domain), 0);
	if (w->n == 0) {
		finish(w, ROUTE_NULL_MX);
		return;
	}
	drop_ours_and_worse(w);
	if (w->n == 0)
		finish(w, ROUTE_LOOP);
	else
		ask_all_addresses(w);
}

static void on_mx(struct dns_query *q, const struct dns_answer *a)
{
	struct route_work *w = container_of(q, struct route_work, mx);

	w->ttl_s = a->ttl_s;
	w->no_ttl_s = UINT32_MAX;
	w->implicit = a->status == E_DNS_NONE;
	w->secure = a->authentic;
	switch (a->status) {
	case 0:
	case E_DNS_NONE:
		take_mx(w, a);
		return;
	case E_DNS_NXDOMAIN:
		finish(w, ROUTE_NO_DOMAIN);
		return;
	default:
		finish(w, ROUTE_TEMP);
	}
}

/* Of the host itself; nothing was asked when it gives E_SYNTAX. */
static int ask_host(struct route_work *w)
{
	w->ttl_s = w->no_ttl_s = HOST_TTL_S;
	w->implicit = true;
	add_host(w, slice_str(w->domain), 0);
	ask_addresses(&w->candidates[0]);
	if (!w->unanswered) {
		work_free(w);
		return E_SYNTAX;
	}
	w->q->state = w;
	return 0;
}

int route_ask(struct resolver *r, const struct route_options *o, struct route_query *q,
	      struct slice domain)
{
	struct route_work *w;
	struct ip ip;
	char clean[DNS_NAME_MAX];
	int n = name_clean(domain, clean);

	if (n < 0 || ip_parse(slice_of(clean, (size_t)n), &ip) == 0)
		return E_SYNTAX;
	w = must_alloc(sizeof(*w));
	w->r = r;
	w->o = o;
	w->q = q;
	w->candidates = must_alloc(ROUTE_HOSTS_MAX * sizeof(w->candidates[0]));
	memcpy(w->domain, clean, sizeof(clean));
	dns_query_init(&w->mx, on_mx);
	if (q->host_only)
		return ask_host(w);
	n = resolver_ask(r, &w->mx, slice_of(clean, (size_t)n), DNS_MX);
	if (n < 0) {
		work_free(w);
		return n;
	}
	q->state = w;
	return 0;
}

void route_cancel(struct resolver *r UNUSED, struct route_query *q)
{
	if (q->state)
		q->state = work_free(q->state);
}
