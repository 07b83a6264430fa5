/* control/submission/smart_hosts.c - /v1/smtp-routes: an organisation's own SMTP service, which its
 * mail goes to.  The secret is sealed, told to the engine alone, and never shown. */
#include <stdio.h>

#include "control/auth/audit.h"
#include "control/auth/permit.h"
#include "control/engine/asking.h"
#include "control/engine/route_secret.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/page.h"
#include "control/http/problem.h"
#include "control/http/reply.h"
#include "control/submission/codes.h"
#include "control/submission/route_body.h"
#include "control/submission/routes.h"
#include "control/submission/statements.h"

enum { ROUTES_MOST = 20 }; /* of an organisation; the engine takes 32 (mta/route/fed.h) */

enum {
	R_ID,
	R_NAME,
	R_HOST,
	R_PORT,
	R_TLS,
	R_FIRST,
	R_AUTH,
	R_USERNAME,
	R_HAS_SECRET,
	R_DOMAINS,
	R_TOKEN_URL,
	R_CLIENT_ID,
	R_SCOPE,
	R_CREATED,
	R_UPDATED,
	R_VERSION
};

static json_t *domains_json(struct slice words)
{
	json_t *list = json_array();

	while (words.n)
		(void)json_array_append_new(list, api_text(slice_take(&words, ' ')));
	return list;
}

static json_t *route_json(const struct db_result *res, unsigned i)
{
	return json_pack(
	    "{so so so sI ss sb ss so sb so so so so so so}", "id",
	    api_id(ID_SMTP_ROUTE, (uint64_t)db_int(res, i, R_ID)), "name",
	    api_text(db_text(res, i, R_NAME)), "host", api_text(db_text(res, i, R_HOST)), "port",
	    (json_int_t)db_int(res, i, R_PORT), "tls", route_body_tls_name(db_int(res, i, R_TLS)),
	    "tls_first", (int)db_bool(res, i, R_FIRST), "auth",
	    route_body_auth_name(db_int(res, i, R_AUTH)), "username",
	    api_text(db_text(res, i, R_USERNAME)), "has_secret", (int)db_bool(res, i, R_HAS_SECRET),
	    "domains", domains_json(db_text(res, i, R_DOMAINS)), "token_url",
	    api_text(db_text(res, i, R_TOKEN_URL)), "client_id",
	    api_text(db_text(res, i, R_CLIENT_ID)), "scope", api_text(db_text(res, i, R_SCOPE)),
	    "created_at", api_time(db_int(res, i, R_CREATED)), "updated_at",
	    api_time(db_int(res, i, R_UPDATED)));
}

static int get_routes(struct call *c)
{
	return page_list(c, route_json, sql_submission_route_page, p_int(c->actor.org), PAGE_AFTER,
			 PAGE_LIMIT);
}

static int reply_route(struct call *c, uint64_t id, unsigned status)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_submission_route_find, p_int(c->actor.org), p_int(id));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	http_reply_etag(c, db_int(res, 0, R_VERSION));
	return http_reply_json(c, status, route_json(res, 0));
}

static int get_route(struct call *c)
{
	uint64_t id;
	int r = call_id(c, 0, ID_SMTP_ROUTE, &id);

	return r < 0 ? r : reply_route(c, id, 200);
}

/* ---- the secret --------------------------------------------------------------------------- */

enum { S_SEAL, S_SECRET };

/* What is sealed now, where a part of it stays. */
static int open_old(struct call *c, uint64_t id, struct buf *out)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, sql_submission_route_sealed, p_int(c->actor.org), p_int(id));

	if (r <= 0 || !db_int(res, 0, S_SEAL))
		return r < 0 ? r : 0;
	return route_secret_open(c->app, c->actor.org, id, (int)db_int(res, 0, S_SEAL),
				 db_bytes(res, 0, S_SECRET), out);
}

/* The whole secret, or none where the old one stays. */
static int new_secret(struct call *c, uint64_t id, const struct route_body *b, bool had_secret,
		      struct buf *out)
{
	struct buf old = { 0 };
	int r = 0;

	if (!b->grant.url.n)
		return buf_append(out, b->secret);
	if (!b->grant.client_secret.n && !b->grant.refresh.n)
		return 0;
	if (had_secret)
		r = open_old(c, id, &old);
	if (r >= 0)
		r = token_grant_text(&b->grant, buf_data(&old), out);
	if (old.p)
		explicit_bzero(old.p, old.cap);
	buf_free(&old);
	return r;
}

static int seal(struct call *c, uint64_t id, struct slice plain)
{
	struct buf sealed = { 0 };
	int seal_id = 0, r = 0;

	if (plain.n)
		r = route_secret_seal(c->app, c->actor.org, id, plain, &seal_id, &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_submission_route_secret, p_int(c->actor.org), p_int(id),
			   p_bytes(buf_data(&sealed)), p_int(seal_id));
	buf_free(&sealed);
	return r < 0 ? r : 0;
}

