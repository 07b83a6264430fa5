/* control/submission/credentials.c - /v1/smtp-credentials: names and passwords that applications
 * submit mail with.  The password is shown once; what is kept is the hash that the engine reads. */
#include <stdio.h>

#include "base/clock.h"
#include "base/crypted.h"
#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/engine/asking.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/submission/routes.h"
#include "control/submission/statements.h"
#include "message/mailbox.h"

enum {
	CREDENTIALS_MOST = 200, /* of an organisation, that are not revoked */
	DOMAINS_MOST = 20,
	NETWORKS_MOST = 16,
	NETWORK_TEXT_MAX = 64,
	USERNAME_LETTERS = 16,
	PASSWORD_LETTERS = 32,
	STREAM_MAX = 64,
};
#define LIMIT_MOST 1000000000LL

enum {
	C_ID,
	C_NAME,
	C_USERNAME,
	C_DOMAINS,
	C_NETWORKS,
	C_STREAM,
	C_HOUR,
	C_DAY,
	C_CREATED,
	C_EXPIRES,
	C_REVOKED,
	C_VERSION
};

static json_t *list_json(struct slice words)
{
	json_t *list = json_array();

	while (words.n)
		(void)json_array_append_new(list, api_text(slice_take(&words, ' ')));
	return list;
}

static json_t *credential_json(const struct db_result *res, unsigned i)
{
	return json_pack(
	    "{so so so so so so sI sI so so so}", "id",
	    api_id(ID_SMTP_CREDENTIAL, (uint64_t)db_int(res, i, C_ID)), "name",
	    api_text(db_text(res, i, C_NAME)), "username", api_text(db_text(res, i, C_USERNAME)),
	    "domains", list_json(db_text(res, i, C_DOMAINS)), "networks",
	    list_json(db_text(res, i, C_NETWORKS)), "stream", api_text(db_text(res, i, C_STREAM)),
	    "hour_limit", (json_int_t)db_int(res, i, C_HOUR), "day_limit",
	    (json_int_t)db_int(res, i, C_DAY), "created_at", api_time(db_int(res, i, C_CREATED)),
	    "expires_at", api_time(db_int(res, i, C_EXPIRES)), "revoked_at",
	    api_time(db_int(res, i, C_REVOKED)));
}

static int get_credentials(struct call *c)
{
	return page_list(c, credential_json, sql_submission_credential_page, p_int(c->actor.org),
			 PAGE_AFTER, PAGE_LIMIT);
}

/* password NULL: it is not known any more. */
static int reply_credential(struct call *c, uint64_t id, unsigned status, const char *password)
{
	OWNED(db_result) res = NULL;
	json_t *body;
	int r = db_run(c->db, &res, sql_submission_credential_find, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	body = credential_json(res, 0);
	if (password)
		(void)json_object_set_new(body, "password", json_string(password));
	http_reply_etag(c, db_int(res, 0, C_VERSION));
	return http_reply_json(c, status, body);
}

static int get_credential(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_SMTP_CREDENTIAL, &id);

	return r < 0 ? r : reply_credential(c, id, 200, NULL);
}

/* ---- what a body says -------------------------------------------------------------------- */

struct credential_body {
	struct slice name, stream;
	json_t *domains, *networks;
	int64_t hour, day, expires;
	struct buf domain_text, network_text; /* of the lists */
};
#define AT(member) offsetof(struct credential_body, member)
enum { B_NAME, B_DOMAINS, B_NETWORKS, B_STREAM, B_HOUR, B_DAY, B_EXPIRES, B_FIELDS };
/* clang-format off */
#define FIELDS(name_flags) {                                                          \
	[B_NAME]     = {"name",       BODY_NAME, AT(name),     name_flags, 1, 100,           0}, \
	[B_DOMAINS]  = {"domains",    BODY_LIST, AT(domains),  0,          0, DOMAINS_MOST,  0}, \
	[B_NETWORKS] = {"networks",   BODY_LIST, AT(networks), 0,          0, NETWORKS_MOST, 0}, \
	[B_STREAM]   = {"stream",     BODY_LINE, AT(stream),   0,          0, STREAM_MAX,    0}, \
	[B_HOUR]     = {"hour_limit", BODY_INT,  AT(hour),     BODY_RESET, 0, LIMIT_MOST,    0}, \
	[B_DAY]      = {"day_limit",  BODY_INT,  AT(day),      BODY_RESET, 0, LIMIT_MOST,    0}, \
	[B_EXPIRES]  = {"expires_at", BODY_TIME, AT(expires),  BODY_RESET, 0, 0,             0}, \
}
/* clang-format on */
static const struct body_field post_fields[] = FIELDS(BODY_REQUIRED);
static const struct body_field patch_fields[] = FIELDS(0);

