/* mta/site/pool.c - who goes next; how many connections, and which pool gets them. */
#include "mta/site/pool.h"

#include "base/log.h"
#include "base/random.h"
#include "mta/site/caps.h"
#include "mta/site/channel.h"
#include "mta/site/fallback.h"
#include "mta/site/lids.h"
#include "mta/site/own.h"
#include "mta/site/pair.h"
#include "mta/site/provider.h"
#include "mta/site/shaping.h"
#include "mta/site/sorting.h"
#include "mta/site/steer.h"
#include "mta/site/warming.h"

enum { LIMIT_LOOK_MS = 50, OPEN_MORE_MS = 1, OPEN_AT_ONCE = 32 };

static void pump(struct turn_end *t);
static void set_starved(struct pool *p, bool starved);

static void on_timer(struct timer *t)
{
	pool_pump_soon(container_of(t, struct pool, timer));
}

static void on_turn_timer(struct timer *t)
{
	pool_pump_soon(container_of(t, struct pool, turn_timer));
}

static void open_shut(struct pool *p, int64_t now_ms)
{
	struct timers *timers = p->sites->loop->timers;
	int64_t next = fair_open(&p->fair, now_ms);

	if (next)
		timer_set(timers, &p->shut_timer, MAX_OF(next - sites_now(p->sites), (int64_t)1));
	else
		timer_stop(timers, &p->shut_timer);
	pool_pump_soon(p);
}

static void on_shut_timer(struct timer *t)
{
	struct pool *p = container_of(t, struct pool, shut_timer);

	open_shut(p, sites_now(p->sites));
}

void pool_shut(struct pool *p, const struct flow *flow, int64_t ms)
{
	int64_t now = sites_now(p->sites);

	fair_shut(&p->fair, flow, now + ms);
	open_shut(p, now);
}

struct pool *pool_get(struct site *s, unsigned index)
{
	struct pool *p;

	list_each(&s->pools, p, struct pool, link)
		if (p->index == index)
			return p;
	p = must_alloc(sizeof(*p));
	p->site = s;
	p->sites = s->sites;
	p->index = p->lender = index;
	fair_init(&p->fair, &s->sites->queue->slab);
	list_init(&p->channels);
	list_init(&p->idle);
	map_init(&p->lids);
	list_init(&p->owns);
	list_init(&p->pump.link);
	p->pump.run = pump;
	timer_init(&p->timer, on_timer);
	timer_init(&p->turn_timer, on_turn_timer);
	timer_init(&p->shut_timer, on_shut_timer);
	sorting_init(p);
	caps_init(p);
	shaping_pool(p);
	p->want = steer_want(p);
	list_push(&s->pools, &p->link);
	return p;
}

void pool_end_channels(struct pool *p)
{
	struct list *l;

	while (!list_empty(&p->channels) && (l = p->channels.next))
		channel_free_now(container_of(l, struct channel, link));
}

void pool_free(struct pool *p)
{
	pool_end_channels(p);
	fair_end(&p->fair);
	lids_forget(p);
	map_free(&p->lids);
	own_forget(p);
	set_starved(p, false);
	provider_leave(p);
	shaping_idle(p);
	timer_stop(p->sites->loop->timers, &p->timer);
	timer_stop(p->sites->loop->timers, &p->turn_timer);
	timer_stop(p->sites->loop->timers, &p->shut_timer);
	sorting_end(p);
	caps_end(p);
	turns_end(&p->turns);
	if (p->lender != p->index)
		count_sub(&p->sites->counters.pools_on_fallback, 1);
	list_remove(&p->pump.link);
	list_remove(&p->link);
	free(p);
}

/* ---- who goes next ----------------------------------------------------------------------- */

void pool_push(struct pool *p, rcpt_ref ref, bool front)
{
	const struct queue_move ready = { .to = RCPT_READY, .fair = &p->fair, .front = front };

	if (queue_move(p->sites->queue, ref, ready))
		pool_pump_soon(p);
}

