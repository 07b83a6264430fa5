/* mta/admin/route.c - postern route: which smart hosts there are, how they are, and a session that
 * carries no mail. */
#include <stdio.h>

#include "mta/admin/commands.h"
#include "mta/site/knock.h"

/* ---- list -------------------------------------------------------------------------------- */

static const struct relay *relay_named(const struct sites *s, const char *name)
{
	const struct relay *r;

	list_each(&s->relays, r, const struct relay, link)
		if (r->kept && strcmp(r->route->name, name) == 0)
			return r;
	return NULL;
}

static void put_lane_row(struct branch *rows, const struct relay *r)
{
	struct branch *row = branch_map(rows, NULL);

	branch_int(row, "state", r ? relay_state(r) : RELAY_LOOKING);
	branch_str(row, "problem", r ? r->problem : "");
}

/* How the lane sees each route, in the order of the configuration; behind them those of tenants.
 * Where a change comes in between, a row may show another one's state: it is for people. */
void admin_lane_routes(struct query *q, struct query_part *p, struct lane *l)
{
	const struct sites *s = sites_of(l);

	for (unsigned i = 0; i < s->routes->n; i++)
		put_lane_row(p->rows, relay_named(s, s->routes->at[i]->name));
	for (unsigned i = 0; i < MIN_OF(s->fed->n, q->max); i++)
		put_lane_row(p->rows, relay_fed_of(s, s->fed->at[i]));
}

static void put_whom(struct branch *row, const struct smart_route *r)
{
	static const char *const names[SMART_LISTS] = { "domain", "tenant", "pool", "stream" };
	struct buf text = { 0 };

	if (smart_route_is_fed(r))
		buf_putf(&text, "tenant %llu", (unsigned long long)r->tenant);
	for (unsigned k = 0; k < SMART_LISTS; k++)
		for (unsigned i = 0; i < r->n[k]; i++) {
			if (i == 0)
				buf_putf(&text, "%s%s ", buf_len(&text) ? "; " : "", names[k]);
			buf_putf(&text, "%s%s", i ? ", " : "", r->lists[k][i]);
		}
	branch_slice(row, "for", buf_data(&text));
	buf_free(&text);
}

/* The worst that a lane sees of the route. */
static void put_state(struct query *q, struct branch *row, unsigned route)
{
	enum relay_state worst = RELAY_READY;
	char problem[128] = "", text[128];

	for (unsigned i = 0; i < engine_lanes(q->server->engine); i++) {
		const struct value *rows = &tree_value(q->parts[i].tree)->members[0].value;
		uint64_t state;

		if (route >= rows->count || !query_number(&rows->items[route], "state", &state))
			continue;
		worst = MAX_OF(worst, (enum relay_state)state);
		if (query_text(&rows->items[route], "problem", text, sizeof(text)) && *text)
			memcpy(problem, text, sizeof(problem));
	}
	branch_str(row, "state", relay_state_name(worst));
	branch_str(row, "problem", problem);
}

static void put_route(struct query *q, struct branch *rows, const struct smart_route *r, unsigned i)
{
	struct branch *row = branch_map(rows, NULL);

	branch_str(row, "name", r->name);
	branch_str(row, "host", r->host);
	branch_int(row, "port", r->port);
	branch_str(row, "tls", tls_words[r->tls]);
	branch_bool(row, "tls_at_once", r->tls_at_once);
	branch_str(row, "auth", smtp_auth_name(r->auth));
	branch_int(row, "owner", (int64_t)r->tenant);
	put_whom(row, r);
	put_state(q, row, i);
}

int admin_finish_routes(struct query *q)
{
	const struct routes *all = routes_of(engine_settings(q->server->engine));
	struct smart_fed *fed = smart_fed_now(q->server->engine);
	struct branch *rows = branch_list(q->out, "routes");

	for (unsigned i = 0; i < all->n; i++)
		put_route(q, rows, all->at[i], i);
	for (unsigned i = 0; i < MIN_OF(fed->n, q->max); i++)
		put_route(q, rows, fed->at[i], all->n + i);
	branch_int(q->out, "more", fed->n > q->max ? fed->n - q->max : 0);
	(void)smart_fed_unref(fed);
	query_answer(q);
	return 0;
}

/* ---- test -------------------------------------------------------------------------------- */

/* Posted to a lane and back. */
struct route_look {
	struct note note;
	struct knock_user user;
	struct lane *lane;
	struct knock *knock;
	struct query *query;
};

static void is_back(struct note *n, struct lane *front)
{
	struct route_look *l = container_of(n, struct route_look, note);
	struct query *q = l->query;
	struct knock_facts f = knock_facts(l->knock);

	(void)front;
	branch_str(q->out, "host", f.host);
	branch_str(q->out, "ip", f.ip);
	branch_str(q->out, "tls", f.tls);
	branch_str(q->out, "auth", f.auth);
	branch_str(q->out, "text", f.text);
	branch_bool(q->out, "good", f.good);
	(void)knock_free(l->knock);
	free(l);
	query_answer(q);
}

static void answered(struct knock_user *u)
{
	struct route_look *l = container_of(u, struct route_look, user);

	l->note.run = is_back;
	lane_post(engine_front(lane_engine(l->lane)), &l->note);
}

static void look(struct note *n, struct lane *lane)
{
	struct route_look *l = container_of(n, struct route_look, note);

	l->lane = lane;
	knock_start(l->knock, sites_of(lane), &l->user);
}

/* `key` is the route's name. */
int admin_begin_route_test(struct query *q)
{
	struct smart_fed *fed = smart_fed_now(q->server->engine);
	bool known =
	    routes_named(routes_of(engine_settings(q->server->engine)), slice_str(q->key)) ||
	    smart_fed_named(fed, slice_str(q->key));

	(void)smart_fed_unref(fed);
	if (known)
		return 0;
	(void)snprintf(q->fault, sizeof(q->fault), "there is no such route");
	return E_UNKNOWN;
}

int admin_finish_route_test(struct query *q)
{
	struct route_look *l = must_alloc(sizeof(*l));

	l->query = q;
	l->user.done = answered;
	l->knock = knock_new(slice_str(q->key));
	l->note.run = look;
	lane_post(engine_lane(q->server->engine, 0), &l->note);
	return 0;
}