static void add_word(struct buf *out, struct slice word)
{
	if (buf_len(out))
		buf_put(out, SLICE(" "));
	buf_put(out, word);
}

/* A sender domain is one that this organisation has verified. */
static int read_domain(struct call *c, const json_t *item, size_t i, struct buf *out)
{
	char text[MAILBOX_MAX + 2];
	struct slice name;
	int r;

	if (!json_is_string(item) ||
	    mailbox_domain_parse(api_text_of(item), MAILBOX_CONTACT, text, &name) < 0) {
		problem_add(c, "/domains", "invalid_domain", "entry %zu is not a domain name", i);
		return 0;
	}
	r = db_run(c->db, NULL, sql_submission_domain_is_ours, p_int(c->actor.org), p_text(name));
	if (r == 0)
		problem_add(c, "/domains", "unknown_domain",
			    "entry %zu is not a verified domain of your organisation: add and "
			    "verify it at /v1/domains",
			    i);
	else if (r > 0)
		add_word(out, name);
	return r;
}

static void read_network(struct call *c, const json_t *item, size_t i, struct buf *out)
{
	struct slice s = api_text_of(item);
	struct ip_net net;

	if (json_is_string(item) && s.n <= NETWORK_TEXT_MAX && ip_net_parse(s, &net) >= 0)
		add_word(out, s);
	else
		problem_add(c, "/networks", "invalid_network",
			    "entry %zu is not a network: write it like 192.0.2.0/24 or "
			    "2001:db8::/32",
			    i);
}

