/* control/domains/load.c - a domain and its keys from their rows. */
#include "control/domains/private.h"
#include "control/domains/statements.h"
#include "control/http/api.h"
#include "control/http/call.h"
#include "message/mailbox.h"

void sender_domain_clear(struct sender_domain *d)
{
	for (unsigned i = 0; i < d->n_keys; i++)
		free(d->keys[i].txt);
	d->n_keys = 0;
}

enum { KEY_ID, KEY_SELECTOR, KEY_TYPE, KEY_STATUS, KEY_TXT };

static int load_keys(struct call *c, struct sender_domain *d)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_domains_key_list, p_int(c->actor.org), p_int(d->id),
		       p_int(KEYS_MAX));

	for (unsigned i = 0; r >= 0 && i < db_rows(res); i++) {
		struct sender_key *k = &d->keys[d->n_keys++];

		k->id = (uint64_t)db_int(res, i, KEY_ID);
		slice_copy(k->selector, sizeof(k->selector), db_text(res, i, KEY_SELECTOR));
		k->type = (enum sender_key_type)db_int(res, i, KEY_TYPE);
		k->status = (enum sender_key_status)db_int(res, i, KEY_STATUS);
		k->txt = must_copy(db_text(res, i, KEY_TXT));
	}
	return r < 0 ? r : 0;
}

enum {
	K_ID,
	K_NAME,
	K_PROOF,
	K_RETURN_PATH,
	K_TRACKING,
	K_DMARC,
	K_STATUS,
	K_CREATED,
	K_CHECKED,
	K_VERIFIED,
	K_VERSION,
	K_DEGRADED,
};

int sender_domain_load(struct call *c, struct slice id_or_name, bool lock, struct sender_domain *d)
{
	char name_buf[MAILBOX_MAX + 2];
	struct slice name = { 0 };
	uint64_t id = 0;
	OWNED(db_result) res = NULL;
	int r;

	memset(d, 0, sizeof(*d));
	if (ids_in(ID_DOMAIN, id_or_name, &id) < 0 &&
	    mailbox_domain_parse(id_or_name, MAILBOX_CONTACT, name_buf, &name) < 0)
		return E_UNKNOWN;
	r = db_query(
	    c->db, &res, lock ? sql_domains_find_lock : sql_domains_find,
	    (struct db_param[]){ p_int(c->actor.org), name.p ? p_null() : p_int(id), p_opt(name) },
	    3);
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	d->id = (uint64_t)db_int(res, 0, K_ID);
	slice_copy(d->name, sizeof(d->name), db_text(res, 0, K_NAME));
	slice_copy(d->proof, sizeof(d->proof), db_text(res, 0, K_PROOF));
	slice_copy(d->return_path, sizeof(d->return_path), db_text(res, 0, K_RETURN_PATH));
	slice_copy(d->tracking, sizeof(d->tracking), db_text(res, 0, K_TRACKING));
	d->dmarc_policy = (int)db_int(res, 0, K_DMARC);
	d->status = (enum sender_domain_status)db_int(res, 0, K_STATUS);
	d->created_ms = db_int(res, 0, K_CREATED);
	d->checked_ms = db_int(res, 0, K_CHECKED);
	d->verified_ms = db_int(res, 0, K_VERIFIED);
	d->version = db_int(res, 0, K_VERSION);
	d->degraded_ms = db_int(res, 0, K_DEGRADED);
	return load_keys(c, d);
}

static json_t *keys_json(const struct sender_domain *d)
{
	static const char *const statuses[] = {
		"",
		[KEY_WAITING] = "waiting",
		[KEY_SIGNING] = "signing",
		[KEY_RETIRED] = "retired",
	};
	json_t *list = json_array();

	for (unsigned i = 0; i < d->n_keys; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s}", "selector", d->keys[i].selector, "type",
				    d->keys[i].type == KEY_RSA ? "rsa-2048" : "ed25519", "status",
				    statuses[d->keys[i].status]));
	return list;
}

json_t *sender_domain_json(const struct sender_domain *d)
{
	static const char *const statuses[] = {
		"",
		[DOMAIN_PENDING] = "pending",
		[DOMAIN_VERIFIED] = "verified",
		[DOMAIN_DEGRADED] = "degraded",
	};

	return json_pack("{s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "id",
			 api_id(ID_DOMAIN, d->id), "name", d->name, "status", statuses[d->status],
			 "return_path", d->return_path, "tracking", d->tracking, "dmarc_policy",
			 sender_dmarc_policies[d->dmarc_policy], "keys", keys_json(d), "created_at",
			 api_time(d->created_ms), "checked_at", api_time(d->checked_ms),
			 "verified_at", api_time(d->verified_ms), "degraded_at",
			 api_time(d->degraded_ms));
}
