/* control/http/run.c - answering one request on a worker's thread: who asks, the transaction around
 * the handler, the idempotency key, and what a negative code means to the caller. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/http/private.h"

enum { TRIES = 4 };

/* What the caller is told for a code without a reply. */
static const struct {
	int code;
	unsigned status;
	const char *name, *detail;
} meanings[] = {
	{ E_UNKNOWN, 404, "not_found", "there is no such object" },
	{ E_EXISTS, 409, "already_exists",
	  "an object with this name exists already: choose another name, or change that object" },
	{ E_CONFLICT, 409, "conflict",
	  "the object's current state does not allow this: read it again" },
	{ E_SYNTAX, 400, "invalid", "a value has the wrong form or is out of range" },
	{ E_LIMIT, 413, "too_large", "the request is too large" },
	{ E_DENIED, 403, "not_allowed", "this is not allowed" },
	{ E_FULL, 503, "busy", "the server has no room at the moment: try again in a few seconds" },
	{ E_TIMEOUT, 503, "timeout", "the answer took too long: try again in a few seconds" },
	{ E_DB, 503, "database",
	  "the database does not answer at the moment: try again in a few seconds" },
};

static void answer_code(struct call *c, int code)
{
	if (code == E_DB || code == E_TIMEOUT || code == E_FULL || code == E_DENIED)
		log_warn("http.refused", kv_str("request", c->request_id), kv_err("error", code),
			 kv_str("database", db_error(c->db)));
	for (size_t i = 0; i < ARRAY_LEN(meanings); i++) {
		if (meanings[i].code != code)
			continue;
		if (meanings[i].status == 503)
			http_reply_header(c, "Retry-After", "2");
		(void)problem(c, meanings[i].status, meanings[i].name, "%s", meanings[i].detail);
		return;
	}
	log_error("http.failed", kv_str("request", c->request_id), kv_str("path", c->request->path),
		  kv_err("error", code), kv_str("database", db_error(c->db)));
	(void)problem(c, 500, "internal",
		      "the server failed: tell the operator of this service the request's id");
}

static bool has_json_type(const struct call *c)
{
	struct slice rest = call_header(c, "Content-Type");
	struct slice type = slice_trim(slice_take(&rest, ';'));

	return slice_eq_nocase(type, SLICE("application/json")) ||
	       slice_eq_nocase(type, SLICE("application/merge-patch+json"));
}

/* Strict: one object, no duplicate members, valid UTF-8 (jansson checks), nothing after it. */
static int read_json(struct call *c)
{
	struct slice raw = call_raw_body(c);
	json_error_t error;

	if ((c->route->flags & (ROUTE_UPLOAD | ROUTE_BODY_ANY)) ||
	    !strcmp(c->request->method, "GET"))
		return 0;
	if (!raw.n)
		return 0;
	if (!has_json_type(c))
		return problem(
		    c, 415, "unsupported_media_type",
		    "the body must be JSON: send it with Content-Type: application/json");
	c->body = json_loadb(raw.p, raw.n, JSON_REJECT_DUPLICATES, &error);
	if (!c->body)
		return problem(c, 400, "invalid_json", "line %d, column %d: %s", error.line,
			       error.column, error.text);
	if (!json_is_object(c->body))
		return problem(c, 400, "invalid_json", "the body must be a JSON object");
	return 0;
}

static int refuse_idempotency_key(struct call *c)
{
	if ((c->route->flags & ROUTE_IDEMPOTENT) || c->request->listener == LISTEN_PUBLIC ||
	    !call_header(c, "Idempotency-Key").p)
		return 0;
	return problem(c, 400, "idempotency_not_supported",
		       "this request does not take Idempotency-Key: send it without, and read "
		       "the object before you repeat it");
}

/* What is wrong with the request itself.  Those who may not enter are not told. */
static int look_before(struct call *c)
{
	int r = http_limits_caller(c);

	if (r >= 0)
		r = http_query_check(c);
	if (r >= 0)
		r = refuse_idempotency_key(c);
	if (r < 0)
		return r;
	if ((c->route->flags & ROUTE_IF_MATCH) && !call_header(c, "If-Match").p)
		return problem(c, 428, "if_match_required",
			       "send the ETag that you read in the header If-Match");
	r = http_contract_path(c);
	if (r < 0 || c->body)
		return r;
	r = read_json(c);
	return r < 0 || (c->route->flags & ROUTE_UPLOAD) ? r : http_contract_body(c);
}

