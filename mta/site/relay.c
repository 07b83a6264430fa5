/* mta/site/relay.c - looking smart hosts up, choosing one, and judging how AUTH ended. */
#include "mta/site/relay.h"

#include <stdio.h>

#include "base/log.h"
#include "mta/site/channel.h"
#include "mta/site/pair.h"
#include "mta/site/sorting.h"
#include "mta/token/tokens.h"

enum { AGAIN_MIN_MS = 30 * 1000, AGAIN_MAX_MS = 3600 * 1000 };

/* ---- its addresses ----------------------------------------------------------------------- */

static const char *const troubles[] = {
	[ROUTE_OK] = "",
	[ROUTE_TEMP] = "DNS gives no usable answer for it",
	[ROUTE_NO_DOMAIN] = "it does not exist or has no address",
	[ROUTE_NULL_MX] = "it accepts no mail (null MX)",
	[ROUTE_LOOP] = "it is this host",
	[ROUTE_FORBIDDEN] = "it has only private or reserved addresses (see route.allow)",
};

static void sort_pools(struct site *s)
{
	struct pool *p;

	list_each(&s->pools, p, struct pool, link)
		sorting_rules_changed(p);
}

/* Who waits there goes where it belongs now, at once: its turn would only come with a connection to
 * a host that may be gone. */
static void sort_out(struct site *s)
{
	if (!s)
		return;
	sort_pools(s);
	for (unsigned i = 0; i < SITE_ASKING; i++)
		if (s->asking[i])
			sort_pools(s->asking[i]);
}

static void found(struct relay *r, struct route *route)
{
	struct policy_facts *facts = policy_facts_new(route);
	struct site *old = r->site;

	policy_facts_seal(facts);
	r->site = site_smart(r->sites, facts, r);
	if (old != r->site)
		sort_out(old);
	(void)policy_facts_unref(facts);
	r->problem[0] = '\0';
}

static void on_route(struct route_query *q, struct route *route)
{
	struct relay *r = container_of(q, struct relay, query);
	int64_t ms = MIN_OF(MAX_OF((int64_t)route->ttl_s * 1000, (int64_t)AGAIN_MIN_MS),
			    (int64_t)AGAIN_MAX_MS);

	r->asked = false;
	r->status = route->status;
	if (route->status == ROUTE_OK) {
		found(r, route);
	} else {
		ms = AGAIN_MIN_MS; /* an old site serves on */
		(void)snprintf(r->problem, sizeof(r->problem), "%s", troubles[route->status]);
		log_warn("route.not-found", kv_str("route", r->route->name),
			 kv_str("host", r->route->host), kv_str("reason", r->problem));
	}
	route_unref(route);
	timer_set(r->sites->loop->timers, &r->again, ms);
}

static void ask(struct relay *r)
{
	struct sites *s = r->sites;

	if (r->asked || !r->kept)
		return;
	r->query = (struct route_query){ .done = on_route, .host_only = !r->route->mx };
	r->asked =
	    route_ask(s->resolver, &s->route_options, &r->query, slice_str(r->route->host)) == 0;
	if (r->asked)
		return;
	r->status = ROUTE_NO_DOMAIN;
	(void)snprintf(r->problem, sizeof(r->problem), "%s", troubles[ROUTE_NO_DOMAIN]);
	timer_set(s->loop->timers, &r->again, AGAIN_MIN_MS);
}

static void on_again(struct timer *t)
{
	ask(container_of(t, struct relay, again));
}

/* ---- the configuration ------------------------------------------------------------------- */

static struct relay *named(struct sites *s, const char *name)
{
	struct relay *r;

	list_each(&s->relays, r, struct relay, link)
		if (strcmp(r->route->name, name) == 0)
			return r;
	return NULL;
}