struct pool_source {
	struct rcpt_source source;
	struct pool *pool;
	bool bulk;
	struct line *line;
};

static rcpt_ref engaged_of_pool(struct rcpt_source *s)
{
	struct pool_source *from = container_of(s, struct pool_source, source);

	return fair_take_engaged(&from->pool->fair, from->bulk, &from->line);
}

static rcpt_ref next_of_pool(struct rcpt_source *s)
{
	struct pool_source *from = container_of(s, struct pool_source, source);
	int64_t percent = from->pool->shape.v[SHAPE_TRANSACTIONAL_SHARE];

	return fair_take(&from->pool->fair, (unsigned)percent, from->bulk, &from->line);
}

static rcpt_ref next_of(struct pool_source *turn, unsigned *looks, struct line **ret_line)
{
	rcpt_ref ref = queue_next(turn->pool->sites->queue, &turn->source);

	*looks = turn->source.looks;
	if (ret_line)
		*ret_line = turn->line;
	return ref;
}

rcpt_ref pool_next(struct pool *p, bool bulk, unsigned *looks, struct line **ret_line)
{
	struct pool_source turn = { { next_of_pool, *looks }, p, bulk, NULL };

	return next_of(&turn, looks, ret_line);
}

rcpt_ref pool_next_engaged(struct pool *p, bool bulk, unsigned *looks, struct line **ret_line)
{
	struct pool_source turn = { { engaged_of_pool, *looks }, p, bulk, NULL };
	rcpt_ref ref = next_of(&turn, looks, ret_line);

	return ref != RCPT_NONE || !*looks ? ref : pool_next(p, bulk, looks, ret_line);
}

rcpt_ref pool_next_same(struct pool *p, struct line *line, job_no job)
{
	return fair_take_same(&p->fair, line, job); /* never a dead one */
}

void pool_decide(struct pool *p, const struct decision *d, unsigned n)
{
	struct queue_ends *ends = p->sites->queue->ends;
	rcpt_ref ref;

	while (n && (ref = pool_next(p, true, &n, NULL)) != RCPT_NONE)
		ends->decide(ends, ref, d);
}

/* What an order moved to other pools goes there as it waits. */
static void hand_over(struct pool *p)
{
	struct flow *strays[64];
	unsigned n;

	while ((n = fair_strays(&p->fair, p->index, strays, ARRAY_LEN(strays))) > 0)
		while (n) {
			struct flow *f = strays[--n];
			struct pool *to = pool_get(p->site, f->to_pool);
			fair_hand_over(&p->fair, &to->fair, f);
			pool_pump_soon(to);
		}
}

void pool_rules_changed(struct pool *p)
{
	if (queue_moves_finely(p->sites->queue))
		sorting_rules_changed(p);
	else
		hand_over(p);
	fair_rules_changed(&p->fair);
	pool_pump_soon(p);
}

/* ---- connections: how many --------------------------------------------------------------- */

void pool_pump_soon(struct pool *p)
{
	if (!p->sites->freeing)
		loop_at_turn_end(p->sites->loop, &p->pump);
}

static unsigned kept(const struct pool *p)
{
	const int64_t *v = p->shape.v;

	return (unsigned)limits_kept(v[SHAPE_CONNECTIONS], v[SHAPE_CONNECTIONS_KEPT]);
}

/* The number of connections that may be open now.  Transactional mail may open the kept ones beyond
 * those that success has earned, unless the site said that there are too many. */
