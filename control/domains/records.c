/* control/domains/records.c - the records a domain needs, as rows of DNS and of the database. */
#include <stdio.h>

#include "control/domains/private.h"
#include "control/domains/statements.h"
#include "control/http/api.h"
#include "control/http/call.h"

const char *const sender_dmarc_policies[] = {
	"",
	[DMARC_NONE] = "none",
	[DMARC_QUARANTINE] = "quarantine",
	[DMARC_REJECT] = "reject",
};

static const char *const states[] = {
	"",
	[RECORD_UNCHECKED] = "unchecked",
	[RECORD_OK] = "ok",
	[RECORD_MISSING] = "missing",
	[RECORD_WRONG] = "wrong",
	[RECORD_NO_ANSWER] = "no_answer",
};

static struct sender_record *add(struct sender_record *r, const char *kind, const char *type,
				 enum dns_type query, bool required)
{
	memset(r, 0, sizeof(*r));
	slice_copy(r->kind, sizeof(r->kind), slice_str(kind));
	r->type = type;
	r->query = query;
	r->required = required;
	r->state = RECORD_UNCHECKED;
	return r;
}

static void name_it(struct sender_record *r, const char *label, const char *domain)
{
	(void)snprintf(r->name, sizeof(r->name), "%s%s%s", label, label[0] ? "." : "", domain);
}

static char *joined(const char *a, const char *b, const char *c)
{
	size_t n = strlen(a) + strlen(b) + strlen(c) + 1;
	char *s = must_alloc(n);

	(void)snprintf(s, n, "%s%s%s", a, b, c);
	return s;
}

static unsigned add_keys(const struct sender_domain *d, struct sender_record *ret)
{
	char kind[32], label[96];
	unsigned n = 0;

	for (unsigned i = 0; i < d->n_keys; i++) {
		if (d->keys[i].status == KEY_RETIRED)
			continue;
		(void)snprintf(kind, sizeof(kind), "dkim-%s",
			       d->keys[i].type == KEY_RSA ? "rsa" : "ed25519");
		struct sender_record *r = add(&ret[n++], kind, "TXT", DNS_TXT, true);
		(void)snprintf(label, sizeof(label), "%s._domainkey", d->keys[i].selector);
		name_it(r, label, d->name);
		r->value = must_copy(slice_str(d->keys[i].txt));
	}
	return n;
}

unsigned sender_records_expected(const struct domains_options *options,
				 const struct sender_domain *d, struct sender_record *ret)
{
	bool bounces = d->return_path[0] && options->return_path_host[0];
	unsigned n = 0;
	struct sender_record *r = add(&ret[n++], "ownership", "TXT", DNS_TXT, true);

	name_it(r, "_postern", d->name);
	r->value = joined("postern-verify=", d->proof, "");
	n += add_keys(d, ret + n);
	if (options->spf_include[0]) {
		/* SPF is asked of the envelope's domain. */
		r = add(&ret[n++], "spf", "TXT", DNS_TXT, false);
		name_it(r, bounces ? d->return_path : "", d->name);
		r->value = joined("v=spf1 ", options->spf_include, " ~all");
	}
	r = add(&ret[n++], "dmarc", "TXT", DNS_TXT, false);
	name_it(r, "_dmarc", d->name);
	r->value = joined("v=DMARC1; p=", sender_dmarc_policies[d->dmarc_policy], "");
	if (bounces) {
		r = add(&ret[n++], "return-path", "MX", DNS_MX, false);
		name_it(r, d->return_path, d->name);
		r->value = joined(options->return_path_host, "", "");
		r->priority = 10;
	}
	if (d->tracking[0] && options->tracking_host[0]) {
		r = add(&ret[n++], "tracking", "CNAME", DNS_CNAME, false);
		name_it(r, d->tracking, d->name);
		r->value = joined(options->tracking_host, "", "");
	}
	return n;
}

void sender_records_clear(struct sender_record *records, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		free(records[i].value);
}

enum { K_KIND, K_STATE, K_SEEN, K_WHY, K_CHECKED };

int sender_records_load(struct call *c, const struct sender_domain *d,
			struct sender_record *records, unsigned n)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res,
		       "SELECT kind, state, seen, why, to_ms(checked_at) FROM domain_records"
		       " WHERE org_id = $1 AND domain_id = $2",
		       p_int(c->actor.org), p_int(d->id));

	for (unsigned i = 0; r >= 0 && i < db_rows(res); i++)
		for (unsigned k = 0; k < n; k++) {
			if (!slice_eq(db_text(res, i, K_KIND), slice_str(records[k].kind)))
				continue;
			records[k].state = (enum sender_record_state)db_int(res, i, K_STATE);
			slice_copy(records[k].seen, SEEN_MAX, db_text(res, i, K_SEEN));
			slice_copy(records[k].why, RECORD_WHY_MAX, db_text(res, i, K_WHY));
			records[k].checked_ms = db_int(res, i, K_CHECKED);
		}
	return r < 0 ? r : 0;
}

int sender_records_store(struct call *c, const struct sender_domain *d,
			 const struct sender_record *records, unsigned n)
{
	int r = 0;

	for (unsigned i = 0; i < n && r >= 0; i++)
		r = db_run(c->db, NULL, sql_domains_record_store, p_int(c->actor.org), p_int(d->id),
			   p_str(records[i].kind), p_int(records[i].state), p_str(records[i].seen),
			   p_str(records[i].why));
	return r < 0 ? r : 0;
}

json_t *sender_records_json(const struct sender_record *records, unsigned n)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < n; i++) {
		const struct sender_record *r = &records[i];
		json_t *item =
		    json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:o, s:o, s:o}", "kind", r->kind,
			      "type", r->type, "name", r->name, "value", r->value, "required",
			      r->required, "state", states[r->state], "seen",
			      r->seen[0] ? api_text(slice_str(r->seen)) : json_null(), "why",
			      r->why[0] ? api_text(slice_str(r->why)) : json_null(), "checked_at",
			      api_time(r->checked_ms));
		if (r->query == DNS_MX)
			(void)json_object_set_new(item, "priority", json_integer(r->priority));
		(void)json_array_append_new(list, item);
	}
	return list;
}

bool sender_records_fulfilled(const struct sender_record *records, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (records[i].required && records[i].state != RECORD_OK)
			return false;
	return true;
}

bool sender_records_refuted(const struct sender_record *records, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (records[i].required &&
		    (records[i].state == RECORD_MISSING || records[i].state == RECORD_WRONG))
			return true;
	return false;
}