/* Connections of the old settings take no more mail. */
static void end_connections(struct relay *r)
{
	struct channel *ch;
	struct pool *p;

	if (!r->site)
		return;
	list_each(&r->site->pools, p, struct pool, link)
		list_each(&p->channels, ch, struct channel, link)
			ch->stale = true;
}

struct relay *relay_take(struct sites *s, struct relay *r, struct smart_route *route)
{
	bool same = r && r->route->print == route->print;
	bool whom = same && routes_same_whom(r->route, route);

	if (!r) {
		r = must_alloc(sizeof(*r));
		r->sites = s;
		r->status = ROUTE_TEMP;
		timer_init(&r->again, on_again);
		list_push(&s->relays, &r->link);
	} else {
		(void)smart_route_unref(r->route);
	}
	r->route = smart_route_ref(route);
	r->kept = true;
	if (!whom)
		sort_out(r->site);
	if (same && (r->asked || timer_running(&r->again)))
		return r;
	end_connections(r);
	if (r->asked)
		route_cancel(s->resolver, &r->query);
	r->asked = false;
	r->site = NULL; /* its hosts are others */
	r->auth_failed_ms = 0;
	r->problem[0] = '\0';
	ask(r);
	return r;
}

void relay_drop(struct relay *r)
{
	r->kept = false;
	timer_stop(r->sites->loop->timers, &r->again);
	end_connections(r);
	sort_out(r->site);
}

void relays_reload(struct sites *s)
{
	const struct routes *all = routes_of(engine_settings(lane_engine(s->lane)));
	struct relay *r;

	list_each(&s->relays, r, struct relay, link)
		r->kept = smart_route_is_fed(r->route) && r->kept;
	for (unsigned i = 0; i < all->n; i++)
		(void)relay_take(s, named(s, all->at[i]->name), all->at[i]);
	list_each(&s->relays, r, struct relay, link)
		if (!r->kept)
			relay_drop(r);
	s->routes = all;
}

void relays_end(struct sites *s)
{
	struct list *l;

	relays_fed_end(s);
	while ((l = list_pop(&s->relays)) != NULL) {
		struct relay *r = container_of(l, struct relay, link);

		timer_stop(s->loop->timers, &r->again);
		if (r->asked)
			route_cancel(s->resolver, &r->query);
		(void)smart_route_unref(r->route);
		free(r);
	}
}

bool relays_wait(const struct sites *s)
{
	const struct relay *r;

	list_each(&s->relays, r, const struct relay, link)
		if (r->asked && !r->site && !r->problem[0] && !smart_route_is_fed(r->route))
			return true;
	return false;
}

bool relay_waits(const struct relay *r)
{
	return r->asked && !r->site && !r->problem[0] && smart_route_is_fed(r->route);
}

struct relay *relay_of_flow(const struct way *w, const struct flow *f)
{
	struct sites *s = w->sites;
	struct smart_subject q;
	struct smart_route *route;

	q = (struct smart_subject){ .domain = domain_name(&w->domain),
				    .pool = slice_str(egress_pool_name(s->egress, f->to_pool)),
				    .stream = queue_stream_of(s->queue, f),
				    .tenant = f->tenant };
	route = s->fed->n ? smart_fed_find(s->fed, &q) : NULL;
	if (route)
		return relay_fed_of(s, route);
	route = routes_find(s->routes, &q);
	return route ? named(s, route->name) : NULL;
}

struct relay *relay_of(struct way *w, rcpt_ref ref)
{
	struct queue *q = w->sites->queue;

	return way_differs(q) ? relay_of_flow(w, queue_flow_of(q, queue_rcpt(q, ref))) : NULL;
}

void relay_explain(const struct relay *r, char *text, size_t cap)
{
	(void)snprintf(text, cap, "the smart host %.200s of route %.64s cannot be used: %s",
		       r->route->host, r->route->name,
		       r->problem[0] ? r->problem : "it is being looked up");
}

/* ---- sessions ---------------------------------------------------------------------------- */

