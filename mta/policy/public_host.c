/* mta/policy/public_host.c - both families of addresses, asked for at once. */
#include "mta/policy/public_host.h"

static bool is_allowed(const struct public_host *r, const struct ip *ip)
{
	return r->any || !ip_is_special(ip) || net_list_has(r->allowed(r->of), ip);
}

static void take(struct public_host *r, const struct dns_answer *a)
{
	for (unsigned i = 0; a->status == 0 && i < a->n; i++) {
		if (!is_allowed(r, &a->records[i].ip))
			r->special = true;
		else if (r->n_ips < FETCH_IPS_MAX)
			r->ips[r->n_ips++] = a->records[i].ip;
	}
	if (--r->unanswered == 0)
		r->done(r); /* r may be gone now */
}

static void on_a(struct dns_query *q, const struct dns_answer *a)
{
	take(container_of(q, struct public_host, a), a);
}

static void on_aaaa(struct dns_query *q, const struct dns_answer *a)
{
	take(container_of(q, struct public_host, aaaa), a);
}

static int begin(struct public_host *r, struct slice host)
{
	dns_query_init(&r->a, on_a);
	dns_query_init(&r->aaaa, on_aaaa);
	r->unanswered += resolver_ask(r->of->resolver, &r->a, host, DNS_A) == 0;
	r->unanswered += resolver_ask(r->of->resolver, &r->aaaa, host, DNS_AAAA) == 0;
	return r->unanswered ? 0 : E_SYNTAX;
}

static const struct net_list *allowed_for_policies(const struct policies *p)
{
	return &p->options->allowed;
}

int public_host_ask(struct policies *p, struct public_host *r, struct slice host,
		    void (*done)(struct public_host *r))
{
	return public_host_ask_allowed(p, r, host, allowed_for_policies, done);
}

int public_host_ask_allowed(struct policies *p, struct public_host *r, struct slice host,
			    const struct net_list *(*allowed)(const struct policies *p),
			    void (*done)(struct public_host *r))
{
	*r = (struct public_host){ .done = done, .of = p, .allowed = allowed };
	return begin(r, host);
}

int public_host_ask_any(struct policies *p, struct public_host *r, struct slice host,
			void (*done)(struct public_host *r))
{
	*r = (struct public_host){ .done = done, .of = p, .any = true };
	return begin(r, host);
}