static unsigned most_channels(const struct pool *p)
{
	unsigned want = p->congested ? p->want : MAX_OF(p->want, p->turns.n);
	int64_t earned = (int64_t)want + (p->congested ? 0 : kept(p));

	return (unsigned)MIN_OF(earned, p->shape.v[SHAPE_CONNECTIONS]);
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

/* Each channel that is opening will take at least one. */
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

/* ---- the sources' turns ------------------------------------------------------------------ */

static bool may_open(const struct pool *p)
{
	return p->n_channels < most_bulk_channels(p) ||
	       (p->fair.ready[CLASS_TRANSACTIONAL] && p->n_channels < most_channels(p));
}

bool pool_may_send(struct pool *p, unsigned turn)
{
	int64_t now = sites_now(p->sites);

	if (turns_may_take(&p->turns, turn))
		return true;
	if (turn == TURN_NONE || !fair_ready(&p->fair))
		return false;
	turns_refused(&p->turns, now);
	if (!timer_running(&p->turn_timer))
		timer_set(p->sites->loop->timers, &p->turn_timer, TURNS_PATIENCE_MS);
	return false;
}

void pool_sent(struct pool *p, unsigned turn)
{
	if (turn == TURN_NONE)
		return;
	egress_count(p->sites->egress, &p->turns.at[turn]);
	turns_took(&p->turns, turn);
	if (p->turns.n > 1 && fair_ready(&p->fair))
		pool_pump_soon(p); /* it is another one's turn */
}

static unsigned siblings(const struct pool *p, const struct channel *ch)
{
	return ch->turn == TURN_NONE ? UINT32_MAX : p->turns.at[ch->turn].channels;
}

/* An idle connection makes room for a source that has none: one of the source with the most. */
static void make_room(struct pool *p)
{
	struct channel *ch, *last = NULL;

	if (p->n_quitting)
		return; /* there is room soon */
	list_each(&p->idle, ch, struct channel, idle)
		if (!turns_may_take(&p->turns, ch->turn) &&
		    (!last || siblings(p, ch) > siblings(p, last)))
			last = ch;
	if (last)
		channel_quit(last);
}

/* Those that cannot take their turn are not waited for. */
static void look_at_turns(struct pool *p)
{
	struct turns *t = &p->turns;
	unsigned first;

	t->crowded = false;
	if (t->n < 2)
		return;
	if (turns_is_late(t, sites_now(p->sites)))
		turns_pass_over(t, turns_first(t));
	while ((first = turns_first(t)) != TURN_NONE &&
	       (!t->at[first].channels || warmup_rests(t->at[first].warmup)) &&
	       !pair_possible(p, first))
		turns_pass_over(t, first);
	t->crowded = first != TURN_NONE && !t->at[first].channels && !may_open(p);
}

void pool_rest_turns(struct pool *p)
{
	if (!p->n_channels && !fair_ready(&p->fair))
		turns_end(&p->turns);
}

static unsigned turn_of(const struct pool *p, const struct channel *ch)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		if (p->turns.at[i].source == ch->source &&
		    strcmp(p->turns.at[i].entry->ehlo, ch->ehlo) == 0)
			return i;
	return TURN_NONE;
}

static void find_turn(struct pool *p, struct channel *ch)
{
	ch->turn = turn_of(p, ch);
	if (ch->turn == TURN_NONE) {
		if (egress_is_disabled(p->sites->egress, ch->source))
			channel_cut(ch);
		else
			channel_quit(ch); /* after what it has in hand */
		return;
	}
	p->turns.at[ch->turn].channels++;
	p->turns.at[ch->turn].opening += !ch->ready_once;
}

void pool_new_sources(struct pool *p)
{
	struct channel *ch;

	if (!p->turns.at)
		return;
	turns_end(&p->turns);
	if (!p->n_channels)
		return;
	(void)egress_begin_turns(p->sites->egress, p->index, p->lender, &p->turns);
	warming_begin(p);
	list_each(&p->channels, ch, struct channel, link)
		find_turn(p, ch);
}

/* ---- connections: whose ------------------------------------------------------------------ */

static int64_t slots_shared(const struct pool *p)
{
	return MIN_OF(p->shape.v[SHAPE_CONNECTIONS] - kept(p), (int64_t)MAX_OF(p->want, 1u));
}

static unsigned share(const struct pool *p)
{
	int64_t pools = MAX_OF(atomic_load(&p->shared->pools), 1);

	return (unsigned)MAX_OF(slots_shared(p) / pools, (int64_t)1);
}

bool pool_others_wait(const struct pool *p)
{
	return atomic_load_explicit(&p->shared->starved, memory_order_relaxed) > p->starved;
}