static void auth_trouble(struct channel *ch, const char *what, const struct verdict *v)
{
	struct relay *r = ch->pool->site->relay;

	r->auth_failed_ms = clock_wall_ms();
	(void)snprintf(r->problem, sizeof(r->problem), "%s", what);
	site_problem(ch->pool->site, v, r->route->host);
	log_error("route.auth-failed", kv_str("route", r->route->name),
		  kv_str("host", r->route->host), kv_int("code", v->code),
		  kv_slice("reason", verdict_text(v)));
	site_back_off(ch->pool->site);
}

/* Negative: there is none now; the pool looks again, or its site pauses. */
static int take_token(struct channel *ch, const struct smart_route *route)
{
	char why[TOKENS_WHY_MAX];
	struct verdict v;

	switch (tokens_get(ch->pool->sites->tokens, route, ch->auth, why)) {
	case TOKENS_GOOD:
		return 0;
	case TOKENS_ASKING:
		pool_wait(ch->pool, PAIR_TOKEN, TOKENS_LOOK_MS);
		return E_DENIED;
	default:
		verdict_set(&v, VERDICT_DEFERRED, STATUS(4, 7, 8), true,
			    "no token for route %s: %s", route->name, why);
		auth_trouble(ch, "its token cannot be had", &v);
		return E_DENIED;
	}
}

int relay_begin(struct channel *ch, struct session_options *o)
{
	const struct smart_route *route = ch->pool->site->relay->route;
	struct verdict v;
	int err = smart_auth_new(&ch->auth, route);

	if (err < 0) {
		verdict_set(&v, VERDICT_DEFERRED, STATUS(4, 7, 8), true,
			    "the credentials of route %s cannot be used: %s", route->name,
			    err == E_DENIED ? "others can read their file" : err_text(err));
		auth_trouble(ch, "its credentials cannot be read", &v);
		return err;
	}
	if (route->token_url && (err = take_token(ch, route)) < 0)
		return err;
	o->to.port = route->port;
	o->tls_at_once = route->tls_at_once;
	o->auth = ch->auth ? &ch->auth->auth : NULL;
	return 0;
}

void relay_ready(struct channel *ch)
{
	struct relay *r = ch->pool->site->relay;

	if (r->route->token_url)
		tokens_proved(ch->pool->sites->tokens, r->route);
	ch->auth = smart_auth_free(ch->auth); /* said once, and not needed again */
	r->auth_failed_ms = 0;
	r->problem[0] = '\0';
}

/* No credentials of ours were taken: the host refused them, or does not offer our mechanism. */
bool relay_ended(struct channel *ch, const struct verdict *v)
{
	const struct relay *r = ch->pool->site->relay;

	if (!r || ch->ready_once || !(ch->auth_refused || status_eq(v->status, STATUS(4, 7, 8))))
		return false;
	if (ch->auth_refused && ch->auth && r->route->token_url &&
	    tokens_refused(ch->pool->sites->tokens, r->route, ch->auth->auth.secret))
		return true; /* another token is asked for; its pool goes on */
	auth_trouble(ch, "it does not take our credentials", v);
	return true;
}

/* ---- what is shown ----------------------------------------------------------------------- */

enum relay_state relay_state(const struct relay *r)
{
	if (r->auth_failed_ms)
		return RELAY_AUTH_FAILED;
	if (!r->site)
		return r->asked ? RELAY_LOOKING : RELAY_NOT_FOUND;
	return r->site->backoff_until_ms > sites_now(r->sites) ? RELAY_PAUSED : RELAY_READY;
}

const char *relay_state_name(enum relay_state s)
{
	static const char *const names[] = { [RELAY_LOOKING] = "looking up",
					     [RELAY_READY] = "ready",
					     [RELAY_NOT_FOUND] = "not found",
					     [RELAY_AUTH_FAILED] = "AUTH failed",
					     [RELAY_PAUSED] = "paused" };

	return names[s];
}
