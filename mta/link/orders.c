/* mta/link/orders.c - read down the table and you have read what the control plane may order. */
#include "base/log.h"
#include "dkim/keydir.h"
#include "message/mailbox.h"
#include "message/program.h"
#include "mta/deliver/deliverer.h"
#include "mta/link/client.h"
#include "mta/link/link.h"
#include "mta/rules/rules.h"
#include "mta/shape/part.h"
#include "mta/site/suspend.h"
#include "mta/tenants/tenancy.h"
#include "schema/wire/meta.h"

static int do_content(struct uplink_client *c, const struct link_frame *f);
static int do_job(struct uplink_client *c, const struct link_frame *f);
static int do_rule(struct uplink_client *c, const struct link_frame *f);
static int do_key(struct uplink_client *c, const struct link_frame *f);
static int do_subscribe(struct uplink_client *c, const struct link_frame *f);
static int do_cursor(struct uplink_client *c, const struct link_frame *f);
static int do_admin(struct uplink_client *c, const struct link_frame *f);

static int (*const orders[])(struct uplink_client *c, const struct link_frame *f) = {
	[LINK_CONTENT] = do_content,
	[LINK_JOB] = do_job,
	[LINK_RULE] = do_rule,
	[LINK_KEY] = do_key,
	[LINK_SUBSCRIBE] = do_subscribe,
	[LINK_CURSOR] = do_cursor,
	[LINK_FACTS] = uplink_client_facts,
	[LINK_ADMIN] = do_admin,
};

void uplink_client_order(struct uplink_client *c, const struct link_frame *f)
{
	bool known = f->type < ARRAY_LEN(orders) && orders[f->type];
	int r = known ? orders[f->type](c, f) : E_DENIED;

	if (r < 0)
		frames_send_error(&c->frames, f->request, r, (struct slice){ 0 });
}

static struct spool *spool_of(const struct uplink_client *c)
{
	return engine_spool(c->server->engine);
}

/* Two mails under one id: two installations feed this engine, or one lost its memory. */
static void log_conflict(const struct uplink_client *c, const struct link_frame *f)
{
	bool job = f->type == LINK_JOB;
	char id[ID_TEXT_MAX];

	log_error("link.conflict", kv_str("name", c->name), kv_str("what", job ? "job" : "content"),
		  kv_str("id", id_format(job ? f->job.id : f->content.id, id)),
		  kv_int("tenant", job ? f->job.tenant : 0),
		  kv_int("campaign", job ? f->job.campaign : 0));
}

/* An order that the spool has taken; E_EXISTS is success for a client that sends again. */
static int wait_for(struct uplink_client *c, struct uplink_order *o, const struct link_frame *f,
		    int r, size_t bytes, lsn_t lsn)
{
	if (r < 0 && r != E_EXISTS) {
		uplink_order_give(o);
		if (r == E_CONFLICT)
			log_conflict(c, f);
		return r;
	}
	o->known = r == E_EXISTS;
	uplink_client_wait(c, o, f->request, bytes, lsn);
	return 0;
}

/* A program that cannot be expanded is refused here, not recipient by recipient later. */
static int check_content(const struct content_in *in)
{
	OWNED(program) program = NULL;
	struct wire_content_meta meta;
	int r = wire_content_meta_get(in->meta, &meta);

	if (r < 0)
		return r;
	if (!in->id.hi) /* those are ours */
		return E_DENIED;
	return meta.program ? program_load(&program, in->bytes) : 0;
}

static int do_content(struct uplink_client *c, const struct link_frame *f)
{
	struct content_in in = { .id = f->content.id,
				 .meta = f->content.meta,
				 .bytes = f->content.bytes };
	struct uplink_order *o;
	job_no unused;
	lsn_t lsn = 0;
	int r = check_content(&in);

	if (r < 0)
		return r;
	o = uplink_order_take(c->server);
	o->kind = ORDER_CONTENT;
	r = spool_put(spool_of(c), &in, NULL, &unused, &lsn);
	return wait_for(c, o, f, r, in.bytes.n, lsn);
}

/* Guarantee: an address that the engine takes can be written into a command as it is. */
static int check_rows(const struct link_job *j)
{
	OWNED(wire_rows) rows = NULL;
	struct mailbox box;
	int r = wire_rows_open(&rows, j->data, j->rows);

	for (uint32_t i = 0; r == 0 && i < j->rows; i++)
		r = mailbox_parse(wire_rows_address(rows, i), MAILBOX_UTF8, &box);
	return r;
}

