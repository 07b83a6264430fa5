/* mta/inspect/inspect.c - recipients of a lane in words, and orders that are not rules. */
#include "mta/inspect/inspect.h"

#include "message/judge/class.h"
#include "mta/site/pool.h"
#include "mta/site/way.h"

/* ---- recipients -------------------------------------------------------------------------- */

static const char *state_name(struct walk *w, const struct rcpt *r)
{
	static const char *const names[RCPT_STATES] = {
		[RCPT_ROUTING] = "routing",     [RCPT_READY] = "ready",
		[RCPT_DEFERRED] = "deferred",   [RCPT_HELD] = "held",
		[RCPT_IN_FLIGHT] = "in-flight",
	};

	return walk_is_held(w, r) ? "held" : names[r->state];
}

bool inspect_rcpt(struct walk *w, rcpt_ref ref,
		  void (*each)(void *arg, const struct inspect_rcpt *r), void *arg)
{
	struct queue *q = walk_queue(w);
	const struct rcpt *r = queue_rcpt(q, ref);
	struct inspect_rcpt out = {
		.row = r->row,
		.state = state_name(w, r),
		.attempts = r->attempts,
		.class = r->class ? judge_class_name((enum judge_class)(r->class - 1)) : "",
		.next_ms = r->state == RCPT_DEFERRED ? queue_wall_ms(q, r->due_s) : 0,
		.expires_ms = queue_wall_ms(q, r->expires_s),
	};
	struct chunk *k;

	walk_reads(w, r);
	if (chunks_get(&q->chunks, r->job, &k) < 0)
		return false;
	out.job = k->info.id;
	out.address = wire_rows_address(k->rows, r->row);
	out.accepted_ms = k->info.accepted_ms;
	out.tenant = k->info.tenant;
	out.campaign = k->info.campaign;
	each(arg, &out);
	chunks_unref(&q->chunks, k);
	return true;
}

/* ---- orders ------------------------------------------------------------------------------ */

static void end_pauses(struct way *w)
{
	bool paused = w->site && w->site->backoff_until_ms;
	struct pool *p;

	way_retry(w);
	if (!w->site)
		return;
	if (paused)
		site_forgive_hosts(w->site);
	w->site->backoff_until_ms = 0;
	list_each(&w->site->pools, p, struct pool, link) {
		if (!paused && !p->paused_until_ms)
			continue;
		pool_end_pause(p);
		pool_pump_soon(p);
	}
}

void inspect_retry(struct walk *w, rcpt_ref ref)
{
	struct queue *q = walk_queue(w);
	struct rcpt *r = queue_rcpt(q, ref);

	if (walk_is_first(w, r->domain)) /* what fails again must not be asked a thousand times */
		end_pauses(way_of(queue_domain_of(q, r)));
	if (r->state == RCPT_DEFERRED && r->attempts) /* else its sender wants it to wait */
		r->due_s = queue_now_s(q);
}

void inspect_retry_end(struct walk *w)
{
	queue_wheel_again(walk_queue(w));
}

void inspect_flush_dns(struct lane *l)
{
	struct sites *s = sites_of(l);
	const struct table *domains = &queue_of(l)->domains;

	resolver_flush(s->resolver, (struct slice){ 0 });
	for (uint32_t i = 0; i < domains->n; i++)
		if (domains->by_index[i])
			way_of(domain_at(domains, i))->fresh_until_ms = 0;
}
