/* control/http/limits.c - the rules that requests are held to, and how callers are told of them:
 * 429, Retry-After, and the fields RateLimit-Policy and RateLimit of the HTTPAPI group's draft. */
#include <stdio.h>

#include "control/http/options.h"
#include "control/http/private.h"

enum { COSTLY = 20 };

/* The fields show one rule: the one that refuses, or the last that was asked. */
static void show(struct call_request *q, const struct http_brake_rule *rule,
		 const struct http_brake_left *left)
{
	(void)snprintf(q->rate_policy, sizeof(q->rate_policy), "\"%s\";q=%lld;w=%lld", rule->name,
		       (long long)rule->burst,
		       (long long)MAX_OF(1, rule->burst * 3600 / rule->per_hour));
	(void)snprintf(q->rate, sizeof(q->rate), "\"%s\";r=%lld;t=%u", rule->name,
		       (long long)left->left, left->wait_s ? left->wait_s : left->full_s);
}

int call_limit(struct call *c, const struct http_brake_rule *rule, struct slice key, unsigned cost,
	       const char *what)
{
	struct http_brake_left left;
	bool fine = http_brake_take(rule, key, cost, &left);

	show(c->request, rule, &left);
	if (fine)
		return 0;
	http_reply_header(c, "Retry-After", "%u", left.wait_s);
	return problem(c, 429, "too_many_requests", "too many %s: try again in %u s", what,
		       left.wait_s);
}

int call_brake(struct call *c)
{
	const struct http_options *o = http_options(c->app);
	const struct http_brake_rule rule = { "attempts", o->brake_burst,
					      o->brake_per_minute * 60 };

	return call_limit(c, &rule, http_brake_address(&c->ip), 1, "attempts from your address");
}

static unsigned cost_of(const struct call *c)
{
	return c->route->flags & ROUTE_COSTLY ? COSTLY : 1;
}

/* Mailbox providers unsubscribe for all their users from a few addresses, and do not come again
 * after 429: the pages for recipients are bounded by connections only. */
int http_limits_address(struct call *c)
{
	const struct http_options *o = http_options(c->app);
	const struct http_brake_rule rule = { "address", o->address_burst,
					      o->address_per_minute * 60 };

	if (c->request->listener != LISTEN_API)
		return 0;
	return call_limit(c, &rule, http_brake_address(&c->ip), cost_of(c),
			  "requests from your address");
}

static int take_org(struct call *c)
{
	const struct http_options *o = http_options(c->app);
	const struct http_brake_rule rule = { "organization", o->org_burst,
					      o->org_per_minute * 60 };
	char key[16];
	int n = snprintf(key, sizeof(key), "%u", (unsigned)c->actor.org);

	return call_limit(c, &rule, slice_of(key, (size_t)n), cost_of(c),
			  "requests of your organisation");
}

static int take_caller(struct call *c)
{
	const struct http_options *o = http_options(c->app);
	const struct http_brake_rule rule = { "caller", o->caller_burst,
					      o->caller_per_minute * 60 };
	char key[64];
	int n = snprintf(key, sizeof(key), "%d %u %llu", (int)c->actor.kind, (unsigned)c->actor.org,
			 (unsigned long long)c->actor.id);

	return call_limit(c, &rule, slice_of(key, (size_t)n), cost_of(c),
			  c->actor.kind == ACTOR_KEY ? "requests with this key"
						     : "requests of this person");
}

/* A key that asks too often takes nothing from its organisation: it is refused first. */
int http_limits_caller(struct call *c)
{
	char policy[sizeof(c->request->rate_policy)], rate[sizeof(c->request->rate)];
	int r;

	if (c->request->counted || (c->actor.kind != ACTOR_USER && c->actor.kind != ACTOR_KEY))
		return 0;
	c->request->counted = true;
	r = take_caller(c);
	if (r < 0)
		return r;
	memcpy(policy, c->request->rate_policy, sizeof(policy));
	memcpy(rate, c->request->rate, sizeof(rate));
	r = take_org(c);
	if (r < 0)
		return r;
	/* The caller's own is shown while both have room. */
	memcpy(c->request->rate_policy, policy, sizeof(policy));
	memcpy(c->request->rate, rate, sizeof(rate));
	return 0;
}

static bool has_credential(const struct call *c)
{
	return call_header(c, "Authorization").p || call_header(c, "X-Api-Key").p ||
	       call_header(c, "Cookie").p;
}

/* Those who hold a right credential are never locked out by others at their address: only the
 * answer to a wrong one changes. */
int call_brake_wrong(struct call *c)
{
	const struct http_options *o = http_options(c->app);
	const struct http_brake_rule rule = { "credentials", o->wrong_burst,
					      o->wrong_per_minute * 60 };

	return call_limit(c, &rule, http_brake_address(&c->ip), 1,
			  "wrong credentials from your address");
}

void http_limits_wrong(struct call *c)
{
	if (c->request->reply.status == 401 && has_credential(c))
		(void)!call_brake_wrong(c);
}
