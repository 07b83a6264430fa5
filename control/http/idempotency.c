/* control/http/idempotency.c - Idempotency-Key: for 24 hours the same key and body get the same
 * answer.
 *
 * Guarantee: the answer is stored in the transaction that makes the change, so there is never one
 *            without the other.  Of two requests with one key at a time the second gets 409.
 *            What is stored is sealed: an answer may show a secret that is shown once, such as a
 *            new API key. */
#include <sodium.h>

#include "control/http/private.h"
#include "control/http/statements.h"

enum { KEY_MAX = 255, STORED_MAX = 16 * 1024 * 1024 };

static int make_key(struct call *c, struct slice given, struct idempotency *i)
{
	struct slice method = call_method(c), path = call_path(c);

	for (size_t k = 0; k < given.n; k++)
		if (given.p[k] < 0x21 || given.p[k] > 0x7e)
			return problem(c, 400, "invalid_idempotency_key",
				       "Idempotency-Key must be printable ASCII without spaces");
	if (!given.n || given.n > KEY_MAX)
		return problem(c, 400, "invalid_idempotency_key",
			       "Idempotency-Key must have 1 to %d characters", KEY_MAX);
	return buf_printf(&i->key, "%.*s %.*s %u:%llu %.*s", (int)method.n, method.p, (int)path.n,
			  path.p, (unsigned)c->actor.kind, (unsigned long long)c->actor.id,
			  (int)given.n, given.p);
}

static int lock_key(struct call *c, const struct idempotency *i)
{
	OWNED(db_result) res = NULL;
	int r = db_run(c->db, &res, "SELECT pg_try_advisory_xact_lock(hashtextextended($1, $2))",
		       p_text(buf_data(&i->key)), p_int(c->actor.org));

	if (r < 0)
		return r;
	if (db_bool(res, 0, 0))
		return 0;
	http_reply_header(c, "Retry-After", "1");
	return problem(
	    c, 409, "idempotency_in_flight",
	    "another request with this Idempotency-Key is being answered: try again in a second");
}

static void put_headers(struct call *c, struct slice lines)
{
	while (lines.n) {
		struct slice before, value;
		char name[64];

		if (!slice_cut(slice_take(&lines, '\n'), ':', &before, &value))
			continue;
		slice_copy(name, sizeof(name), before);
		http_reply_header(c, name, "%.*s", (int)value.n, value.p);
	}
}

enum { K_BODY_HASH, K_STATUS, K_RESPONSE, K_TYPE, K_HEADERS, K_SEAL };

/* What was asked for: the query and the body, which may hold a password: keyed, so that nobody who
 * reads the table can try some.  A file is not compared: it is large, and a form around it has
 * another boundary each time. */
static void hash_request(const struct call *c, uint8_t ret[MAC_LEN])
{
	uint8_t hash[crypto_hash_sha256_BYTES], key[32];
	const struct http_query *query = &c->request->query;
	struct slice body = call_raw_body(c);
	crypto_hash_sha256_state state;

	(void)crypto_hash_sha256_init(&state);
	for (unsigned i = 0; i < query->n; i++) {
		const struct http_query_item *item = &query->items[i];
		uint64_t sizes[2] = { item->name.n, item->value.n };

		(void)crypto_hash_sha256_update(&state, (const uint8_t *)sizes, sizeof(sizes));
		(void)crypto_hash_sha256_update(&state, (const uint8_t *)item->text,
						item->name.n + item->value.n);
	}
	(void)crypto_hash_sha256_update(&state, (const uint8_t *)body.p, body.n);
	(void)crypto_hash_sha256_final(&state, hash);
	secrets_derive(c->app->secrets, "idempotency", key);
	secrets_mac(key, slice_of((char *)hash, sizeof(hash)), ret);
	explicit_bzero(key, sizeof(key));
}

