/* mta/deliver/deliverer.c - the deliver room as a part of the engine. */
#include "mta/deliver/deliverer.h"

#include "mta/deliver/deliver.h"
#include "mta/deliver/delivery.h"
#include "mta/deliver/outcome.h"

static int deliver_open(struct engine *e, void **ret_shared)
{
	struct message_ids *ids = must_alloc(sizeof(*ids));
	int r = message_ids_open(ids, engine_spool(e));

	if (r < 0) {
		free(ids);
		return r;
	}
	*ret_shared = ids;
	return 0;
}

static void deliver_close(void *shared)
{
	free(shared);
}

static void deliver_reload(void *state)
{
	struct deliverer *dr = state;
	const struct settings *all = engine_settings(dr->engine);

	dr->options = settings_of(all, &deliver_option_set);
	dr->returns = settings_of(all, &returnpath_option_set);
	dr->host = host_options(all);
	dr->judge = replies_judge(all);
}

static int deliver_start(struct lane *l, void **ret_state)
{
	struct deliverer *dr = must_alloc(sizeof(*dr));

	dr->lane = l;
	dr->engine = lane_engine(l);
	dr->spool = engine_spool(dr->engine);
	dr->loop = lane_loop(l);
	dr->rules = rules_of(dr->engine);
	dr->senders = senders_of(dr->engine);
	dr->returnpath = returnpath_of(dr->engine);
	dr->ids = engine_shared(dr->engine, &deliver_part);
	dr->queue = queue_of(l);
	dr->sites = sites_of(l);
	dr->tallies = tallies_of(l);
	dr->ends.decide = outcome_decide;
	dr->loads =
	    (struct site_loads){ deliver_next, deliver_done, deliver_refused, deliver_abandon };
	dr->queue->ends = &dr->ends;
	dr->sites->loads = &dr->loads;
	keyrings_init(&dr->keys);
	delivery_init(dr);
	outcome_init(dr);
	deliver_reload(dr);
	*ret_state = dr;
	return 0;
}

/* Channels end first: they give back what they have in hand. */
static void deliver_stop(void *state)
{
	struct deliverer *dr = state;

	dr->freeing = true;
	outcome_end(dr);
	sites_end_channels(dr->sites);
	delivery_free_spares(dr);
	keyrings_end(&dr->keys);
	free(dr);
}

static void forget_keys(struct lane *l, struct slice domain)
{
	struct deliverer *dr = lane_state(l, &deliver_part);

	if (dr)
		keyrings_forget(&dr->keys, domain);
}

void deliver_keys_changed(struct engine *e, struct slice domain)
{
	engine_tell_lanes(e, forget_keys, domain);
}

#define ROW(member, type, help) COUNTER_ROW(deliver_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(delivered, COUNTER, "Recipients delivered"),
	ROW(deferred, COUNTER, "Tries that were deferred"),
	ROW(bounced, COUNTER, "Recipients bounced"),
	ROW(expired, COUNTER, "Recipients expired"),
	ROW(cancelled, COUNTER, "Recipients cancelled"),
	ROW(suppressed, COUNTER, "Recipients cancelled because their address is suppressed"),
	ROW(requeued, COUNTER, "Recipients whose connection ended before they were tried"),
	ROW(in_doubt, COUNTER, "Tries whose answer after the final dot was lost"),
	ROW(recoded, COUNTER, "8-bit messages made 7-bit for a host without 8BITMIME"),
	ROW(unsigned_messages, COUNTER, "Messages that left without a DKIM signature of ours"),
	ROW(messages, COUNTER, "Transactions begun"),
	ROW(message_bytes, COUNTER, "Bytes of messages in transactions begun"),
	ROW(signatures, COUNTER, "DKIM signatures made"),
	ROW(judged, COUNTER, "Signed messages checked by libopendkim before they were sent"),
	ROW(sign_us, COUNTER, "Microseconds spent signing"),
	ROW(expansions, COUNTER, "Messages expanded from a program"),
	ROW(expand_us, COUNTER, "Microseconds spent expanding"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

static const char *class_of(unsigned i)
{
	return judge_class_name((enum judge_class)i);
}

static const struct counter_family replies = {
	.row = COUNTER_ROW(deliver_counters, replies, COUNTER,
			   "Deferrals and bounces by what the reply means"),
	.n = JUDGE_CLASSES,
	.label = "class",
	.value_of = class_of,
};

const struct part deliver_part = {
	.name = "deliver",
	.open = deliver_open,
	.start = deliver_start,
	.reload = deliver_reload,
	.stop = deliver_stop,
	.close = deliver_close,
	.counters = &counter_set,
	.family = &replies,
	.counters_at = offsetof(struct deliverer, counters),
};