static void check_stream(struct call *c, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char b = s.p[i];
		if ((b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') || (b && strchr("-_.", b)))
			continue;
		problem_add(c, "/stream", "invalid_stream",
			    "must be small letters, digits, \"-\", \"_\" and \".\"");
		return;
	}
}

static int read_body(struct call *c, struct credential_body *b, const struct body_seen *seen)
{
	json_t *item;
	size_t i;
	int r = 0;

	json_array_foreach(b->domains, i, item)
	{
		r = read_domain(c, item, i, &b->domain_text);
		if (r < 0)
			return r;
	}
	json_array_foreach(b->networks, i, item) read_network(c, item, i, &b->network_text);
	check_stream(c, b->stream);
	if (body_has(*seen, B_EXPIRES) && b->expires && b->expires <= clock_wall_ms())
		problem_add(c, "/expires_at", "in_the_past", "must be in the future");
	return problem_end(c);
}

static void clear_body(struct credential_body *b)
{
	buf_free(&b->domain_text);
	buf_free(&b->network_text);
}

static struct db_param expiry_param(const struct credential_body *b)
{
	return b->expires ? p_int(b->expires) : p_null();
}

/* ---- making one -------------------------------------------------------------------------- */

static int check_room(struct call *c)
{
	OWNED(db_result) n = NULL;
	int r = db_run(c->db, &n, sql_submission_credential_count, p_int(c->actor.org));

	if (r < 0)
		return r;
	if (db_int(n, 0, 0) < CREDENTIALS_MOST)
		return 0;
	return problem(c, 409, "too_many_credentials",
		       "an organisation has %d SMTP credentials at most: revoke one",
		       CREDENTIALS_MOST);
}

static int insert(struct call *c, struct credential_body *b, const char *password, uint64_t *ret_id)
{
	char hash[CRYPTED_HASH_MAX + 1], username[USERNAME_LETTERS + 1];
	OWNED(db_result) res = NULL;
	int r = crypted_make(slice_str(password), hash);

	if (r < 0)
		return r;
	ids_random(username, USERNAME_LETTERS);
	r = db_run(c->db, &res, sql_submission_credential_insert, p_int(c->actor.org),
		   p_text(b->name), p_str(username), p_str(hash), p_text(buf_data(&b->domain_text)),
		   p_text(buf_data(&b->network_text)), p_text(b->stream), p_int(b->hour),
		   p_int(b->day), expiry_param(b));
	if (r >= 0)
		*ret_id = (uint64_t)db_int(res, 0, 0);
	return r < 0 ? r : 0;
}

static int make(struct call *c, struct credential_body *b)
{
	char password[PASSWORD_LETTERS + 1], id_text[ID_OUT_MAX];
	uint64_t id = 0;
	int r = check_room(c);

	ids_random(password, PASSWORD_LETTERS);
	if (r >= 0)
		r = insert(c, b, password, &id);
	if (r >= 0)
		r = audit_put(c, "smtp_credential.created",
			      ids_out(ID_SMTP_CREDENTIAL, id, id_text),
			      json_pack("{so so}", "name", api_text(b->name), "domains",
					list_json(buf_data(&b->domain_text))));
	if (r >= 0) {
		http_reply_header(c, "Location", "/v1/smtp-credentials/%s", id_text);
		r = reply_credential(c, id, 201, password);
	}
	explicit_bzero(password, sizeof(password));
	return r;
}

static int post_credential(struct call *c)
{
	struct credential_body b = { .stream = SLICE("") };
	struct body_seen seen;
	int r = http_body_read(c, post_fields, B_FIELDS, &b, &seen);

	if (r >= 0)
		r = read_body(c, &b, &seen);
	if (r >= 0)
		r = make(c, &b);
	clear_body(&b);
	return r;
}

/* ---- changing and revoking --------------------------------------------------------------- */

/* The row, locked, as If-Match wants it; one that is revoked cannot change. */
static int lock(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	int r = call_id(c, 0, ID_SMTP_CREDENTIAL, ret_id);

	if (r >= 0)
		r = db_run(c->db, ret, sql_submission_credential_lock, p_int(c->actor.org),
			   p_int(*ret_id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return call_if_match(c, db_int(*ret, 0, C_VERSION));
}

static void keep(struct credential_body *b, const struct db_result *row)
{
	b->name = db_text(row, 0, C_NAME);
	b->stream = db_text(row, 0, C_STREAM);
	b->hour = db_int(row, 0, C_HOUR);
	b->day = db_int(row, 0, C_DAY);
	b->expires = db_int(row, 0, C_EXPIRES);
}

static int update(struct call *c, uint64_t id, const struct credential_body *b,
		  const struct body_seen *seen, const struct db_result *row)
{
	struct slice domains = body_has(*seen, B_DOMAINS) ? buf_data(&b->domain_text)
							  : db_text(row, 0, C_DOMAINS),
		     networks = body_has(*seen, B_NETWORKS) ? buf_data(&b->network_text)
							    : db_text(row, 0, C_NETWORKS);
	int r = db_run(c->db, NULL, sql_submission_credential_update, p_int(c->actor.org),
		       p_int(id), p_text(b->name), p_text(domains), p_text(networks),
		       p_text(b->stream), p_int(b->hour), p_int(b->day), expiry_param(b));

	return r < 0 ? r
		     : audit_put_id(c, "smtp_credential.changed", ID_SMTP_CREDENTIAL, id,
				    audit_members(c));
}

static int patch_credential(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct credential_body b = { 0 };
	struct body_seen seen = { 0 };
	uint64_t id;
	int r = lock(c, &id, &row);

	if (r >= 0 && !db_is_null(row, 0, C_REVOKED))
		r = problem(c, 409, "revoked", "this credential was revoked: create another one");
	if (r < 0)
		return r;
	keep(&b, row);
	r = http_body_read(c, patch_fields, B_FIELDS, &b, &seen);
	if (r >= 0)
		r = read_body(c, &b, &seen);
	if (r >= 0 && seen.present)
		r = update(c, id, &b, &seen, row);
	clear_body(&b);
	return r < 0 ? r : reply_credential(c, id, 200, NULL);
}

static int delete_credential(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = lock(c, &id, &row);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_submission_credential_revoke, p_int(c->actor.org),
			   p_int(id));
	if (r > 0)
		r = audit_put_id(c, "smtp_credential.revoked", ID_SMTP_CREDENTIAL, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* ---- usage ------------------------------------------------------------------------------- */

struct using
{
	struct call *c;
	uint64_t id;
	int64_t hour_limit, day_limit;
};

static int find_limits(struct db *db, void *arg)
{
	struct using *u = arg;
	OWNED(db_result) res = NULL;
	int r =
	    db_run(db, &res, sql_submission_credential_find, p_int(u->c->actor.org), p_int(u->id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	u->hour_limit = db_int(res, 0, C_HOUR);
	u->day_limit = db_int(res, 0, C_DAY);
	return 0;
}

/* One that the engine does not have, because it was revoked, sends nothing.  answer NULL: the
 * engine is away. */
static int reply_usage(const struct using *u, const struct value *answer)
{
	const struct value *rows = answer ? value_member(answer, SLICE("credentials")) : NULL;
	const struct value *row =
	    rows && rows->type == VALUE_LIST && rows->count ? &rows->items[0] : NULL;

	return http_reply_json(u->c, 200,
			       json_pack("{sb sI sI sI sI}", "known", row != NULL, "hour",
					 (json_int_t)(row ? asking_int(row, "hour") : 0),
					 "hour_limit", (json_int_t)u->hour_limit, "day",
					 (json_int_t)(row ? asking_int(row, "day") : 0),
					 "day_limit", (json_int_t)u->day_limit));
}

/* What the engine has counted. */
static int get_usage(struct call *c)
{
	struct using u = { .c = c };
	OWNED(carrier) link = NULL;
	struct value answer;
	char key[64];
	int r = call_id(c, 0, ID_SMTP_CREDENTIAL, &u.id);

	if (r >= 0)
		r = db_tx(c->db, c->actor.org, find_limits, &u);
	if (r < 0)
		return r;
	(void)snprintf(key, sizeof(key), "%u/%llu", c->actor.org, (unsigned long long)u.id);
	r = asking_ask(c->app, SLICE("credentials"), slice_str(key), &link, &answer);
	return reply_usage(&u, r < 0 ? NULL : &answer);
}

/* The reply to POST holds the password and must never be kept, so the route is not idempotent. */
/* clang-format off */
const struct http_route submission_credential_routes[] = {
	{"GET",    "/v1/smtp-credentials", AUTH_MEMBER, PERMIT_SMTP_READ, 0, 0, get_credentials },
	{"POST",   "/v1/smtp-credentials", AUTH_MEMBER, PERMIT_SMTP_WRITE,
	           ROUTE_COSTLY | ROUTE_REAL | ROUTE_IDEMPOTENT, 0, post_credential},
	{"GET",    "/v1/smtp-credentials/{smtp_credential_id}", AUTH_MEMBER, PERMIT_SMTP_READ, 0, 0, get_credential},
	{"GET",    "/v1/smtp-credentials/{smtp_credential_id}/usage", AUTH_MEMBER, PERMIT_SMTP_READ,
	 ROUTE_NO_TX | ROUTE_COSTLY, 0, get_usage},
	{"PATCH",  "/v1/smtp-credentials/{smtp_credential_id}", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL, 0, patch_credential},
	{"DELETE", "/v1/smtp-credentials/{smtp_credential_id}", AUTH_MEMBER, PERMIT_SMTP_WRITE, 0, 0, delete_credential},
};
/* clang-format on */
const size_t submission_credential_routes_n = ARRAY_LEN(submission_credential_routes);
