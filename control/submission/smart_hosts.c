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
#include "control/submission/routes.h"
#include "control/submission/statements.h"
#include "message/mailbox.h"

enum {
	ROUTES_MOST = 20, /* of an organisation; the engine takes 32 (mta/route/fed.h) */
	DOMAINS_MOST = 20,
	USERNAME_MAX = 255,
	SECRET_MAX = 2048,
	PORT_PLAIN = 25,
	PORT_SUBMISSION = 587,
	PORT_SUBMISSIONS = 465,
	PORT_OTHER = 2525,
};

static const char *const tls_names[] = { [SMTP_TLS_VERIFY] = "verify",
					 [SMTP_TLS_ENCRYPT] = "encrypt",
					 [SMTP_TLS_MAY] = "may",
					 [SMTP_TLS_NEVER] = "never" };
static const char *const auth_names[] = { [SMTP_AUTH_NONE] = "none",
					  [SMTP_AUTH_PASSWORD] = "password",
					  [SMTP_AUTH_PLAIN] = "plain",
					  [SMTP_AUTH_LOGIN] = "login",
					  [SMTP_AUTH_XOAUTH2] = "xoauth2" };

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
	R_CREATED,
	R_UPDATED,
	R_VERSION
};

static const char *name_of(const char *const *names, size_t n, int64_t code)
{
	return code > 0 && (size_t)code < n ? names[code] : "";
}

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
	    "{so so so sI ss sb ss so sb so so so}", "id",
	    api_id(ID_SMTP_ROUTE, (uint64_t)db_int(res, i, R_ID)), "name",
	    api_text(db_text(res, i, R_NAME)), "host", api_text(db_text(res, i, R_HOST)), "port",
	    (json_int_t)db_int(res, i, R_PORT), "tls",
	    name_of(tls_names, ARRAY_LEN(tls_names), db_int(res, i, R_TLS)), "tls_first",
	    (int)db_bool(res, i, R_FIRST), "auth",
	    name_of(auth_names, ARRAY_LEN(auth_names), db_int(res, i, R_AUTH)), "username",
	    api_text(db_text(res, i, R_USERNAME)), "has_secret", (int)db_bool(res, i, R_HAS_SECRET),
	    "domains", domains_json(db_text(res, i, R_DOMAINS)), "created_at",
	    api_time(db_int(res, i, R_CREATED)), "updated_at", api_time(db_int(res, i, R_UPDATED)));
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

/* ---- what a body says -------------------------------------------------------------------- */

struct route_body {
	struct slice name, host, tls, auth, username, secret;
	int64_t port;
	bool tls_first;
	json_t *domains;
	struct buf domain_text; /* of the list */
	char host_text[MAILBOX_MAX + 2];
};
#define AT(member) offsetof(struct route_body, member)
enum { B_NAME, B_HOST, B_PORT, B_TLS, B_FIRST, B_AUTH, B_USERNAME, B_SECRET, B_DOMAINS, B_FIELDS };
/* clang-format off */
#define FIELDS(required) {                                                             \
	[B_NAME]     = {"name",      BODY_NAME, AT(name),      required, 1, 100,          0}, \
	[B_HOST]     = {"host",      BODY_LINE, AT(host),      required, 1, 253,          0}, \
	[B_PORT]     = {"port",      BODY_INT,  AT(port),      0,        1, 65535,        0}, \
	[B_TLS]      = {"tls",       BODY_LINE, AT(tls),       0,        1, 20,           0}, \
	[B_FIRST]    = {"tls_first", BODY_BOOL, AT(tls_first), 0,        0, 0,            0}, \
	[B_AUTH]     = {"auth",      BODY_LINE, AT(auth),      0,        1, 20,           0}, \
	[B_USERNAME] = {"username",  BODY_LINE, AT(username),  0,        0, USERNAME_MAX, 0}, \
	[B_SECRET]   = {"secret",    BODY_LINE, AT(secret),    0,        1, SECRET_MAX,   0}, \
	[B_DOMAINS]  = {"domains",   BODY_LIST, AT(domains),   0,        1, DOMAINS_MOST, 0}, \
}
/* clang-format on */
static const struct body_field post_fields[] = FIELDS(BODY_REQUIRED);
static const struct body_field patch_fields[] = FIELDS(0);

static int code_of(struct call *c, const char *const *names, size_t n, struct slice word,
		   const char *pointer)
{
	for (size_t i = 1; i < n; i++)
		if (slice_eq(word, slice_str(names[i])))
			return (int)i;
	problem_add(c, pointer, "unknown_word", "is none of the words that stand in the document");
	return 0;
}

