/* mta/admin/adaptive.c - what the engine has learned of sources at sites, and forgetting it. */
#include <stdio.h>

#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/site/sites.h"
#include "mta/site/steer.h"

static struct limits *limits_of(struct query *q)
{
	return engine_shared(q->server->engine, &site_part);
}

struct adaptive_report {
	struct branch *rows;
	unsigned left, more;
	struct slice site, provider; /* of these alone; NULL: of all */
	struct ip source;            /* likewise; family 0: of all */
};

static bool is_asked_for(const struct adaptive_report *r, const struct site_limits *site,
			 const struct source_limits *e)
{
	if (r->source.family && !ip_eq(&r->source, &e->ip))
		return false;
	return !r->site.p || slice_eq(r->site, slice_str(site->name)) ||
	       slice_eq(r->provider, slice_str(site->name));
}

static void put_row(void *arg, struct site_limits *site, struct source_limits *e)
{
	struct adaptive_report *r = arg;
	char source[IP_TEXT_MAX] = "*";
	struct steer_fact f;
	struct branch *row;

	if (!is_asked_for(r, site, e) || !steer_fact(e, &f) || !f.holds_back)
		return;
	if (!r->left) {
		r->more++;
		return;
	}
	r->left--;
	if (e->ip.family)
		ip_format(&e->ip, source);
	row = branch_map(r->rows, NULL);
	branch_str(row, "site", site->name);
	branch_str(row, "source", source);
	branch_int(row, "open", f.connections);
	branch_int(row, "connections", f.closed_until_ms ? 0 : f.window);
	branch_int(row, "per_hour", f.rate / 24);
	if (f.closed_until_ms)
		branch_int(row, "closed_until_ms", f.closed_until_ms);
	branch_int(row, "since_ms", f.since_ms);
	branch_int(row, "trouble_ms", f.trouble_ms);
	branch_str(row, "reply", f.why);
}

int admin_finish_adaptive(struct query *q)
{
	struct adaptive_report r = { .rows = branch_list(q->out, "adaptive"), .left = q->max };

	limits_each_source(limits_of(q), put_row, &r);
	branch_int(q->out, "more", r.more);
	query_answer(q);
	return 0;
}

enum { EXPLAINED_MAX = 100 };

void admin_put_adaptive(struct query *q, struct slice site, const char *provider)
{
	char scope[300];
	struct adaptive_report r = { .rows = branch_list(q->out, "adaptive"),
				     .left = EXPLAINED_MAX,
				     .site = site };

	(void)snprintf(scope, sizeof(scope), "provider %s", provider);
	r.provider = slice_str(scope);
	if (*q->source && ip_parse(slice_str(q->source), &r.source) < 0)
		return;
	limits_each_source(limits_of(q), put_row, &r);
}

int admin_begin_forget(struct query *q)
{
	struct ip ip;

	return *q->what && (!*q->source || ip_parse(slice_str(q->source), &ip) == 0) ? 0 : E_SYNTAX;
}

int admin_finish_forget(struct query *q)
{
	struct ip ip = { 0 };
	unsigned n;

	if (*q->source && ip_parse(slice_str(q->source), &ip) < 0)
		return E_SYNTAX;
	n = steer_forget(limits_of(q), slice_str(q->what), *q->source ? &ip : NULL);
	if (!n)
		return E_UNKNOWN;
	log_info("adaptive.forgotten", kv_str("site", q->what), kv_str("source", q->source),
		 kv_int("sources", n));
	engine_changed(q->server->engine);
	branch_int(q->out, "forgotten", n);
	query_answer(q);
	return 0;
}
