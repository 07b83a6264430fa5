/* mta/admin/tenant.c - limits and weights of tenants and campaigns: what holds, and live orders. */
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/queue/options.h"
#include "mta/tenants/tenancy.h"

static struct tenancy *tenants_of(const struct query *q)
{
	return tenancy_of(q->server->engine);
}

/* ---- orders ------------------------------------------------------------------------------ */

static int sign_order(struct query *q, struct tenant_order *o)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char when[32], author[128];
	struct buf key, value;
	struct tm tm;

	query_author(q, author, sizeof(author));
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	(void)snprintf(o->author, sizeof(o->author), "%.120s at %s", author, when);
	slice_copy(o->reason, sizeof(o->reason), slice_str(q->reason));
	if (strpbrk(o->author, "\n") || strpbrk(o->reason, "\n"))
		return E_SYNTAX;
	buf_init(&key, 0);
	buf_init(&value, 0);
	tenant_order_print(o, &key, &value);
	slice_copy(q->what, sizeof(q->what), buf_data(&key));
	slice_copy(q->value, sizeof(q->value), buf_data(&value));
	buf_free(&key);
	buf_free(&value);
	return tenancy_check(slice_str(q->what), slice_str(q->value));
}

static void is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);
	struct tenant_order o;
	struct buf words;

	q->server->limiting = false;
	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	tenancy_rule_changed(q->server->engine, slice_str(q->what), slice_str(q->value));
	log_info("limits.order", kv_str("rule", q->what), kv_str("value", q->value));
	if (tenant_order_read(slice_str(q->what), slice_str(q->value), &o) == 0) {
		buf_init(&words, 0);
		tenant_words_show(&o.words, &words);
		branch_slice(q->out, "limits", buf_data(&words));
		buf_free(&words);
	}
	branch_str(q->out, "rule", q->what);
	query_answer(q);
}

static int write_limit(struct query *q)
{
	lsn_t lsn;
	int r = spool_put_rule(engine_spool(q->server->engine), slice_str(q->what),
			       slice_str(q->value), &lsn);

	if (r < 0)
		return r;
	q->server->limiting = true;
	durable_wait_init(&q->wait, is_durable);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}

/* What stands now, with the words that this one brings. */
static int begin(struct query *q, struct tenant_order *o)
{
	struct tenant_order now;

	if (q->server->limiting) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "another order on limits is being written; try again");
		return E_CONFLICT;
	}
	if (tenant_order_subject(slice_str(q->what), o) < 0) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "expected the number of a tenant or of a campaign, from 1");
		return E_SYNTAX;
	}
	if (tenancy_order(tenants_of(q), o->campaign, o->number, &now))
		*o = now;
	return 0;
}

int admin_finish_tenant_limit(struct query *q)
{
	struct tenant_order o;
	int r = begin(q, &o);

	if (r < 0)
		return r;
	o.before = o.words;
	r = tenant_words_read(slice_str(q->value), o.campaign, &o.words, q->fault);
	if (r == 0)
		r = sign_order(q, &o);
	return r < 0 ? r : write_limit(q);
}

int admin_finish_tenant_undo(struct query *q)
{
	struct tenant_order o;
	struct tenant_words undone;
	int r = begin(q, &o);

	if (r < 0)
		return r;
	if (!*o.author) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "no order was given; see postern tenants");
		return E_UNKNOWN;
	}
	undone = o.words;
	o.words = o.before;
	o.before = undone;
	r = sign_order(q, &o);
	return r < 0 ? r : write_limit(q);
}

/* ---- looking ----------------------------------------------------------------------------- */

struct limits_report {
	struct branch *tenants, *campaigns;
	const struct queue_options *queue;
};

static void put_limit(struct branch *row, enum tenant_key key, int64_t v)
{
	struct buf text;

	buf_init(&text, 0);
	tenant_value_show(key, v, &text);
	branch_slice(row, key == TENANT_QUEUE ? "queue_limit" : tenant_key_name(key),
		     buf_data(&text));
	buf_free(&text);
}

static void put_order(struct branch *row, const struct tenant_order *o)
{
	struct buf words;

	buf_init(&words, 0);
	if (o)
		tenant_words_show(&o->words, &words);
	branch_slice(row, "ordered", buf_data(&words));
	branch_str(row, "author", o ? o->author : "");
	branch_str(row, "reason", o ? o->reason : "");
	buf_free(&words);
}

static void put_tenant(void *arg, const struct tenant_fact *f)
{
	const struct limits_report *r = arg;
	struct branch *row = branch_map(r->tenants, NULL);
	int64_t weight = f->limits.v[TENANT_WEIGHT];

	branch_int(row, "tenant", (int64_t)f->number);
	branch_int(row, "queued", (int64_t)f->queued);
	put_limit(row, TENANT_QUEUE, f->limits.v[TENANT_QUEUE]);
	put_limit(row, TENANT_RATE, f->limits.v[TENANT_RATE]);
	put_limit(row, TENANT_CONNECTIONS, f->limits.v[TENANT_CONNECTIONS]);
	branch_int(row, "weight",
		   weight == TENANT_NONE ? queue_tenant_weight(r->queue, f->number) : weight);
	put_order(row, f->order);
}

static void put_campaign(void *arg, const struct tenant_order *o)
{
	const struct limits_report *r = arg;
	struct branch *row = branch_map(r->campaigns, NULL);
	int64_t weight = o->words.v[TENANT_WEIGHT];

	branch_int(row, "campaign", (int64_t)o->number);
	branch_int(row, "weight", MAX_OF(weight, (int64_t)1));
	put_order(row, o);
}

int admin_finish_tenants(struct query *q)
{
	struct engine *e = q->server->engine;
	struct limits_report r = { .tenants = branch_list(q->out, "tenants"),
				   .campaigns = branch_list(q->out, "campaigns"),
				   .queue = settings_of(engine_settings(e), &queue_option_set) };

	tenancy_each(tenants_of(q), put_tenant, &r);
	tenancy_each_campaign(tenants_of(q), put_campaign, &r);
	query_answer(q);
	return 0;
}