/* "*", a name, or "*.name" for those below it. */
static void read_pattern(struct call *c, const json_t *item, size_t i, struct buf *out)
{
	char text[MAILBOX_MAX + 2];
	struct slice s = api_text_of(item), name;
	bool any = slice_eq(s, SLICE("*")), below = !any && slice_strip(&s, SLICE("*."));

	if (!json_is_string(item) ||
	    (!any && mailbox_domain_parse(s, MAILBOX_CONTACT, text, &name) < 0)) {
		problem_add(c, "/domains", "invalid_domain",
			    "entry %zu is neither a domain name, nor *.name, nor *", i);
		return;
	}
	if (buf_len(out))
		buf_put(out, SLICE(" "));
	if (any || below)
		buf_put(out, any ? SLICE("*") : SLICE("*."));
	if (!any)
		buf_put(out, name);
}

/* A host by its name; the engine asks DNS, and refuses private addresses. */
static void read_host(struct call *c, struct route_body *b)
{
	struct slice name;
	struct ip ip;

	if (ip_parse(b->host, &ip) >= 0 ||
	    mailbox_domain_parse(b->host, MAILBOX_CONTACT, b->host_text, &name) < 0)
		problem_add(c, "/host", "invalid_host",
			    "must be the name of a host with at least two labels, like "
			    "smtp.example.org");
	else
		b->host = name;
}

static void check_edges(struct call *c, struct slice s, const char *pointer)
{
	if (s.n && (slice_trim(s).n != s.n || s.n > SECRET_MAX))
		problem_add(c, pointer, "invalid_text",
			    "must not begin or end with a blank, and have %d bytes at most",
			    SECRET_MAX);
}

/* Mail is taken on these; others would make of us a probe for open ports. */
static bool port_fits(int64_t port)
{
	return port == PORT_PLAIN || port == PORT_SUBMISSION || port == PORT_SUBMISSIONS ||
	       port == PORT_OTHER;
}

static void check_auth(struct call *c, const struct route_body *b, int tls, int auth,
		       bool has_secret)
{
	if (auth > SMTP_AUTH_NONE && tls != SMTP_TLS_VERIFY)
		problem_add(c, "/tls", "verify_needed",
			    "must be verify where there is auth: a password is only told to a host "
			    "whose certificate was verified");
	if (auth > SMTP_AUTH_NONE && (!b->username.n || !has_secret))
		problem_add(c, b->username.n ? "/secret" : "/username", "required",
			    "is required where there is auth");
	if (auth == SMTP_AUTH_NONE && b->secret.n)
		problem_add(c, "/secret", "not_needed", "is of no use without auth");
	if (b->tls_first && tls > SMTP_TLS_ENCRYPT)
		problem_add(c, "/tls_first", "tls_needed", "needs tls verify or encrypt");
}

static int read_body(struct call *c, struct route_body *b, bool had_secret, int *ret_tls,
		     int *ret_auth)
{
	json_t *item;
	size_t i;

	json_array_foreach(b->domains, i, item) read_pattern(c, item, i, &b->domain_text);
	read_host(c, b);
	check_edges(c, b->username, "/username");
	check_edges(c, b->secret, "/secret");
	if (!port_fits(b->port))
		problem_add(c, "/port", "invalid_port", "must be 25, 465, 587 or 2525");
	*ret_tls = code_of(c, tls_names, ARRAY_LEN(tls_names), b->tls, "/tls");
	*ret_auth = code_of(c, auth_names, ARRAY_LEN(auth_names), b->auth, "/auth");
	check_auth(c, b, *ret_tls, *ret_auth, had_secret || b->secret.n);
	return problem_end(c);
}

