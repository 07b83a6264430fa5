/* control/domains/refill.c - every signing key as an order, for an engine that has none. */
#include "base/log.h"
#include "control/domains/background.h"
#include "control/domains/private.h"
#include "control/domains/statements.h"
#include "control/engine/outbox.h"

enum { K_ORG, K_DOMAIN, K_NAME, K_SELECTOR, K_PRIVATE, K_SEAL };

static int order_key(struct app *app, struct db *ingest, struct db_result *keys, unsigned i)
{
	struct buf name = { 0 }, pem = { 0 };
	uint32_t org = (uint32_t)db_int(keys, i, K_ORG);
	char selector[64];
	int r;

	slice_copy(selector, sizeof(selector), db_text(keys, i, K_SELECTOR));
	r = sender_key_open(app, org, (uint64_t)db_int(keys, i, K_DOMAIN), selector,
			    (int)db_int(keys, i, K_SEAL), db_bytes(keys, i, K_PRIVATE), &pem);
	buf_put(&name, db_text(keys, i, K_NAME));
	buf_putf(&name, " %s", selector);
	if (r < 0) { /* it stays as it is: the engine may have it in its folder of keys */
		log_error("key.unreadable", kv_slice("name", buf_data(&name)), kv_err("error", r));
		r = 0;
	} else {
		r = outbox_put(app, ingest, org, OUTBOX_KEY, buf_data(&name), buf_data(&pem));
	}
	sender_key_wipe(&pem);
	buf_free(&name);
	return r;
}

static int refill(struct app *app, struct db *ingest)
{
	OWNED(db_result) keys = NULL;
	int n = db_run(ingest, &keys, sql_domains_key_refill), r = 0;

	for (unsigned i = 0; n > 0 && i < db_rows(keys) && r >= 0; i++)
		r = order_key(app, ingest, keys, i);
	return n < 0 ? n : r;
}

const struct meet_refill domains_refill = { "signing keys", refill };
