#include "mta/pool.h"

#include "base/hash.h"
#include "mta/channel.h"
#include "mta/deliver.h"

enum { LIMIT_LOOK_MS = 50, OPEN_MORE_MS = 1, OPEN_AT_ONCE = 64 };

static void pump(struct turn_end *t);
static void set_starved(struct pool *p, bool starved);

static void on_timer(struct timer *t)
{
	pool_pump_soon(container_of(t, struct pool, timer));
}

struct pool *pool_get(struct site *s, unsigned index)
{
	struct pool *p;

	list_each(&s->pools, p, struct pool, link)
		if (p->index == index)
			return p;
	p = must_alloc(sizeof(*p));
	p->site = s;
	p->work = s->work;
	p->index = index;
	fair_init(&p->fair, &s->work->slab);
	list_init(&p->channels);
	list_init(&p->idle);
	list_init(&p->pump.link);
	p->pump.run = pump;
	timer_init(&p->timer, on_timer);
	p->want = (unsigned)s->work->config->site_start;
	list_push(&s->pools, &p->link);
	return p;
}

void pool_free(struct pool *p)
{
	struct list *l;

	while (!list_empty(&p->channels) && (l = p->channels.next))
		channel_free_now(container_of(l, struct channel, link));
	fair_end(&p->fair);
	set_starved(p, false);
	timer_stop(p->work->loop->timers, &p->timer);
	list_remove(&p->pump.link);
	list_remove(&p->link);
	free(p);
}

/* ---- who goes next ----------------------------------------------------------------------- */

void pool_push(struct pool *p, rcpt_ref ref, bool front)
{
	struct flow *flow = flow_at(&p->work->flows, rcpt_at(&p->work->slab, ref)->flow);

	if (fair_push(&p->fair, flow, ref, front))
		pool_pump_soon(p);
}

rcpt_ref pool_take(struct pool *p, bool bulk, struct line **ret_line)
{
	unsigned percent = (unsigned)p->work->config->transactional_share;

	return fair_take(&p->fair, percent, bulk, ret_line);
}

void pool_rules_changed(struct pool *p)
{
	fair_rules_changed(&p->fair);
	pool_pump_soon(p);
}

/* ---- connections: how many --------------------------------------------------------------- */

void pool_pump_soon(struct pool *p)
{
	if (!p->work->freeing)
		loop_at_turn_end(p->work->loop, &p->pump);
}

static unsigned kept(const struct pool *p)
{
	const struct mta_config *c = p->work->config;

	return (unsigned)limits_kept(c->site_connections, c->site_connections_kept);
}

/* All connections there may be now.  Transactional mail may open what is kept for it beyond those
 * that success has earned, but not when the site said that there are too many. */
static unsigned most_channels(const struct pool *p)
{
	int64_t earned = (int64_t)p->want + (p->congested ? 0 : kept(p));

	return (unsigned)MIN_OF(earned, p->work->config->site_connections);
}

static unsigned most_bulk_channels(const struct pool *p)
{
	unsigned most = most_channels(p), keep = kept(p);

	return most > keep ? most - keep : 1;
}

bool pool_bulk_may_start(const struct pool *p)
{
	return p->n_bulk < most_bulk_channels(p);
}

/* Those that are opening will take at least one each. */
static bool bulk_needs_channel(const struct pool *p)
{
	return p->n_channels < most_bulk_channels(p) && fair_ready(&p->fair) > p->n_opening;
}

static bool passwords_need_channel(const struct pool *p)
{
	return p->n_channels < most_channels(p) &&
	       p->fair.ready[CLASS_TRANSACTIONAL] > p->n_opening;
}

static bool needs_channel(const struct pool *p)
{
	return bulk_needs_channel(p) || passwords_need_channel(p);
}

/* ---- connections: whose ------------------------------------------------------------------ */

static int64_t slots(const struct pool *p)
{
	const struct mta_config *c = p->work->config;

	return c->site_connections - limits_kept(c->site_connections, c->site_connections_kept);
}

static unsigned share(const struct pool *p)
{
	int64_t pools = MAX_OF(atomic_load(&p->site->shared->pools), 1);

	return (unsigned)MAX_OF(slots(p) / pools, (int64_t)1);
}

bool pool_others_wait(const struct pool *p)
{
	return atomic_load_explicit(&p->site->shared->starved, memory_order_relaxed) > p->starved;
}

bool pool_may_take(const struct pool *p)
{
	bool too_few = slots(p) < atomic_load(&p->site->shared->pools);

	return p->starved || !pool_others_wait(p) || (p->n_channels < share(p) && !too_few);
}

bool pool_must_give(const struct pool *p)
{
	return pool_others_wait(p) && p->n_channels - p->n_quitting > share(p);
}

void pool_claim(struct pool *p)
{
	bool claims = p->n_channels || p->starved;

	if (claims != p->claims)
		atomic_fetch_add(&p->site->shared->pools, claims ? 1 : -1);
	p->claims = claims;
}

static bool site_is_full(const struct pool *p)
{
	return !pool_may_take(p) || atomic_load(&p->site->shared->connections) >= slots(p);
}

static void set_starved(struct pool *p, bool starved)
{
	if (starved != p->starved)
		atomic_fetch_add(&p->site->shared->starved, starved ? 1 : -1);
	p->starved = starved;
	pool_claim(p);
}

static void open_some(struct pool *p)
{
	int64_t now = timers_now(p->work->loop->timers);
	unsigned n;
	int r = 0;

	if (p->site->backoff_until_ms > now) {
		timer_set(p->work->loop->timers, &p->timer, p->site->backoff_until_ms - now);
		set_starved(p, false);
		return;
	}
	for (n = 0; n < OPEN_AT_ONCE && r == 0 && needs_channel(p); n++)
		r = channel_open(p, passwords_need_channel(p));
	if (n == OPEN_AT_ONCE && r == 0) /* the rest when others had their turn */
		timer_set(p->work->loop->timers, &p->timer, OPEN_MORE_MS);
	else if (r == E_FULL && !timer_running(&p->timer)) /* other lanes or sites hold the slots */
		timer_set(p->work->loop->timers, &p->timer, LIMIT_LOOK_MS);
	set_starved(p, r == E_FULL && p->n_channels < share(p) && site_is_full(p));
}

static void pump(struct turn_end *t)
{
	struct pool *p = container_of(t, struct pool, pump);
	struct channel *ch;

	if (p->work->freeing)
		return;
	list_each(&p->channels, ch, struct channel, link)
		if (!p->fair.ready[CLASS_TRANSACTIONAL])
			break;
		else if (!list_empty(&ch->hungry))
			channel_feed(ch); /* it need not stand in line for this */
	list_each(&p->idle, ch, struct channel, idle) {
		if (p->work->stopping)
			channel_quit(ch);
		else if (pool_has(p, pool_bulk_may_start(p)))
			channel_feed(ch);
		else
			break;
	}
	if (fair_ready(&p->fair) && !p->work->stopping)
		open_some(p);
	else
		set_starved(p, false);
}

void pool_success(struct pool *p)
{
	int64_t limit = p->work->config->site_connections;

	if (fair_ready(&p->fair) <= p->n_channels || (int64_t)p->want >= limit)
		return;
	/* Doubling a round trip until the first congestion, then one more a round of successes. */
	if (++p->successes >= (p->congested ? p->want : 1)) {
		p->successes = 0;
		p->want++;
		pool_pump_soon(p);
	}
}

void pool_congested(struct pool *p)
{
	p->congested = true;
	p->successes = 0;
	p->want = MAX_OF(p->want / 2, 1u);
}