/* If-Match where nothing has a version to compare it with: only "*" could be true (RFC 9110 section
 * 13.1.1).  What a handler without a transaction of ours did is done. */
static int refuse_unmatched(struct call *c)
{
	struct slice tags = call_header(c, "If-Match");

	if (c->request->matched || !tags.p || slice_eq(slice_trim(tags), SLICE("*")) ||
	    c->request->reply.status >= 400 || !strcmp(c->request->method, "GET") ||
	    (c->route->flags & ROUTE_NO_TX))
		return 0;
	http_reply_reset(&c->request->reply);
	return problem(c, 412, "no_version",
		       "what this request changes has no version that If-Match could name: send it "
		       "without that header");
}

/* Runs the handler within the transaction that the gate began; commits a reply below 400. */
static int handle(struct call *c)
{
	struct idempotency key = { 0 };
	int r = idempotency_begin(c, &key);

	if (r == 0)
		r = c->route->handle(c);
	else if (r > 0)
		goto out; /* answered from the store; nothing was changed */
	if (r == 0)
		r = refuse_unmatched(c);
	if (r == 0 && c->request->reply.status < 400)
		r = idempotency_store(c, &key);
	if (r >= 0 && c->request->reply.status < 400) {
		r = db_in_tx(c->db) ? db_commit(c->db) : 0;
		goto out;
	}
	db_rollback(c->db);
	if (r < 0 && r != E_ANSWERED && !db_retryable(c->db)) {
		http_reply_reset(&c->request->reply);
		answer_code(c, r);
		r = E_ANSWERED;
	}
	/* A refusal is kept too, but not those that a later try may turn into success. */
	if (key.on && c->request->reply.status >= 400 && c->request->reply.status < 500 &&
	    c->request->reply.status != 429) {
		db_begin(c->db, c->actor.org);
		if (idempotency_store(c, &key) < 0 || db_commit(c->db) < 0)
			db_rollback(c->db);
		r = E_ANSWERED;
	}
out:
	buf_free(&key.key);
	return r;
}

static int enter(struct call *c)
{
	int r = c->request->server->gate->enter(c);

	if (r == E_ANSWERED)
		http_limits_wrong(c);
	return r;
}

static int attempt(struct call *c)
{
	int r = enter(c);

	if (r >= 0)
		r = look_before(c);
	if (r < 0) {
		db_rollback(c->db);
		return r;
	}
	if ((c->route->flags & ROUTE_NO_TX) && db_in_tx(c->db)) {
		r = db_commit(c->db);
		if (r < 0)
			return r;
	}
	r = handle(c);
	db_rollback(c->db); /* what a reply from the store left open */
	return r;
}

static void answer(struct call *c)
{
	int r = 0;

	if (http_limits_address(c) < 0 || ((c->route->flags & ROUTE_BRAKED) && call_brake(c) < 0))
		return;
	for (int n = 0; n < TRIES; n++) {
		if (n)
			db_retry_pause(n);
		r = attempt(c);
		if (r >= 0 || r == E_ANSWERED || !db_retryable(c->db))
			break;
		http_reply_reset(&c->request->reply);
	}
	if (r < 0 && (r != E_ANSWERED || !c->request->reply.status)) {
		http_reply_reset(&c->request->reply);
		answer_code(c, r);
	}
}

/* Asks only who is calling; a refusal replaces the one that is there. */
static void ask_gate(struct call *c)
{
	int r = enter(c);

	if (r >= 0 && !c->request->reply.status)
		r = look_before(c);
	db_rollback(c->db);
	if (r < 0 && r != E_ANSWERED)
		answer_code(c, r);
	c->request->gated = true;
}

void call_run(struct call_request *q, struct db *db)
{
	struct call *c = &q->call;

	c->db = db;
	if (q->upload_fd >= 0) {
		(void)close(q->upload_fd);
		q->upload_fd = -1;
	}
	if (!q->reply.status)
		answer(c);
	else if (!q->gated) /* refused by its head, or while its body came */
		ask_gate(c);
	c->db = NULL;
	q->server->gate->answered(c, q->reply.status);
	log_debug("http.request", kv_str("request", c->request_id), kv_str("method", q->method),
		  kv_str("path", q->path), kv_int("status", q->reply.status),
		  kv_int("org", c->actor.org), kv_int("us", clock_mono_us() - q->began_us));
}

/* Before the body of an upload is taken, or instead of one that is too large. */
void call_gate(struct call_request *q, struct db *db)
{
	q->call.db = db;
	ask_gate(&q->call);
	q->call.db = NULL;
}
