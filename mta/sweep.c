/* mta/sweep.c - walks all recipients of the lane in slices: ends those whose time is over, and
 * those that a new cancel order names.  What is in flight is left to its session. Chunks of the
 * slab in which nobody's time is over are passed over unread. */
#include "base/clock.h"
#include "mta/outcome.h"

enum { EVERY_MS = 10 * 1000, AGAIN_MS = 2, SLICE_US = 3000, LOOK_EVERY = 256 };

static const uint16_t dsn_expired[3] = { 4, 4, 7 }, dsn_cancelled[3] = { 5, 7, 1 };

static void end_one(struct work *w, rcpt_ref ref, enum outcome_kind kind, const char *text,
		    const uint16_t *dsn)
{
	struct own_outcome o = { .kind = kind, .text = slice_str(text), .on_list = true };

	memcpy(o.dsn, dsn, sizeof(o.dsn));
	outcome_own(w, ref, &o);
}

bool sweep_cancelled(struct work *w, const struct rcpt *r, char *why, size_t cap)
{
	const struct domain *d = domain_at(&w->domains, r->domain);
	const struct flow *f = flow_at(&w->flows, r->flow);
	struct rule_subject s = {
		.tenant = f->tenant,
		.campaign = f->campaign,
		.domain = slice_of(d->name, d->name_n),
		.row = r->row,
	};
	unsigned by_job = SELECTS(SELECT_JOB) | SELECTS(SELECT_RCPT);
	struct job_info info;

	if (rules_match(w->rules, RULE_CANCEL, SELECTS_ALL & ~by_job, &s, why, cap))
		return true;
	if (!(rules_selects(w->rules, RULE_CANCEL) & by_job) ||
	    spool_job_info(w->spool, r->job, &info) < 0)
		return false;
	s.job = info.id;
	return rules_match(w->rules, RULE_CANCEL, by_job, &s, why, cap);
}

static void look_at(struct work *w, rcpt_ref ref, uint32_t now_s)
{
	struct rcpt *r = rcpt_at(&w->slab, ref);
	struct slab_chunk *c = w->slab.chunks[ref >> SLAB_BITS];
	char why[256];

	if (r->state == RCPT_FREE || r->state == RCPT_DEAD)
		return;
	if (r->state != RCPT_IN_FLIGHT && r->expires_s <= now_s)
		end_one(w, ref, OUTCOME_EXPIRED, "the message grew too old", dsn_expired);
	else if (r->state != RCPT_IN_FLIGHT && w->sweep_cancels &&
		 sweep_cancelled(w, r, why, sizeof(why)))
		end_one(w, ref, OUTCOME_CANCELLED, why, dsn_cancelled);
	else
		c->min_expires_s = MIN_OF(c->min_expires_s, r->expires_s);
}

/* False when the slice is over before the chunk is. */
static bool sweep_chunk(struct work *w, uint32_t now_s, int64_t end_us)
{
	struct slab_chunk *c = w->slab.chunks[w->sweep_at];

	if (w->sweep_in == 0) {
		if (c->min_expires_s > now_s && !w->sweep_cancels)
			return true;
		c->min_expires_s = UINT32_MAX; /* look_at() brings it down again */
	}
	while (w->sweep_in < SLAB_SIZE) {
		rcpt_ref ref = (rcpt_ref)(w->sweep_at << SLAB_BITS | w->sweep_in);
		if (ref >= w->slab.used)
			break;
		w->sweep_in++;
		look_at(w, ref, now_s);
		if (w->sweep_in % LOOK_EVERY == 0 && clock_mono_us() >= end_us)
			return false;
	}
	w->sweep_in = 0;
	return true;
}

static void finish(struct work *w)
{
	w->sweep_at = SIZE_MAX;
	w->sweep_cancels = w->sweep_again;
	if (w->sweep_again) {
		w->sweep_again = false;
		w->sweep_at = 0;
		timer_set(w->loop->timers, &w->sweep, AGAIN_MS);
		return;
	}
	timer_set(w->loop->timers, &w->sweep, EVERY_MS);
}

static void on_sweep(struct timer *t)
{
	struct work *w = container_of(t, struct work, sweep);
	int64_t end_us = clock_mono_us() + SLICE_US;
	uint32_t now_s = wall_s();

	if (w->stopping)
		return;
	if (w->sweep_at == SIZE_MAX) {
		w->sweep_at = 0;
		w->sweep_in = 0;
	}
	for (; w->sweep_at < w->slab.n_chunks; w->sweep_at++)
		if (!sweep_chunk(w, now_s, end_us) || clock_mono_us() >= end_us) {
			timer_set(w->loop->timers, t, AGAIN_MS);
			return;
		}
	finish(w);
}

void sweep_start(struct work *w, bool cancels)
{
	if (w->sweep_at != SIZE_MAX) { /* those already passed must be looked at too */
		w->sweep_again = w->sweep_again || cancels;
		return;
	}
	w->sweep_cancels = w->sweep_cancels || cancels;
	timer_set(w->loop->timers, &w->sweep, 0);
}

void sweep_init(struct work *w)
{
	w->sweep_at = SIZE_MAX;
	timer_init(&w->sweep, on_sweep);
	timer_set(w->loop->timers, &w->sweep, EVERY_MS);
}