bool pool_may_take(const struct pool *p)
{
	bool too_few = slots_shared(p) < atomic_load(&p->shared->pools);

	return p->starved || !pool_others_wait(p) || (p->n_channels < share(p) && !too_few);
}

/* While others wait: its share, and for transactional mail those that are kept. */
static unsigned may_hold(const struct pool *p)
{
	return share(p) + (p->fair.ready[CLASS_TRANSACTIONAL] ? kept(p) : 0);
}

bool pool_must_give(const struct pool *p)
{
	return pool_others_wait(p) && p->n_channels - p->n_quitting > may_hold(p);
}

bool pool_may_take_kept(const struct pool *p)
{
	return p->starved || !pool_others_wait(p) || p->n_channels - p->n_quitting < may_hold(p);
}

void pool_claim(struct pool *p)
{
	bool claims = p->n_channels || p->starved;

	if (claims != p->claims)
		atomic_fetch_add(&p->shared->pools, claims ? 1 : -1);
	p->claims = claims;
}

static bool site_is_full(const struct pool *p)
{
	return !pool_may_take(p) || atomic_load(&p->shared->connections) >= slots_shared(p);
}

static void set_starved(struct pool *p, bool starved)
{
	if (starved != p->starved)
		atomic_fetch_add(&p->shared->starved, starved ? 1 : -1);
	p->starved = starved;
	pool_claim(p);
}

void pool_share(struct pool *p, struct site_limits *shared)
{
	if (p->shared == shared)
		return;
	set_starved(p, false);
	if (p->claims)
		atomic_fetch_sub(&p->shared->pools, 1);
	p->claims = false;
	p->shared = shared;
	pool_claim(p);
}

/* What stopped a tenant may be another limit now. */
void pool_tenants_changed(struct pool *p)
{
	lids_forget(p);
	open_shut(p, INT64_MAX);
}

/* Where it waited may be none of its doors any more. */
void pool_reshape(struct pool *p)
{
	struct channel *ch;

	provider_leave(p);
	shaping_idle(p);
	own_forget(p);
	shaping_pool(p);
	warming_look_at(p); /* its provider may be another one */
	list_each(&p->channels, ch, struct channel, link)
		channel_reshape(ch);
	pool_tenants_changed(p);
}

static int64_t paused_until(const struct pool *p)
{
	return MAX_OF(p->site->backoff_until_ms, p->paused_until_ms);
}

/* Connections would be open, or open and end again, for nothing. */
static bool waits_for_pace(struct pool *p)
{
	int64_t wait_us = 0;

	if (!p->paced || shaping_may_send(p, &wait_us))
		wait_us = p->congested ? steer_wait_us(p) : 0;
	if (!wait_us)
		wait_us = own_wait_us(p);
	if (!wait_us)
		return false;
	timer_set(p->sites->loop->timers, &p->timer, wait_us / 1000 + 1);
	return true;
}

static bool is_paused(struct pool *p, int64_t now)
{
	if (paused_until(p) <= now)
		return waits_for_pace(p);
	timer_set(p->sites->loop->timers, &p->timer, paused_until(p) - now);
	return true;
}

/* For whoever is next; E_UNKNOWN: caps let nobody go now. */
static int open_one(struct pool *p)
{
	bool transactional = passwords_need_channel(p);
	struct caps_hold seats;
	int r;

	if (!caps_may_open(p, !transactional || bulk_needs_channel(p), &seats))
		return E_UNKNOWN;
	r = channel_open(p, transactional, &seats);
	if (r < 0)
		caps_hold_end(&seats);
	return r;
}

/* When many sites are released together, each of them would begin its connections in one turn of
 * the lane.  Passwords wait for no others. */
static bool may_begin(struct pool *p)
{
	struct sites *s = p->sites;
	int64_t now = sites_now(s);

	if (s->opening_ms != now)
		s->n_begun = 0;
	s->opening_ms = now;
	if (s->n_begun >= OPEN_AT_ONCE && !passwords_need_channel(p))
		return false;
	s->n_begun++;
	return true;
}

