/* control/domains/keys.c - DKIM keys of a domain: made, sealed, handed to the engine. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "control/domains/private.h"
#include "control/domains/statements.h"
#include "control/engine/outbox.h"
#include "control/http/call.h"
#include "dkim/sign.h"

/* A sealed key opens only for the row it was sealed for. */
static void about_key(struct buf *about, uint32_t org, uint64_t domain, const char *selector)
{
	buf_putf(about, "dkim_keys %u %llu %s", org, (unsigned long long)domain, selector);
}

void sender_key_wipe(struct buf *b)
{
	if (b->p)
		OPENSSL_cleanse(b->p, b->cap);
	buf_free(b);
}

static int insert_key(struct call *c, uint64_t domain, const char *selector,
		      enum sender_key_type type, struct slice pem, struct slice txt)
{
	struct buf about = { 0 }, sealed = { 0 };
	int seal_id = 0, r;

	about_key(&about, c->actor.org, domain, selector);
	r = secrets_seal(c->app->secrets, buf_data(&about), pem, &seal_id, &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_domains_key_insert, p_int(c->actor.org), p_int(domain),
			   p_str(selector), p_int(type), p_text(txt), p_bytes(buf_data(&sealed)),
			   p_int(seal_id));
	buf_free(&about);
	buf_free(&sealed);
	return r < 0 ? r : 0;
}

static int make_key(struct call *c, uint64_t domain, const char *month, enum sender_key_type type)
{
	struct buf pem = { 0 }, txt = { 0 };
	char selector[32];
	int r = sign_key_generate(type == KEY_RSA ? SIGN_RSA : SIGN_ED25519, &pem, &txt);

	(void)snprintf(selector, sizeof(selector), "pm%s%c", month, type == KEY_RSA ? 'r' : 'e');
	if (r >= 0)
		r = insert_key(c, domain, selector, type, buf_data(&pem), buf_data(&txt));
	sender_key_wipe(&pem);
	buf_free(&txt);
	return r;
}

int sender_domain_make_keys(struct call *c, uint64_t domain_id, const char *name UNUSED)
{
	char date[RFC3339_MAX], month[8];
	int r;

	(void)clock_rfc3339(clock_wall_ms(), date); /* 2026-11-... */
	(void)snprintf(month, sizeof(month), "%.4s%.2s", date, date + 5);
	r = make_key(c, domain_id, month, KEY_RSA);
	return r < 0 ? r : make_key(c, domain_id, month, KEY_ED25519);
}

int sender_key_open(struct app *app, uint32_t org, uint64_t domain, const char *selector,
		    int seal_id, struct slice sealed, struct buf *pem)
{
	struct buf about = { 0 };
	int r;

	about_key(&about, org, domain, selector);
	r = secrets_open(app->secrets, seal_id, buf_data(&about), sealed, pem);
	buf_free(&about);
	return r;
}

enum { SEALED, SEAL_ID };

static int open_key(struct call *c, const struct sender_domain *d, const struct sender_key *k,
		    struct buf *pem)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res,
		       "SELECT private, seal_id FROM dkim_keys WHERE org_id = $1 AND id = $2",
		       p_int(c->actor.org), p_int(k->id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return sender_key_open(c->app, c->actor.org, d->id, k->selector,
			       (int)db_int(res, 0, SEAL_ID), db_bytes(res, 0, SEALED), pem);
}

int sender_domain_order_keys(struct call *c, const struct sender_domain *d, bool remove)
{
	int r = 0;

	for (unsigned i = 0; i < d->n_keys && r >= 0; i++) {
		struct buf name = { 0 }, pem = { 0 };

		if (d->keys[i].status == KEY_RETIRED)
			continue;
		buf_putf(&name, "%s %s", d->name, d->keys[i].selector);
		if (!remove)
			r = open_key(c, d, &d->keys[i], &pem);
		if (r >= 0)
			r = outbox_put(c->app, c->db, c->actor.org, OUTBOX_KEY, buf_data(&name),
				       buf_data(&pem));
		sender_key_wipe(&pem);
		buf_free(&name);
	}
	if (r < 0)
		return r;
	r = db_run(c->db, NULL, sql_domains_key_update_status, p_int(c->actor.org), p_int(d->id),
		   p_int(remove ? KEY_WAITING : KEY_SIGNING));
	return r < 0 ? r : 0;
}
