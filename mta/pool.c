#include "mta/pool.h"

#include "base/hash.h"
#include "mta/channel.h"
#include "mta/deliver.h"

enum { LIMIT_LOOK_MS = 50, OPEN_MORE_MS = 1, OPEN_AT_ONCE = 64, SPARE_LINES = 16 };

static void pump(struct turn_end *t);

static void on_timer(struct timer *t)
{
	pool_pump_soon(container_of(t, struct pool, timer));
}

struct pool *pool_get(struct site *s, unsigned index)
{
	struct pool *p;

	list_each (&s->pools, p, struct pool, link)
		if (p->index == index)
			return p;
	p = must_alloc(sizeof(*p));
	p->site = s;
	p->work = s->work;
	p->index = index;
	list_init(&p->rings[0]);
	list_init(&p->rings[1]);
	list_init(&p->parked);
	list_init(&p->channels);
	list_init(&p->idle);
	list_init(&p->spare_lines);
	map_init(&p->lines);
	list_init(&p->pump.link);
	p->pump.run = pump;
	timer_init(&p->timer, on_timer);
	p->want = (unsigned)s->work->config->site_start;
	list_push(&s->pools, &p->link);
	return p;
}

void pool_free(struct pool *p)
{
	struct map_link *m;
	struct list *l;
	size_t pos;

	while (!list_empty(&p->channels) && (l = p->channels.next))
		channel_free_now(container_of(l, struct channel, link));
	for (pos = 0; (m = map_next(&p->lines, &pos, NULL)); pos = 0) {
		map_remove(&p->lines, m);
		free(container_of(m, struct line, link));
	}
	while ((l = list_pop(&p->spare_lines)) != NULL)
		free(container_of(l, struct line, ring));
	map_free(&p->lines);
	timer_stop(p->work->loop->timers, &p->timer);
	list_remove(&p->pump.link);
	list_remove(&p->link);
	free(p);
}

/* ---- lines: who goes next ------------------------------------------------------------------- */

static struct line *line_get(struct pool *p, struct flow *f)
{
	uint64_t hash = hash_mix(f->index);
	struct list *spare;
	struct line *line;

	for (struct map_link *l = map_find(&p->lines, hash); l; l = map_find_next(l)) {
		line = container_of(l, struct line, link);
		if (line->flow == f)
			return line;
	}
	spare = list_pop(&p->spare_lines);
	line = spare ? container_of(spare, struct line, ring) : must_alloc(sizeof(*line));
	*line = (struct line){ .flow = f, .parked = f->held };
	fifo_init(&line->fifo);
	map_insert(&p->lines, &line->link, hash);
	list_init(&line->ring);
	list_push(f->held ? &p->parked : &p->rings[f->class == CLASS_TRANSACTIONAL], &line->ring);
	return line;
}

/* An empty line is no longer needed: its flow may end before the next recipient comes. */
static void line_drop(struct pool *p, struct line *line)
{
	map_remove(&p->lines, &line->link);
	list_remove(&line->ring);
	list_push(&p->spare_lines, &line->ring);
}

static void line_park(struct pool *p, struct line *line, bool park)
{
	if (line->parked == park)
		return;
	line->parked = park;
	list_remove(&line->ring);
	list_push(park ? &p->parked : &p->rings[line->flow->class == CLASS_TRANSACTIONAL],
		  &line->ring);
	if (park)
		p->n_ready -= line->fifo.count;
	else
		p->n_ready += line->fifo.count;
}

void pool_push(struct pool *p, rcpt_ref ref, bool front)
{
	struct line *line =
		line_get(p, flow_at(&p->work->flows, rcpt_at(&p->work->slab, ref)->flow));

	if (front)
		fifo_push_front(&p->work->slab, &line->fifo, ref);
	else
		fifo_push(&p->work->slab, &line->fifo, ref);
	if (line->parked)
		return;
	p->n_ready++;
	pool_pump_soon(p);
}

static struct line *next_line(struct pool *p)
{
	bool other = p->run >= TRANSACTIONAL_RUN && !list_empty(&p->rings[0]);

	if (!list_empty(&p->rings[1]) && !other) {
		p->run++;
		return list_first(&p->rings[1], struct line, ring);
	}
	p->run = 0;
	return list_first(&p->rings[0], struct line, ring);
}

