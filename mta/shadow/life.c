/* mta/shadow/life.c - the second life of a group's recipients: due, tried, told what they were
 * told, and what follows from it. */
#include "mta/shadow/inside.h"

enum { STRIKES = 3, TIMES_MAX = 8 }; /* as mta/site/suspend.h */
static const int64_t LIFE_MS = 5LL * 86400000;
static const struct shape_schedule usual = {
	.ms = { 300000, 600000, 1200000, 1800000, 3600000, 7200000, 14400000 }, .n = 7
};

/* Who is due next: a heap by time, then by arrival. */
struct shadow_life {
	struct shadow *s;
	struct shadow_busy *g;
	struct shadow_due {
		int64_t at_ms;
		uint32_t rcpt;
	} * heap;
	uint32_t n;
	struct adapt_bounds bounds;
};

static bool before(const struct shadow_due *a, const struct shadow_due *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->rcpt < b->rcpt;
}

static void push(struct shadow_life *l, int64_t at_ms, uint32_t rcpt)
{
	const struct shadow_due d = { at_ms, rcpt };
	uint32_t i = l->n++;

	for (; i && before(&d, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		l->heap[i] = l->heap[(i - 1) / 2];
	l->heap[i] = d;
}

static struct shadow_due pop(struct shadow_life *l)
{
	const struct shadow_due first = l->heap[0], last = l->heap[--l->n];
	uint32_t i = 0, child;

	while ((child = 2 * i + 1) < l->n) {
		if (child + 1 < l->n && before(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (!before(&l->heap[child], &last))
			break;
		l->heap[i] = l->heap[child];
		i = child;
	}
	l->heap[i] = last;
	return first;
}

/* ---- pace -------------------------------------------------------------------------------- */

static int64_t least_rate(int64_t a, int64_t b)
{
	return !a ? b : !b ? a : MIN_OF(a, b);
}

/* Milliseconds between two messages of the source. */
static double gap_ms(const struct shadow_life *l, const struct shadow_source *src)
{
	const int64_t *v = l->g->shape.v;
	int64_t most = MIN_OF(v[SHAPE_CONNECTIONS], v[SHAPE_PROVIDER_CONNECTIONS]);
	int64_t rate = least_rate(v[SHAPE_RATE], v[SHAPE_PROVIDER_RATE]);
	double speed;

	if (v[SHAPE_ADAPTIVE]) {
		most = MIN_OF(most, (int64_t)src->adapt.window);
		rate = least_rate(rate, src->adapt.rate);
	}
	speed = l->g->facts.best * (double)most;
	if (rate)
		speed = MIN_OF(speed, (double)rate / 86400000);
	return 1 / speed;
}

/* When the source may send at the earliest. */
static int64_t may_send_ms(const struct shadow_life *l, const struct shadow_source *src)
{
	int64_t closed = l->g->shape.v[SHAPE_ADAPTIVE] ? src->adapt.closed_until_ms : 0;

	return MAX_OF((int64_t)src->next_ms, MAX_OF(closed, src->until_ms));
}

/* ---- what follows from a reply ----------------------------------------------------------- */

/* As meaning_is_trouble() in mta/deliver has it, for what a record still tells. */
static bool is_trouble(const struct shadow_reply *r)
{
	if (!r->code || r->kind == OUTCOME_DELIVERED)
		return false;
	return r->class == JUDGE_RATE_LIMITED || r->class == JUDGE_SPAM_BLOCK || r->code == 421 ||
	       r->action == JUDGE_SLOW || (r->class == JUDGE_POLICY && r->code < 500);
}

static void suspend(struct shadow_life *l, struct shadow_source *src, const struct shadow_reply *r,
		    int64_t now)
{
	int64_t for_ms;

	if (++src->strikes < STRIKES && !src->times)
		return;
	src->times = MIN_OF(MAX_OF(src->times * 2, 1u), (unsigned)TIMES_MAX);
	for_ms = (int64_t)r->for_s * 1000 * src->times;
	src->until_ms = now + for_ms;
	src->strikes = 0;
	l->g->facts.suspensions++;
	l->g->facts.suspended_ms += for_ms;
}

static void steer(struct shadow_life *l, struct shadow_source *src, const struct shadow_reply *r,
		  int64_t now)
{
	if (r->kind == OUTCOME_DELIVERED) {
		src->strikes = src->times = 0;
		adapt_good(&src->adapt, &l->bounds, 1, l->n > 0, now);
	} else if (is_trouble(r)) {
		l->g->facts.walls +=
		    adapt_bad(&src->adapt, &l->bounds, (int64_t)r->named_s * 1000, now);
	} else {
		adapt_answered(&src->adapt, now);
	}
	if (r->action == JUDGE_SUSPEND_SOURCE && r->kind != OUTCOME_DELIVERED && r->code)
		suspend(l, src, r, now);
}

static bool is_kept(const struct shadow_reply *r)
{
	const struct judge_action a = { .kind = (enum judge_action_kind)r->action };

	if (r->kind == OUTCOME_BOUNCED)
		return r->code && judge_action_keeps(a);
	return r->code >= 500 || !r->code || judge_action_keeps(a);
}

static int64_t next_ms(const struct shadow_life *l, const struct shadow_rcpt *rcpt,
		       const struct shadow_reply *r, int64_t now)
{
	const struct shape_schedule *steps = l->g->shape.retry.n ? &l->g->shape.retry : &usual;

	if (r->named_s && r->action == JUDGE_RETRY_NAMED)
		return now + (int64_t)r->named_s * 1000;
	return now + steps->ms[MIN_OF(rcpt->tries, steps->n) - 1];
}

static int64_t life_ms(const struct shadow_life *l)
{
	return l->g->shape.v[SHAPE_LIFE] ? l->g->shape.v[SHAPE_LIFE] : LIFE_MS;
}

/* It is to be tried again: with the next reply, if there is one. */
static void again(struct shadow_life *l, struct shadow_rcpt *rcpt, const struct shadow_reply *r,
		  uint32_t i, int64_t now)
{
	struct shadow_group *f = &l->g->facts;
	int64_t next = next_ms(l, rcpt, r, now);

	f->deferred++;
	if (next >= rcpt->accepted_ms + life_ms(l)) {
		f->expired++;
		f->drained_ms = MAX_OF(f->drained_ms, rcpt->accepted_ms + life_ms(l));
	} else if (r->next == SHADOW_NONE) {
		f->open++;
	} else {
		rcpt->first = r->next;
		push(l, next, i);
	}
}

static void hear(struct shadow_life *l, uint32_t i, int64_t now)
{
	struct shadow_rcpt *rcpt = &l->s->rcpts[i];
	const struct shadow_reply *r = &l->s->replies[rcpt->first];
	struct shadow_source *src = &l->g->sources[r->source];
	struct shadow_group *f = &l->g->facts;

	if (r->kind == OUTCOME_EXPIRED || r->kind == OUTCOME_CANCELLED) {
		f->expired += r->kind == OUTCOME_EXPIRED;
		f->drained_ms = MAX_OF(f->drained_ms, now);
		return;
	}
	f->attempts++;
	rcpt->tries++;
	src->next_ms = MAX_OF(src->next_ms, (double)now) + gap_ms(l, src);
	steer(l, src, r, now);
	if (r->kind != OUTCOME_DELIVERED && is_kept(r)) {
		again(l, rcpt, r, i, now);
		return;
	}
	f->delivered += r->kind == OUTCOME_DELIVERED;
	f->bounced += r->kind != OUTCOME_DELIVERED;
	f->drained_ms = MAX_OF(f->drained_ms, now);
}

/* ---- a group ----------------------------------------------------------------------------- */

static void begin_sources(struct shadow_life *l)
{
	const int64_t *v = l->g->shape.v;
	int64_t most = MIN_OF(v[SHAPE_CONNECTIONS], v[SHAPE_CONNECTIONS_PER_SOURCE]);

	l->bounds = (struct adapt_bounds){
		.start = (unsigned)v[SHAPE_CONNECTIONS_START],
		.floor = (unsigned)v[SHAPE_ADAPTIVE_FLOOR],
		.most = (unsigned)most,
		.rate_floor = v[SHAPE_ADAPTIVE_RATE],
	};
	for (unsigned i = 0; i < l->g->n_sources; i++)
		adapt_begin(&l->g->sources[i].adapt, &l->bounds, l->g->facts.first_ms);
}

void life_run(struct shadow *s, uint32_t group, uint32_t *rcpts, uint32_t n)
{
	struct shadow_life l = { .s = s, .g = s->groups[group] };

	l.heap = must_alloc((n + 1) * sizeof(*l.heap));
	begin_sources(&l);
	for (uint32_t i = 0; i < n; i++)
		push(&l, s->rcpts[rcpts[i]].accepted_ms, rcpts[i]);
	while (l.n) {
		struct shadow_due d = pop(&l);
		const struct shadow_reply *r = &s->replies[s->rcpts[d.rcpt].first];
		int64_t may = may_send_ms(&l, &l.g->sources[r->source]);
		if (may > d.at_ms)
			push(&l, may, d.rcpt);
		else
			hear(&l, d.rcpt, d.at_ms);
	}
	free(l.heap);
}