static int check_job(const struct link_job *j)
{
	struct wire_job_meta meta;
	struct mailbox box;
	int r = wire_job_meta_get(j->meta, &meta);

	if (r < 0)
		return r;
	if (!j->id.hi)
		return E_DENIED;
	if (!j->rows || j->class > CLASS_TRANSACTIONAL)
		return E_SYNTAX;
	if (meta.mail_from.n) {
		r = mailbox_parse(meta.mail_from, MAILBOX_UTF8, &box);
		if (r < 0)
			return r;
	}
	return check_rows(j);
}

static int do_job(struct uplink_client *c, const struct link_frame *f)
{
	const struct link_job *j = &f->job;
	struct job_in in = { .id = j->id,
			     .content = j->content,
			     .tenant = j->tenant,
			     .campaign = j->campaign,
			     .class = j->class,
			     .accepted_ms = j->accepted_ms,
			     .expires_ms = j->expires_ms,
			     .rows = j->rows,
			     .meta = j->meta,
			     .data = j->data };
	struct tenancy *tenancy = tenancy_of(c->server->engine);
	struct uplink_order *o;
	bool admitted;
	job_no known;
	lsn_t lsn = 0;
	int r = check_job(j);

	if (r < 0)
		return r;
	admitted = tenancy_admit(tenancy, j->tenant, j->rows);
	if (!admitted && spool_find_job(spool_of(c), j->id, &known) == E_UNKNOWN)
		return E_NO_ROOM;
	o = uplink_order_take(c->server);
	o->kind = ORDER_JOB;
	r = spool_put(spool_of(c), NULL, &in, &o->job, &lsn);
	if (r < 0 && admitted) /* it is not new, or not there */
		tenancy_give_back(tenancy, j->tenant, j->rows);
	else if (r >= 0 && !admitted)
		tenancy_count(tenancy, j->tenant, j->rows);
	return wait_for(c, o, f, r, j->data.n, lsn);
}

static int check_rule(struct slice key, struct slice value)
{
	int r = rules_check_key(key);

	if (r < 0)
		r = shape_order_check(key, value);
	if (r < 0)
		r = tenancy_check(key, value);
	return r < 0 ? suspend_check(key, value) : r;
}

static int do_rule(struct uplink_client *c, const struct link_frame *f)
{
	struct uplink_order *o;
	lsn_t lsn = 0;
	int r = check_rule(f->rule.key, f->rule.value);

	if (r < 0)
		return r;
	r = spool_put_rule(spool_of(c), f->rule.key, f->rule.value, &lsn);
	if (r < 0)
		return r;
	o = uplink_order_take(c->server);
	o->kind = ORDER_RULE;
	buf_put(&o->key, f->rule.key);
	buf_put(&o->value, f->rule.value);
	uplink_client_wait(c, o, f->request, f->rule.key.n + f->rule.value.n, lsn);
	return 0;
}

/* keydir syncs the key file before it returns; the log has no part in it. */
static int do_key(struct uplink_client *c, const struct link_frame *f)
{
	struct engine *e = c->server->engine;
	const struct deliver_options *o = settings_of(engine_settings(e), &deliver_option_set);
	int r;

	if (f->key.pem.n)
		r = keydir_store(o->keys_dir, f->key.domain, f->key.selector, f->key.pem);
	else
		r = keydir_remove(o->keys_dir, f->key.domain, f->key.selector);
	if (r < 0 && !(r == E_UNKNOWN && !f->key.pem.n))
		return r;
	log_info("key.changed", kv_slice("domain", f->key.domain),
		 kv_slice("selector", f->key.selector),
		 kv_str("how", f->key.pem.n ? "stored" : "removed"));
	deliver_keys_changed(e, f->key.domain);
	uplink_client_acknowledge(c, f->request, spool_durable(spool_of(c)));
	return 0;
}

static int do_subscribe(struct uplink_client *c, const struct link_frame *f)
{
	return uplink_feed_begin(c, f->request, f->lsn);
}

static int do_cursor(struct uplink_client *c, const struct link_frame *f)
{
	int r;

	if (!*c->name)
		return E_DENIED;
	if (f->lsn > spool_durable(spool_of(c)))
		return E_SYNTAX;
	r = spool_consumer_set(spool_of(c), slice_str(c->name), f->lsn);
	if (r == 0)
		uplink_client_acknowledge(c, f->request, f->lsn);
	return r;
}

static int do_admin(struct uplink_client *c, const struct link_frame *f)
{
	if (!c->server->asked)
		return E_DENIED;
	c->server->asked->ask(c->server->asked, &c->frames, c->name, f);
	return 0;
}
