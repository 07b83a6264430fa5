/* mta/admin/adaptive.c - what the engine has learned of sources at sites, and forgetting it. */
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
};

static void put_row(void *arg, struct site_limits *site, struct source_limits *e)
{
	struct adaptive_report *r = arg;
	char source[IP_TEXT_MAX] = "*";
	struct steer_fact f;
	struct branch *row;

	if (!steer_fact(e, &f) || !f.holds_back)
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
	struct adaptive_report r = { branch_list(q->out, "adaptive"), q->max, 0 };

	limits_each_source(limits_of(q), put_row, &r);
	branch_int(q->out, "more", r.more);
	query_answer(q);
	return 0;
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