/* The secret belongs to its route's number, which is there by now. */
static int put_secret(struct call *c, uint64_t id, const struct route_body *b, bool had_secret)
{
	struct buf plain = { 0 };
	int r = new_secret(c, id, b, had_secret, &plain);

	if (r >= 0 && (buf_len(&plain) || b->auth == SMTP_AUTH_NONE))
		r = seal(c, id, buf_data(&plain));
	if (plain.p)
		explicit_bzero(plain.p, plain.cap);
	buf_free(&plain);
	return r;
}

/* ---- making, changing, removing ---------------------------------------------------------- */

static int check_room(struct call *c)
{
	OWNED(db_result) n = NULL;
	int r = db_run(c->db, &n, sql_submission_route_count, p_int(c->actor.org));

	if (r < 0 || db_int(n, 0, 0) < ROUTES_MOST)
		return r < 0 ? r : 0;
	return problem(c, 409, "too_many_routes",
		       "an organisation has %d SMTP routes at most: remove one", ROUTES_MOST);
}

static int insert(struct call *c, const struct route_body *b)
{
	OWNED(db_result) res = NULL;
	char id_text[ID_OUT_MAX];
	uint64_t id;
	int r = check_room(c);

	if (r >= 0)
		r = db_run(
		    c->db, &res, sql_submission_route_insert, p_int(c->actor.org), p_text(b->name),
		    p_text(b->host), p_int(b->port), p_int(b->tls), p_bool(b->tls_first),
		    p_int(b->auth), p_text(b->username),
		    p_text(buf_len(&b->domain_text) ? buf_data(&b->domain_text) : SLICE("*")),
		    p_text(b->grant.url), p_text(b->grant.client_id), p_text(b->grant.scope));
	if (r < 0)
		return r;
	id = (uint64_t)db_int(res, 0, 0);
	r = put_secret(c, id, b, false);
	if (r >= 0)
		r = audit_put(
		    c, "smtp_route.created", ids_out(ID_SMTP_ROUTE, id, id_text),
		    json_pack("{so so}", "name", api_text(b->name), "host", api_text(b->host)));
	if (r < 0)
		return r;
	http_reply_header(c, "Location", "/v1/smtp-routes/%s", id_text);
	return reply_route(c, id, 201);
}

static int post_route(struct call *c)
{
	struct route_body b = {
		.username = SLICE(""),
		.grant = { .url = SLICE(""), .client_id = SLICE(""), .scope = SLICE("") },
		.tls_word = SLICE("verify"),
		.auth_word = SLICE("none")
	};
	struct body_seen seen;
	int r = route_body_read(c, true, &b, &seen);

	if (r < 0)
		return r;
	if (!body_has(seen, ROUTE_TLS_FIRST))
		b.tls_first = b.port == SMTP_PORT_SUBMISSIONS;
	if (!body_has(seen, ROUTE_PORT))
		b.port = b.tls_first ? SMTP_PORT_SUBMISSIONS : SMTP_PORT_SUBMISSION;
	r = route_body_check(c, &b, false);
	if (r >= 0)
		r = insert(c, &b);
	buf_free(&b.domain_text);
	return r;
}

static int lock(struct call *c, uint64_t *ret_id, struct db_result **ret)
{
	int r = call_id(c, 0, ID_SMTP_ROUTE, ret_id);

	if (r >= 0)
		r = db_run(c->db, ret, sql_submission_route_lock, p_int(c->actor.org),
			   p_int(*ret_id));
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	return call_if_match(c, db_int(*ret, 0, R_VERSION));
}

static struct route_body body_of(const struct db_result *row)
{
	return (struct route_body){
		.name = db_text(row, 0, R_NAME),
		.host = db_text(row, 0, R_HOST),
		.port = db_int(row, 0, R_PORT),
		.tls_word = slice_str(route_body_tls_name(db_int(row, 0, R_TLS))),
		.tls_first = db_bool(row, 0, R_FIRST),
		.auth_word = slice_str(route_body_auth_name(db_int(row, 0, R_AUTH))),
		.username = db_text(row, 0, R_USERNAME),
		.grant = { .url = db_text(row, 0, R_TOKEN_URL),
			   .client_id = db_text(row, 0, R_CLIENT_ID),
			   .scope = db_text(row, 0, R_SCOPE) },
	};
}

/* Who changes where secrets go may not take the old ones there. */
static bool may_stay(const struct db_result *row, const struct route_body *b)
{
	return db_bool(row, 0, R_HAS_SECRET) && slice_eq_nocase(b->host, db_text(row, 0, R_HOST)) &&
	       slice_eq(b->grant.url, db_text(row, 0, R_TOKEN_URL)) &&
	       slice_eq(b->grant.client_id, db_text(row, 0, R_CLIENT_ID));
}