/* An answer fits the organisation and key that it was stored for, and no others. */
static int put_about(const struct call *c, const struct idempotency *i, struct buf *about)
{
	struct slice key = buf_data(&i->key);

	return buf_printf(about, "idempotency %u %.*s", (unsigned)c->actor.org, (int)key.n, key.p);
}

static int open_answer(struct call *c, const struct idempotency *i, struct db_result *res,
		       struct buf *out)
{
	struct buf about = { 0 };
	int r = put_about(c, i, &about);

	if (r >= 0 && db_is_null(res, 0, K_SEAL)) /* of a release that did not seal */
		r = buf_append(out, db_bytes(res, 0, K_RESPONSE));
	else if (r >= 0)
		r = secrets_open(c->app->secrets, (int)db_int(res, 0, K_SEAL), buf_data(&about),
				 db_bytes(res, 0, K_RESPONSE), out);
	buf_free(&about);
	return r;
}

static int answer_stored(struct call *c, struct idempotency *i, struct db_result *res)
{
	struct slice hash = db_bytes(res, 0, K_BODY_HASH), type = db_text(res, 0, K_TYPE);
	struct buf body = { 0 };
	char type_text[64];
	int r;

	if (!slice_eq(hash, slice_of((char *)i->body_hash, sizeof(i->body_hash))))
		return problem(c, 422, "idempotency_mismatch",
			       "this Idempotency-Key was used with another body within the last 24 "
			       "hours: use a new key");
	slice_copy(type_text, sizeof(type_text), type);
	r = open_answer(c, i, res, &body);
	if (r >= 0)
		r = http_reply_bytes(c, (unsigned)db_int(res, 0, K_STATUS), type_text,
				     buf_data(&body));
	buf_free(&body);
	put_headers(c, db_text(res, 0, K_HEADERS));
	http_reply_header(c, "Idempotency-Replayed", "true");
	return r < 0 ? r : 1;
}

int idempotency_begin(struct call *c, struct idempotency *i)
{
	struct slice given = call_header(c, "Idempotency-Key");
	OWNED(db_result) res = NULL;
	int r;

	if (!given.p || !(c->route->flags & ROUTE_IDEMPOTENT) || !c->actor.org)
		return 0;
	r = make_key(c, given, i);
	if (r >= 0)
		r = lock_key(c, i);
	if (r < 0)
		return r;
	hash_request(c, i->body_hash);
	r = db_run(c->db, &res, sql_http_answer_find, p_int(c->actor.org),
		   p_text(buf_data(&i->key)));
	if (r < 0)
		return r;
	if (r > 0)
		return answer_stored(c, i, res);
	i->on = true;
	return 0;
}

int idempotency_store(struct call *c, struct idempotency *i)
{
	struct http_reply *reply = &c->request->reply;
	struct buf headers = { 0 }, about = { 0 }, sealed = { 0 };
	int r, seal = 0;

	if (!i->on)
		return 0;
	if (buf_len(&reply->body) > STORED_MAX)
		return E_LIMIT;
	buf_putf(&headers, "%s\n", reply->type);
	for (unsigned k = 0; k < reply->n_headers; k++)
		buf_putf(&headers, "%s:%s\n", reply->headers[k].name, reply->headers[k].value);
	if (reply->version)
		buf_putf(&headers, "ETag:\"%lld\"\n", (long long)reply->version);
	r = put_about(c, i, &about);
	if (r >= 0)
		r = secrets_seal(c->app->secrets, buf_data(&about), buf_data(&reply->body), &seal,
				 &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_http_answer_store, p_int(c->actor.org),
			   p_text(buf_data(&i->key)),
			   p_bytes(slice_of((char *)i->body_hash, sizeof(i->body_hash))),
			   p_int(reply->status), p_text(buf_data(&headers)),
			   p_bytes(buf_data(&sealed)), p_int(seal));
	buf_free(&sealed);
	buf_free(&about);
	buf_free(&headers);
	return r < 0 ? r : 0;
}
