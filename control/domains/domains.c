/* control/domains/domains.c - the routes: list, add, read, change, remove, records. */
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/domains/private.h"
#include "control/domains/routes.h"
#include "control/domains/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "message/mailbox.h"

enum { LABEL_MAX = 63, PROOF_BYTES = 20 };

static int get_domains(struct call *c)
{
	OWNED(db_result) res = NULL;
	struct page p;
	json_t *data;
	int r = page_read(c, &p);

	if (r >= 0)
		r = db_run(
		    c->db, &res,
		    "SELECT id FROM domains WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3",
		    p_int(c->actor.org), p_int(p.id), p_int(p.limit + 1));
	if (r < 0)
		return r;
	int found = r;
	unsigned n = (unsigned)MIN_OF((int64_t)found, p.limit);
	data = json_array();
	for (unsigned i = 0; i < n && r >= 0; i++) {
		struct sender_domain d;
		char id[ID_OUT_MAX];

		r = sender_domain_load(
		    c, slice_str(ids_out(ID_DOMAIN, (uint64_t)db_int(res, i, 0), id)), false, &d);
		if (r >= 0)
			(void)json_array_append_new(data, sender_domain_json(&d));
		sender_domain_clear(&d);
	}
	if (r < 0) {
		json_decref(data);
		return r;
	}
	return page_reply(c, data, found > p.limit, n ? db_int(res, n - 1, 0) : 0);
}

static int reply_domain(struct call *c, struct slice which, unsigned status)
{
	struct sender_domain d;
	int r = sender_domain_load(c, which, false, &d);

	if (r >= 0) {
		http_reply_etag(c, d.version);
		r = http_reply_json(c, status, sender_domain_json(&d));
	}
	sender_domain_clear(&d);
	return r;
}

static int get_domain(struct call *c)
{
	return reply_domain(c, call_param(c, 0), 200);
}

struct domain_body {
	struct slice name, return_path, tracking, dmarc_policy;
};
enum { D_NAME, D_RETURN_PATH, D_TRACKING, D_DMARC };
/* clang-format off */
static const struct body_field domain_fields[] = {
	[D_NAME] = {"name", BODY_LINE, offsetof(struct domain_body, name), BODY_REQUIRED, 1, 253, 0},
	[D_RETURN_PATH] = {"return_path", BODY_LINE, offsetof(struct domain_body, return_path), 0, 0, LABEL_MAX, 0},
	[D_TRACKING] = {"tracking", BODY_LINE, offsetof(struct domain_body, tracking), 0, 0, LABEL_MAX, 0},
	[D_DMARC] = {"dmarc_policy", BODY_LINE, offsetof(struct domain_body, dmarc_policy), 0, 0, 20, 0},
};
/* clang-format on */
/* PATCH takes the same members but the name. */
static const struct body_field *const patch_fields = domain_fields + 1;
enum { PATCH_FIELDS_N = ARRAY_LEN(domain_fields) - 1 };

static bool is_label(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char b = s.p[i];
		bool edge = i == 0 || i + 1 == s.n;

		if (!((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || (b == '-' && !edge)))
			return false;
	}
	return true;
}

/* 0: not given. */
static int read_policy(struct call *c, struct slice name)
{
	for (int i = DMARC_NONE; i <= DMARC_REJECT; i++)
		if (slice_eq(name, slice_str(sender_dmarc_policies[i])))
			return i;
	if (name.p && !name.n) /* null */
		return DMARC_NONE;
	if (name.p)
		problem_add(c, "/dmarc_policy", "unknown_policy",
			    "must be none, quarantine or reject");
	return 0;
}

static int read_settings(struct call *c, const struct domain_body *b, int *ret_policy)
{
	if (!is_label(b->return_path))
		problem_add(c, "/return_path", "invalid_label",
			    "must be a single label of a host name, without dots");
	if (!is_label(b->tracking))
		problem_add(c, "/tracking", "invalid_label",
			    "must be a single label of a host name, without dots");
	*ret_policy = read_policy(c, b->dmarc_policy);
	return problem_end(c);
}

static int insert_domain(struct call *c, const struct domain_body *b, struct slice name, int policy,
			 uint64_t *ret_id)
{
	bool bounces = domains_options(c->app)->return_path_host[0];
	char proof[PROOF_BYTES + 1];
	OWNED(db_result) res = NULL;
	int r;

	ids_random(proof, PROOF_BYTES);
	r = db_run(c->db, &res,
		   "INSERT INTO domains (org_id, name, proof, return_path, tracking, dmarc_policy)"
		   " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
		   p_int(c->actor.org), p_text(name), p_str(proof),
		   b->return_path.p ? p_text(b->return_path) : p_str(bounces ? "bounce" : ""),
		   p_text(b->tracking), p_int(policy ? policy : DMARC_NONE));
	if (r < 0)
		return r;
	*ret_id = (uint64_t)db_int(res, 0, 0);
	return 0;
}

