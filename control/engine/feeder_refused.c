/* control/engine/feeder_refused.c - what follows when the engine knows an id with other bytes. */
#include "base/log.h"
#include "control/engine/feeder.h"
#include "control/engine/options.h"

enum { OPEN_MS = 5000 };

/* A connection whose WELCOME says how far the log is durable now. */
static int ask_durable(struct feeder *f, uint64_t *ret)
{
	OWNED(carrier) link = NULL;
	int r = carrier_open(&link, carrier_options(f->w->app)->socket, SLICE(""), OPEN_MS);

	if (r >= 0)
		*ret = carrier_welcome(link)->durable;
	return r;
}

/* The engine may have taken the piece itself from another process, before a contact of it was
 * changed.  Its acceptance is then among the events, so these are waited for before it is judged.
 * Those refused meanwhile are sent again, and judged then. */
int feeder_refused_step(struct feeder *f)
{
	uint64_t durable = 0;
	int r;

	if (!f->refused.org)
		return 0;
	r = ask_durable(f, &durable);
	if (r >= 0)
		r = feeder_wait_for_books(f, durable);
	if (r >= 0)
		r = feeder_source->refused(f->w->ingest, &f->refused, f->refused_first);
	if (r > 0)
		log_error("feed.stopped", kv_int("campaign", f->refused.campaign),
			  kv_int("first", f->refused_first),
			  kv_str("why", "the engine has other mail under its ids"));
	f->refused.org = 0;
	return r < 0 ? r : 0;
}
