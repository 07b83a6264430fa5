/* control/tracking/leave_worker.c - brings what waits in the box into the database. */
#include "base/log.h"
#include "control/tracking/background.h"
#include "control/tracking/leave.h"
#include "control/tracking/leave_box.h"

enum { IDLE_MS = 500, RETRY_MS = 1000 };

/* E_DENIED: its ticket is not one of ours. */
static int apply(void *arg, const struct leave_record *record)
{
	struct worker *w = arg;
	struct leave l = { .one_click = record->one_click, .at_ms = record->at_ms };
	struct ticket_key key;
	int r = ticket_key_load(w->app, &key);

	if (r < 0)
		return r;
	if (ticket_open(&key, slice_str(record->ticket), &l.who) < 0)
		return E_DENIED;
	if (worker_stopping(w))
		return -EAGAIN;
	r = db_tx(w->api, l.who.org, leave_work, &l);
	if (r == E_UNKNOWN || r == E_SYNTAX) {
		log_warn("unsubscribe.nobody", kv_int("org", l.who.org),
			 kv_int("campaign", l.who.campaign), kv_err("reason", r));
		return 0;
	}
	return r == E_DENIED ? E_DB : r < 0 ? r : 0;
}

static int leave_step(struct worker *w)
{
	struct leave_box *box = leave_box_of(w->app);
	struct leave_box_sums sums = { 0 };
	int r = box ? leave_box_empty(box, apply, w, &sums) : 0;

	if (r <= 0 || !(sums.taken + sums.damaged + sums.refused))
		return r;
	log_info("unsubscribe.applied", kv_int("taken", sums.taken),
		 kv_int("damaged", sums.damaged));
	if (sums.refused)
		log_error("unsubscribe.refused", kv_int("records", sums.refused),
			  kv_str("why",
				 "they were made with other secrets: see secrets.key_file; the "
				 "file is kept in data.dir"));
	return r;
}

const struct worker_row tracking_leave_worker = {
	.name = "leave",
	.step = leave_step,
	.idle_ms = IDLE_MS,
	.retry_ms = RETRY_MS,
	.failed = "unsubscribe.waiting",
};
