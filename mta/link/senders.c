/* mta/link/senders.c - facts about senders and suppressions, as the control plane brings them. */
#include "base/log.h"
#include "mta/link/client.h"
#include "mta/senders/senders.h"

int uplink_client_facts(struct uplink_client *c, const struct link_frame *f)
{
	struct engine *e = c->server->engine;
	struct senders *s = senders_of(e);
	struct slice facts = f->facts.packed;
	int r = E_SYNTAX;

	if (f->facts.step == LINK_FACTS_CHANGE)
		r = senders_change(s, facts);
	else if (f->facts.step == LINK_FACTS_EQUAL)
		r = senders_equal(s, facts);
	else if (f->facts.step == LINK_FACTS_BEGIN)
		r = senders_begin(s, c, facts);
	else if (f->facts.step == LINK_FACTS_MORE)
		r = senders_more(s, c, facts);
	else if (f->facts.step == LINK_FACTS_END)
		r = senders_end(s, c);
	if (r == 0 && f->facts.step == LINK_FACTS_END)
		log_info("senders.set", kv_int("domains", senders_facts(s).control.senders),
			 kv_int("suppressions", senders_facts(s).control.stops_all +
						    senders_facts(s).control.stops_bulk));
	if (r == 0) /* they are synced; the log has no part in it */
		uplink_client_acknowledge(c, f->request, spool_durable(engine_spool(e)));
	return r;
}
