/* control/engine/outbox.c - orders put, and opened again by the feeder. */
#include "control/engine/outbox.h"

#include "control/engine/statements.h"

static void about_key(struct buf *about, struct slice name)
{
	buf_put(about, SLICE("engine_outbox "));
	buf_put(about, name);
}

int outbox_put(struct app *app, struct db *db, uint32_t org, enum outbox_kind kind,
	       struct slice name, struct slice value)
{
	struct buf sealed = { 0 }, about = { 0 };
	int seal_id = 0, r = 0;

	if (kind == OUTBOX_KEY && value.n) {
		about_key(&about, name);
		r = secrets_seal(app->secrets, buf_data(&about), value, &seal_id, &sealed);
		value = buf_data(&sealed);
	}
	if (r >= 0)
		r = db_run(db, NULL, sql_engine_outbox_insert, p_int(org), p_int(kind),
			   p_text(name), p_bytes(value), p_int(seal_id));
	buf_free(&about);
	buf_free(&sealed);
	return r < 0 ? r : 0;
}

int outbox_open(struct app *app, struct slice name, int seal_id, struct slice stored,
		struct buf *out)
{
	struct buf about = { 0 };
	int r;

	if (!seal_id)
		return buf_append(out, stored);
	about_key(&about, name);
	r = secrets_open(app->secrets, seal_id, buf_data(&about), stored, out);
	buf_free(&about);
	return r;
}
