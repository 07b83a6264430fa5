/* control/suppression/suppress.c - suppresses and allows, each with the order for the engine. */
#include <stdio.h>

#include "base/encode.h"
#include "control/engine/outbox.h"
#include "control/suppression/statements.h"
#include "control/suppression/suppress.h"

static const char *const reason_names[] = {
	"",
	[SUPPRESS_MANUAL] = "manual",
	[SUPPRESS_UNSUBSCRIBED] = "unsubscribed",
	[SUPPRESS_BOUNCE] = "hard_bounce",
	[SUPPRESS_COMPLAINT] = "complaint",
	[SUPPRESS_IMPORT] = "import",
};

const char *suppress_reason_name(int reason)
{
	return reason > 0 && reason < (int)ARRAY_LEN(reason_names) ? reason_names[reason] : "";
}

bool suppress_is_optout(int reason)
{
	return reason == SUPPRESS_UNSUBSCRIBED || reason == SUPPRESS_COMPLAINT;
}

static int order(struct app *app, struct db *db, uint32_t org, const struct suppress_address *a,
		 struct slice value)
{
	struct buf name;
	int r;

	buf_init(&name, 0);
	buf_putf(&name, "suppress/%u/", org);
	r = hex_encode(&name, slice_of(a->hash, sizeof(a->hash)));
	if (r >= 0)
		r = outbox_put(app, db, org, OUTBOX_RULE, buf_data(&name), value);
	buf_free(&name);
	return r;
}

int suppress_add(struct app *app, struct db *db, uint32_t org, const struct suppress_address *a,
		 enum suppress_reason reason, const char *source, uint64_t campaign)
{
	int n = db_run(db, NULL, sql_suppression_insert, p_int(org),
		       p_bytes(slice_of(a->hash, sizeof(a->hash))), p_text(mailbox_text(&a->box)),
		       p_int(reason), p_str(source), p_int(campaign));
	int r = n > 0 ? order(app, db, org, a, SLICE("1")) : n;

	return r < 0 ? r : n;
}

int suppress_remove(struct app *app, struct db *db, uint32_t org, const struct suppress_address *a)
{
	int n = db_run(db, NULL, "DELETE FROM suppressions WHERE org_id = $1 AND email_hash = $2",
		       p_int(org), p_bytes(slice_of(a->hash, sizeof(a->hash))));
	int r = n > 0 ? order(app, db, org, a, SLICE("")) : n;

	return r < 0 ? r : n;
}