rcpt_ref pool_take(struct pool *p, struct line **ret_line)
{
	struct line *line = next_line(p);
	rcpt_ref ref;

	if (!line)
		return RCPT_NONE;
	ref = fifo_pop(&p->work->slab, &line->fifo);
	p->n_ready--;
	if (ret_line)
		*ret_line = line;
	if (line->fifo.count == 0) {
		line_drop(p,
			  line); /* at rest until the next push: pool_take_same sees it is empty */
	} else if (++line->burst >= BURST) {
		line->burst = 0;
		list_remove(&line->ring);
		list_push(&p->rings[line->flow->class == CLASS_TRANSACTIONAL], &line->ring);
	}
	return ref;
}

rcpt_ref pool_take_same(struct pool *p, struct line *line, job_no job)
{
	const struct rcpt *r;
	rcpt_ref ref;

	if (line->fifo.count == 0)
		return RCPT_NONE;
	r = rcpt_at(&p->work->slab, line->fifo.head);
	if (r->job != job || r->state == RCPT_DEAD)
		return RCPT_NONE;
	ref = fifo_pop(&p->work->slab, &line->fifo);
	p->n_ready--;
	if (line->fifo.count == 0)
		line_drop(p, line);
	return ref;
}

void pool_rules_changed(struct pool *p)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&p->lines, &pos, NULL); l; l = map_next(&p->lines, &pos, l)) {
		struct line *line = container_of(l, struct line, link);
		line_park(p, line, line->flow->held);
	}
	pool_pump_soon(p);
}

/* ---- connections: how many ------------------------------------------------------------------ */

void pool_pump_soon(struct pool *p)
{
	if (!p->work->freeing)
		loop_at_turn_end(p->work->loop, &p->pump);
}

static bool needs_channel(const struct pool *p)
{
	unsigned want = (unsigned)MIN_OF((int64_t)p->want, p->work->config->site_connections);

	/* Those that are opening will take at least one each. */
	return p->n_channels < want && p->n_ready > p->n_opening;
}

static void open_some(struct pool *p)
{
	int64_t now = timers_now(p->work->loop->timers);
	unsigned n;
	int r = 0;

	if (p->site->backoff_until_ms > now) {
		timer_set(p->work->loop->timers, &p->timer, p->site->backoff_until_ms - now);
		return;
	}
	for (n = 0; n < OPEN_AT_ONCE && r == 0 && needs_channel(p); n++)
		r = channel_open(p);
	if (n == OPEN_AT_ONCE && r == 0) /* the rest when others had their turn */
		timer_set(p->work->loop->timers, &p->timer, OPEN_MORE_MS);
	else if (r == E_FULL && !timer_running(&p->timer)) /* other lanes or sites hold the slots */
		timer_set(p->work->loop->timers, &p->timer, LIMIT_LOOK_MS);
}

static void pump(struct turn_end *t)
{
	struct pool *p = container_of(t, struct pool, pump);
	struct channel *ch;

	if (p->work->freeing)
		return;
	list_each (&p->channels, ch, struct channel, link)
		if (list_empty(&p->rings[1]))
			break;
		else if (!list_empty(&ch->hungry))
			channel_feed(ch); /* it need not stand in line for this */
	list_each (&p->idle, ch, struct channel, idle) {
		if (p->work->stopping)
			channel_quit(ch);
		else if (p->n_ready)
			channel_feed(ch);
		else
			break;
	}
	if (p->n_ready && !p->work->stopping)
		open_some(p);
}

void pool_success(struct pool *p)
{
	int64_t limit = p->work->config->site_connections;

	if (p->n_ready <= p->n_channels || (int64_t)p->want >= limit)
		return;
	/* Doubling a round trip until the first congestion, then one more a round of successes. */
	if (++p->successes >= (p->congested ? p->want : 1)) {
		p->successes = 0;
		p->want++;
		if (p->n_channels < p->want)
			pool_pump_soon(p);
	}
}

void pool_congested(struct pool *p)
{
	p->congested = true;
	p->successes = 0;
	p->want = MAX_OF(p->want / 2, 1u);
}