static int update(struct call *c, uint64_t id, const struct route_body *b, bool had_secret,
		  const struct db_result *row)
{
	struct slice domains =
	    buf_len(&b->domain_text) ? buf_data(&b->domain_text) : db_text(row, 0, R_DOMAINS);
	int r = db_run(c->db, NULL, sql_submission_route_update, p_int(c->actor.org), p_int(id),
		       p_text(b->name), p_text(b->host), p_int(b->port), p_int(b->tls),
		       p_bool(b->tls_first), p_int(b->auth), p_text(b->username), p_text(domains),
		       p_text(b->grant.url), p_text(b->grant.client_id), p_text(b->grant.scope));

	if (r >= 0)
		r = put_secret(c, id, b, had_secret);
	return r < 0 ? r
		     : audit_put_id(c, "smtp_route.changed", ID_SMTP_ROUTE, id, audit_members(c));
}

static int patch_route(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct route_body b;
	struct body_seen seen = { 0 };
	bool had_secret = false;
	uint64_t id;
	int r = lock(c, &id, &row);

	if (r < 0)
		return r;
	b = body_of(row);
	r = route_body_read(c, false, &b, &seen);
	if (r >= 0) {
		if (body_has(seen, ROUTE_AUTH) && !body_has(seen, ROUTE_TOKEN_URL) &&
		    !slice_eq(b.auth_word, SLICE("xoauth2")))
			b.grant.url = SLICE("");
		had_secret = may_stay(row, &b);
		r = route_body_check(c, &b, had_secret);
	}
	if (r >= 0 && seen.present)
		r = update(c, id, &b, had_secret, row);
	buf_free(&b.domain_text);
	return r < 0 ? r : reply_route(c, id, 200);
}

static int delete_route(struct call *c)
{
	OWNED(db_result) row = NULL;
	uint64_t id;
	int r = lock(c, &id, &row);

	if (r >= 0)
		r = db_run(c->db, NULL, sql_submission_route_delete, p_int(c->actor.org),
			   p_int(id));
	if (r >= 0)
		r = audit_put_id(c, "smtp_route.removed", ID_SMTP_ROUTE, id, NULL);
	return r < 0 ? r : http_reply_empty(c, 204);
}

/* ---- test -------------------------------------------------------------------------------- */

struct testing {
	struct call *c;
	uint64_t id;
};

static int find_ours(struct db *db, void *arg)
{
	struct testing *t = arg;
	int r = db_run(db, NULL, sql_submission_route_find, p_int(t->c->actor.org), p_int(t->id));

	return r == 0 ? E_UNKNOWN : r;
}

static int reply_test(struct call *c, const struct value *v)
{
	return http_reply_json(
	    c, 200,
	    json_pack("{sb so so so so so}", "good", (int)asking_true(v, "good"), "host",
		      api_text(asking_text(v, "host")), "ip", api_text(asking_text(v, "ip")), "tls",
		      api_text(asking_text(v, "tls")), "auth", api_text(asking_text(v, "auth")),
		      "text", api_text(asking_text(v, "text"))));
}

/* A session of the engine with the host, which carries no mail. */
static int test_route(struct call *c)
{
	struct testing t = { .c = c };
	OWNED(carrier) link = NULL;
	struct value answer;
	char key[64];
	int r = call_id(c, 0, ID_SMTP_ROUTE, &t.id);

	if (r >= 0)
		r = db_tx(c->db, c->actor.org, find_ours, &t);
	if (r < 0)
		return r;
	(void)snprintf(key, sizeof(key), "t%u/r%llu", c->actor.org, (unsigned long long)t.id);
	r = asking_ask(c->app, SLICE("route-test"), slice_str(key), &link, &answer);
	if (r == 0)
		return reply_test(c, &answer);
	if (r == E_UNKNOWN)
		return problem(c, 409, "not_told_yet",
			       "the engine has not been told of this route yet: try again in a "
			       "second");
	return problem(c, 503, "engine_away", "the engine does not answer: try again later");
}

/* Not idempotent: a hash of the body, which has the secret, would be kept.  Names are unique, so
 * that what is sent twice is there once. */
/* clang-format off */
const struct http_route submission_route_routes[] = {
	{"GET",    "/v1/smtp-routes", AUTH_MEMBER, PERMIT_SMTP_READ, 0, 0, get_routes },
	{"POST",   "/v1/smtp-routes", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL | ROUTE_IDEMPOTENT, 0, post_route},
	{"GET",    "/v1/smtp-routes/{smtp_route_id}", AUTH_MEMBER, PERMIT_SMTP_READ, 0, 0, get_route},
	{"PATCH",  "/v1/smtp-routes/{smtp_route_id}", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL, 0, patch_route},
	{"DELETE", "/v1/smtp-routes/{smtp_route_id}", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL, 0, delete_route},
	{"POST",   "/v1/smtp-routes/{smtp_route_id}/test", AUTH_MEMBER, PERMIT_SMTP_WRITE,
	 ROUTE_NO_TX | ROUTE_NO_BODY | ROUTE_COSTLY | ROUTE_REAL, 0, test_route},
};
/* clang-format on */
const size_t submission_route_routes_n = ARRAY_LEN(submission_route_routes);
