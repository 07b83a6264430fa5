/* mta/deliver/recall.c - deliveries of the log, given to the warm-up again. */
#include "mta/deliver/recall.h"

#include "base/log.h"
#include "mta/core/engine.h"
#include "mta/shape/part.h"
#include "mta/warmup/warmup.h"
#include "spool/spool.h"

enum { EVENTS_AT_ONCE = 4096 };

struct recalling {
	struct warmup *warmup;
	struct shapes *shapes;
	uint64_t known;
};

static struct slice domain_of(struct slice address)
{
	struct slice local, domain;

	return slice_cut_last(address, '@', &local, &domain) ? domain : SLICE("");
}

/* As shapes say now. */
static struct slice provider_of(struct recalling *r, const struct outcome *o)
{
	const struct shape_subject q = { .domain = domain_of(o->rcpt), .mx = &o->host, .n_mx = 1 };

	return slice_str(shapes_provider_name(r->shapes, shapes_provider(r->shapes, &q)));
}

static int see(void *arg, const struct event *e)
{
	struct recalling *r = arg;
	struct warmup_pair *pair;
	struct ip source;

	if (e->kind != OUTCOME_DELIVERED || !e->o.host.n || ip_parse(e->o.source, &source) < 0)
		return 0;
	pair = warmup_find(r->warmup, &source, provider_of(r, &e->o));
	if (!pair)
		return 0;
	warmup_recall(pair, e->job, e->row);
	r->known++;
	return 0;
}

static int recall_start(struct lane *front, void **ret_state)
{
	struct engine *e = lane_engine(front);
	struct recalling r = { .warmup = warmup_of(e) };
	struct spool *sp = engine_spool(e);
	lsn_t from, next, end = spool_durable(sp);
	int err = 0;

	*ret_state = NULL;
	if (!warmup_has_plans(r.warmup))
		return 0;
	r.shapes = shape_copy(e);
	for (from = spool_back(sp, RECALL_BYTES); from < end && err == 0; from = next) {
		err = spool_events(sp, from, EVENTS_AT_ONCE, see, &r, &next);
		if (next == from)
			break;
	}
	if (err < 0)
		log_warn("warmup.unread", kv_err("reason", err));
	else if (r.known)
		log_info("warmup.recalled", kv_int("recipients", r.known));
	shapes_free(r.shapes);
	return 0;
}

static void recall_stop(void *state)
{
	(void)state;
}

const struct part recall_part = {
	.name = "recall",
	.front = true,
	.start = recall_start,
	.stop = recall_stop,
};
