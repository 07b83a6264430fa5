/* mta/site/explain.c - a route and its policy, asked for by a person. */
#include "mta/site/explain.h"

struct explain *explain_new(struct slice domain, void (*done)(struct explain *x), void *arg)
{
	struct explain *x = must_alloc(sizeof(*x));

	(void)slice_copy(x->domain, sizeof(x->domain), domain);
	x->done = done;
	x->arg = arg;
	return x;
}

struct explain *explain_free(struct explain *x)
{
	if (!x)
		return NULL;
	route_unref(x->route);
	(void)policy_facts_unref(x->facts);
	free(x);
	return NULL;
}

static void on_policy(struct policy_query *q, struct policy_facts *facts)
{
	struct explain *x = container_of(q, struct explain, policy_query);

	x->facts = facts;
	x->done(x);
}

static void on_route(struct route_query *q, struct route *route)
{
	struct explain *x = container_of(q, struct explain, route_query);

	x->route = route;
	if (route->status != ROUTE_OK) {
		x->done(x);
		return;
	}
	x->policy_query.done = on_policy;
	policy_ask(x->sites->policies, &x->policy_query, route);
}

void explain_start(struct explain *x, struct sites *s)
{
	x->sites = s;
	x->route_query.done = on_route;
	if (route_ask(s->resolver, &s->route_options, &x->route_query, slice_str(x->domain)) < 0)
		x->done(x);
}