/* The secret belongs to its route's number, which is there by now. */
static int put_secret(struct call *c, uint64_t id, const struct route_body *b, int auth)
{
	struct buf sealed = { 0 };
	int seal_id = 0, r = 0;

	if (!b->secret.n && auth != SMTP_AUTH_NONE)
		return 0; /* it stays */
	if (b->secret.n)
		r = route_secret_seal(c->app, c->actor.org, id, b->secret, &seal_id, &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_submission_route_secret, p_int(c->actor.org), p_int(id),
			   p_bytes(buf_data(&sealed)), p_int(seal_id));
	buf_free(&sealed);
	return r < 0 ? r : 0;
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

static int insert(struct call *c, struct route_body *b, int tls, int auth)
{
	OWNED(db_result) res = NULL;
	char id_text[ID_OUT_MAX];
	uint64_t id;
	int r = check_room(c);

	if (r >= 0)
		r = db_run(
		    c->db, &res, sql_submission_route_insert, p_int(c->actor.org), p_text(b->name),
		    p_text(b->host), p_int(b->port), p_int(tls), p_bool(b->tls_first), p_int(auth),
		    p_text(b->username),
		    p_text(buf_len(&b->domain_text) ? buf_data(&b->domain_text) : SLICE("*")));
	if (r < 0)
		return r;
	id = (uint64_t)db_int(res, 0, 0);
	r = put_secret(c, id, b, auth);
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
	struct route_body b = { .username = SLICE(""),
				.tls = SLICE("verify"),
				.auth = SLICE("none") };
	struct body_seen seen;
	int tls, auth, r = http_body_read(c, post_fields, B_FIELDS, &b, &seen);

	if (r < 0)
		return r;
	if (!body_has(seen, B_FIRST))
		b.tls_first = b.port == PORT_SUBMISSIONS;
	if (!body_has(seen, B_PORT))
		b.port = b.tls_first ? PORT_SUBMISSIONS : PORT_SUBMISSION;
	r = read_body(c, &b, false, &tls, &auth);
	if (r >= 0)
		r = insert(c, &b, tls, auth);
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
		.tls = slice_str(name_of(tls_names, ARRAY_LEN(tls_names), db_int(row, 0, R_TLS))),
		.tls_first = db_bool(row, 0, R_FIRST),
		.auth =
		    slice_str(name_of(auth_names, ARRAY_LEN(auth_names), db_int(row, 0, R_AUTH))),
		.username = db_text(row, 0, R_USERNAME),
	};
}

static int update(struct call *c, uint64_t id, const struct route_body *b, int tls, int auth,
		  const struct db_result *row)
{
	struct slice domains =
	    buf_len(&b->domain_text) ? buf_data(&b->domain_text) : db_text(row, 0, R_DOMAINS);
	int r = db_run(c->db, NULL, sql_submission_route_update, p_int(c->actor.org), p_int(id),
		       p_text(b->name), p_text(b->host), p_int(b->port), p_int(tls),
		       p_bool(b->tls_first), p_int(auth), p_text(b->username), p_text(domains));

	if (r >= 0)
		r = put_secret(c, id, b, auth);
	return r < 0 ? r
		     : audit_put_id(c, "smtp_route.changed", ID_SMTP_ROUTE, id, audit_members(c));
}

static int patch_route(struct call *c)
{
	OWNED(db_result) row = NULL;
	struct route_body b;
	struct body_seen seen = { 0 };
	uint64_t id;
	int tls, auth, r = lock(c, &id, &row);

	if (r < 0)
		return r;
	b = body_of(row);
	r = http_body_read(c, patch_fields, B_FIELDS, &b, &seen);
	if (r >= 0)
		r = read_body(c, &b, db_bool(row, 0, R_HAS_SECRET), &tls, &auth);
	/* Who changes the host may not take the old one's password there. */
	if (r >= 0 && body_has(seen, B_HOST) && !b.secret.n && auth != SMTP_AUTH_NONE &&
	    !slice_eq(b.host, db_text(row, 0, R_HOST))) {
		problem_add(c, "/secret", "required", "is required with another host");
		r = problem_end(c);
	}
	if (r >= 0 && seen.present)
		r = update(c, id, &b, tls, auth, row);
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
	{"POST",   "/v1/smtp-routes", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL, 0, post_route},
	{"GET",    "/v1/smtp-routes/{smtp_route_id}", AUTH_MEMBER, PERMIT_SMTP_READ, 0, 0, get_route},
	{"PATCH",  "/v1/smtp-routes/{smtp_route_id}", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL, 0, patch_route},
	{"DELETE", "/v1/smtp-routes/{smtp_route_id}", AUTH_MEMBER, PERMIT_SMTP_WRITE, ROUTE_REAL, 0, delete_route},
	{"POST",   "/v1/smtp-routes/{smtp_route_id}/test", AUTH_MEMBER, PERMIT_SMTP_WRITE,
	 ROUTE_NO_TX | ROUTE_NO_BODY | ROUTE_COSTLY | ROUTE_REAL, 0, test_route},
};
/* clang-format on */
const size_t submission_route_routes_n = ARRAY_LEN(submission_route_routes);
