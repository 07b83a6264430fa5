/* control/auth/key_ending.c - a week and a day before a key expires, its owner and the admins are
 * told. */
#include "base/log.h"
#include "control/auth/background.h"
#include "control/auth/key_owner.h"
#include "control/auth/statements.h"
#include "control/mail/mail.h"

enum { LOOK_MS = 5 * 1000, MOST = 100 };
enum { DUE_ORG, DUE_ID };
enum { W_NAME, W_EXPIRES, W_OWNER };

struct due {
	struct app *app;
	uint32_t org;
	int64_t key;
};

static int warn_work(struct db *db, void *arg)
{
	const struct due *d = arg;
	OWNED(db_result) res = NULL;
	int r = db_run(db, &res, sql_auth_key_warn, p_int(d->org), p_int(d->key));

	if (r <= 0)
		return r;
	const struct key_ending e = { .org = d->org,
				      .owner = (uint64_t)db_int(res, 0, W_OWNER),
				      .names = db_text(res, 0, W_NAME),
				      .at_ms = db_int(res, 0, W_EXPIRES),
				      .why = "expires" };
	return key_owner_tell(d->app, db, &e);
}

static int ending_step(struct worker *w)
{
	OWNED(db_result) res = NULL;
	int n = mail_on(w->app) ? db_run(w->ingest, &res, sql_auth_keys_ending, p_int(MOST)) : 0;

	for (int i = 0; i < n && !worker_stopping(w); i++) {
		struct due d = { w->app, (uint32_t)db_int(res, (unsigned)i, DUE_ORG),
				 db_int(res, (unsigned)i, DUE_ID) };
		int r = db_tx(w->api, d.org, warn_work, &d);

		if (r < 0)
			return r;
	}
	return n < 0 ? n : n == MOST;
}

const struct worker_row key_ending_worker = {
	.name = "key ending",
	.step = ending_step,
	.idle_ms = LOOK_MS,
	.retry_ms = LOOK_MS,
	.failed = "keys.ending",
};
