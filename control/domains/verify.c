/* control/domains/verify.c - checks a domain now.  DNS is asked between two transactions, never
 * within one.  The answer counts only if the domain has not changed meanwhile. */
#include "control/auth/audit.h"
#include "control/domains/private.h"
#include "control/domains/statements.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

struct check {
	struct call *c;
	struct sender_domain domain;
	struct sender_record records[RECORDS_MAX];
	unsigned n;
};

static int load(struct db *db UNUSED, void *arg)
{
	struct check *k = arg;

	sender_domain_clear(&k->domain);
	return sender_domain_load(k->c, call_param(k->c, 0), false, &k->domain);
}

static enum sender_domain_status next_status(const struct check *k, enum sender_domain_status now)
{
	if (sender_records_fulfilled(k->records, k->n))
		return DOMAIN_VERIFIED;
	/* No answer proves nothing: a verified domain stays verified. */
	if (now != DOMAIN_PENDING && sender_records_refuted(k->records, k->n))
		return DOMAIN_DEGRADED;
	return now;
}

static int change_status(struct check *k, const struct sender_domain *now,
			 enum sender_domain_status next)
{
	struct call *c = k->c;
	int r = db_run(c->db, NULL, sql_domains_update_status, p_int(c->actor.org), p_int(now->id),
		       p_int(next));

	if (r == E_EXISTS)
		return problem(
		    c, 409, "domain_taken",
		    "%s is verified for another organisation: it must be removed there first",
		    now->name);
	if (r < 0 || next == now->status)
		return r;
	if (next == DOMAIN_VERIFIED)
		r = sender_domain_order_keys(c, now, false);
	if (r >= 0)
		r = audit_put(c, next == DOMAIN_VERIFIED ? "domain.verified" : "domain.degraded",
			      now->name, NULL);
	return r;
}

static int store(struct db *db UNUSED, void *arg)
{
	struct check *k = arg;
	struct sender_domain now = { 0 };
	int r = sender_domain_load(k->c, call_param(k->c, 0), true, &now);

	if (r >= 0 && (now.id != k->domain.id || now.version != k->domain.version))
		r = E_CONFLICT; /* changed while DNS was asked */
	if (r >= 0)
		r = sender_records_store(k->c, &now, k->records, k->n);
	if (r >= 0)
		r = change_status(k, &now, next_status(k, now.status));
	sender_domain_clear(&now);
	if (r < 0)
		return r;
	sender_domain_clear(&k->domain);
	r = sender_domain_load(k->c, call_param(k->c, 0), false, &k->domain);
	return r < 0 ? r : sender_records_load(k->c, &k->domain, k->records, k->n);
}

int sender_domain_verify(struct call *c)
{
	struct check *k = must_alloc(sizeof(*k));
	json_t *reply;
	int r;

	k->c = c;
	r = db_tx(c->db, c->actor.org, load, k);
	if (r >= 0) {
		k->n = sender_records_expected(domains_options(c->app), &k->domain, k->records);
		r = sender_records_check(domains_options(c->app), k->records, k->n);
	}
	if (r >= 0)
		r = db_tx(c->db, c->actor.org, store, k);
	if (r >= 0) {
		reply = sender_domain_json(&k->domain);
		(void)json_object_set_new(reply, "records", sender_records_json(k->records, k->n));
		http_reply_etag(c, k->domain.version);
		r = http_reply_json(c, 200, reply);
	}
	sender_records_clear(k->records, k->n);
	sender_domain_clear(&k->domain);
	free(k);
	return r;
}

int sender_domain_recheck(struct app *app, struct db *db, uint32_t org, uint64_t id)
{
	char text[ID_OUT_MAX];
	struct call *c = call_new(app, db, org, slice_str(ids_out(ID_DOMAIN, id, text)));
	int r = sender_domain_verify(c);

	(void)call_free(c);
	return r;
}