static int post_domain(struct call *c)
{
	char name_buf[MAILBOX_MAX + 2], id_text[ID_OUT_MAX];
	struct domain_body b = { 0 };
	struct body_seen seen;
	struct slice name = { 0 };
	uint64_t id = 0;
	int policy = 0, r = http_body_read(c, domain_fields, ARRAY_LEN(domain_fields), &b, &seen);

	if (r < 0)
		return r;
	if (mailbox_domain_parse(b.name, MAILBOX_CONTACT, name_buf, &name) < 0)
		problem_add(c, "/name", "invalid_domain",
			    "must be a domain name with at least two labels, like example.org");
	r = read_settings(c, &b, &policy);
	if (r >= 0)
		r = insert_domain(c, &b, name, policy, &id);
	if (r >= 0)
		r = sender_domain_make_keys(c, id, name_buf);
	if (r >= 0)
		r = audit_put(c, "domain.added", ids_out(ID_DOMAIN, id, id_text),
			      json_pack("{s:o}", "name", api_text(name)));
	if (r < 0)
		return r;
	http_reply_header(c, "Location", "/v1/domains/%s", id_text);
	return reply_domain(c, slice_str(id_text), 201);
}

static int patch_domain(struct call *c)
{
	struct domain_body b = { 0 };
	struct body_seen seen;
	struct sender_domain d;
	int policy = 0, r = http_body_read(c, patch_fields, PATCH_FIELDS_N, &b, &seen);

	if (r >= 0)
		r = read_settings(c, &b, &policy);
	if (r < 0)
		return r;
	r = sender_domain_load(c, call_param(c, 0), true, &d);
	if (r >= 0)
		r = call_if_match(c, d.version);
	if (r >= 0 && seen.present)
		r = db_run(c->db, NULL, sql_domains_update, p_int(c->actor.org), p_int(d.id),
			   p_opt(b.return_path), p_opt(b.tracking),
			   policy ? p_int(policy) : p_null());
	bool changed = r > 0 && seen.present;
	if (changed)
		r = db_run(c->db, NULL, sql_domains_records_forget, p_int(c->actor.org),
			   p_int(d.id), p_opt(b.return_path), p_str(d.return_path),
			   p_opt(b.tracking), p_str(d.tracking));
	if (r >= 0 && changed)
		r = audit_put(c, "domain.changed", d.name, json_incref(c->body));
	sender_domain_clear(&d);
	return r < 0 ? r : reply_domain(c, call_param(c, 0), 200);
}

static int delete_domain(struct call *c)
{
	struct sender_domain d;
	int r = sender_domain_load(c, call_param(c, 0), true, &d);

	if (r >= 0)
		r = call_if_match(c, d.version);
	/* The engine only has the keys of domains that were verified here. */
	if (r >= 0 && d.status != DOMAIN_PENDING)
		r = sender_domain_order_keys(c, &d, true);
	if (r >= 0) {
		r = db_run(c->db, NULL, "DELETE FROM domains WHERE org_id = $1 AND id = $2",
			   p_int(c->actor.org), p_int(d.id));
		if (r == E_UNKNOWN)
			r = problem(
			    c, 409, "in_use",
			    "campaigns were sent from this domain, so it cannot be removed");
	}
	if (r >= 0)
		r = audit_put(c, "domain.removed", d.name, NULL);
	sender_domain_clear(&d);
	return r < 0 ? r : http_reply_empty(c, 204);
}

static int get_records(struct call *c)
{
	struct sender_record *records = must_alloc(sizeof(*records) * RECORDS_MAX);
	struct sender_domain d;
	unsigned n = 0;
	int r = sender_domain_load(c, call_param(c, 0), false, &d);

	if (r >= 0) {
		n = sender_records_expected(domains_options(c->app), &d, records);
		r = sender_records_load(c, &d, records, n);
	}
	if (r >= 0)
		r = http_reply_json(c, 200,
				    json_pack("{s:s, s:o}", "domain", d.name, "records",
					      sender_records_json(records, n)));
	sender_records_clear(records, n);
	sender_domain_clear(&d);
	free(records);
	return r;
}

/* clang-format off */
const struct http_route domains_routes[] = {
	{"GET",    "/v1/domains",                     AUTH_MEMBER, PERMIT_DOMAINS_READ, 0, 0, get_domains },
	{"POST",   "/v1/domains",                     AUTH_MEMBER, PERMIT_DOMAINS_WRITE,
	 ROUTE_IDEMPOTENT | ROUTE_COSTLY, 0, post_domain},
	{"GET",    "/v1/domains/{domain_id}",         AUTH_MEMBER, PERMIT_DOMAINS_READ, 0, 0, get_domain},
	{"PATCH",  "/v1/domains/{domain_id}",         AUTH_MEMBER, PERMIT_DOMAINS_WRITE, 0, 0, patch_domain},
	{"DELETE", "/v1/domains/{domain_id}",         AUTH_MEMBER, PERMIT_DOMAINS_WRITE, 0, 0, delete_domain},
	{"GET",    "/v1/domains/{domain_id}/records", AUTH_MEMBER, PERMIT_DOMAINS_READ, 0, 0, get_records},
	{"POST",   "/v1/domains/{domain_id}/verify",  AUTH_MEMBER, PERMIT_DOMAINS_WRITE,
	 ROUTE_NO_TX | ROUTE_NO_BODY | ROUTE_COSTLY, 0, sender_domain_verify},
};
/* clang-format on */
const size_t domains_routes_n = ARRAY_LEN(domains_routes);