static void open_some(struct pool *p)
{
	unsigned opening_max = shaping_opening_max(p);
	bool may = true;
	int r = 0;

	if (is_paused(p, sites_now(p->sites))) {
		set_starved(p, false);
		provider_leave(p);
		return;
	}
	while (may && r == 0 && p->n_opening < opening_max && needs_channel(p)) {
		may = may_begin(p);
		r = may ? open_one(p) : 0;
	}
	if (!may) /* the rest after others had their turn */
		timer_set(p->sites->loop->timers, &p->timer, OPEN_MORE_MS);
	else if (r == E_FULL && !timer_running(&p->timer)) /* others hold the slots */
		timer_set(p->sites->loop->timers, &p->timer, LIMIT_LOOK_MS);
	set_starved(p, r == E_FULL && p->n_channels < share(p) && site_is_full(p));
	if (r == E_FULL)
		provider_wait(p);
	else
		provider_leave(p);
}

static void pump(struct turn_end *t)
{
	struct pool *p = container_of(t, struct pool, pump);
	struct channel *ch;

	if (p->sites->freeing)
		return;
	p->want = steer_want(p);
	p->congested = steer_troubled(p);
	fallback_look(p);
	look_at_turns(p);
	list_each(&p->channels, ch, struct channel, link)
		if (!p->fair.ready[CLASS_TRANSACTIONAL])
			break;
		else if (!list_empty(&ch->hungry))
			channel_feed(ch); /* it need not wait in line for this */
	list_each(&p->idle, ch, struct channel, idle) {
		if (p->sites->stopping)
			channel_quit(ch);
		else if (pool_has(p, pool_bulk_may_start(p)))
			channel_feed(ch);
		else
			break;
	}
	if (p->turns.crowded && fair_ready(&p->fair))
		make_room(p);
	if (fair_ready(&p->fair) && !p->sites->stopping) {
		open_some(p);
	} else {
		set_starved(p, false);
		provider_leave(p);
		shaping_idle(p);
	}
}

/* ---- pauses because of our sources -------------------------------------------------------- */

enum { SUSPENDED_LOOK_MS = 100 };
enum { PAUSE_RECORDS = 100 }; /* tries recorded each time a pool pauses */

/* The trouble is ours, so the site and its other pools go on. */
void pool_pause(struct pool *p, unsigned why)
{
	const int64_t *v = p->site->shape.v;
	char text[400];
	struct decision d = { .kind = OUTCOME_DEFERRED, .status = STATUS(4, 3, 5) };

	pair_explain(p, why, text, sizeof(text));
	d.text = slice_str(text);
	p->pause_why = (uint8_t)why;
	p->pause_ms =
	    p->pause_ms ? MIN_OF(p->pause_ms * 2, v[SHAPE_BACKOFF_MAX]) : v[SHAPE_BACKOFF_MIN];
	p->paused_until_ms = sites_now(p->sites) + p->pause_ms + random_jitter(p->pause_ms / 4);
	log_warn("pool.paused", kv_str("site", p->site->name),
		 kv_str("pool", egress_pool_name(p->sites->egress, p->index)),
		 kv_str("reason", text), kv_int("ms", p->paused_until_ms - sites_now(p->sites)));
	timer_set(p->sites->loop->timers, &p->timer, p->paused_until_ms - sites_now(p->sites));
	pool_decide(p, &d, PAUSE_RECORDS);
}

void pool_wait(struct pool *p, unsigned why, int64_t ms)
{
	p->pause_why = (uint8_t)why;
	p->paused_until_ms = sites_now(p->sites) + MAX_OF(ms, (int64_t)SUSPENDED_LOOK_MS);
	timer_set(p->sites->loop->timers, &p->timer, p->paused_until_ms - sites_now(p->sites));
}

void pool_end_pause(struct pool *p)
{
	open_shut(p, INT64_MAX);
	turns_wait_for_all(&p->turns);
	p->pause_ms = 0;
	p->paused_until_ms = 0;
}
