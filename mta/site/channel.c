/* mta/site/channel.c - opening a connection, feeding it, and its end. */
#include "mta/site/channel.h"
#include "base/log.h"
#include "mta/site/ending.h"
#include "mta/site/failures.h"
#include "mta/site/kin.h"
#include "mta/site/own.h"
#include "mta/site/pair.h"
#include "mta/site/seats.h"
#include "mta/site/provider.h"
#include "mta/site/race.h"
#include "mta/site/relay.h"
#include "mta/site/reported.h"
#include "mta/site/shaping.h"
#include "mta/site/steer.h"
#include "mta/site/suspend.h"
#include "mta/site/trace.h"
#include "mta/site/warming.h"

/* ---- opening ----------------------------------------------------------------------------- */

static void on_ready(struct session_user *u);
static void on_done(struct session_user *u, struct txn *t);
static void on_gone(struct session_user *u, const struct verdict *v);
static void on_reap(struct turn_end *t);
static void on_idle(struct timer *t);

static uint64_t demand_of(const struct channel *ch, unsigned i, struct policy_demand *d,
			  struct tls_check *check)
{
	const struct site *site = ch->pool->site;

	*d = site_demand(site, i, site_word(site, channel_shape(ch)->v[SHAPE_TLS]));
	policy_facts_check(site->facts, i, d, check);
	return policy_check_digest(check);
}

/* What it must insist on; facts and host stay as they are as long as it lives. */
static void set_policy(struct channel *ch)
{
	const struct site *site = ch->pool->site;

	ch->facts = policy_facts_ref(site->facts);
	ch->check_digest =
	    demand_of(ch, (unsigned)(ch->mx - site->route->hosts), &ch->demand, &ch->check);
}

void channel_recheck(struct channel *ch)
{
	const struct site *site = ch->pool->site;
	struct policy_demand d;
	struct tls_check check;

	for (unsigned i = 0; i < site->route->n_hosts; i++)
		if (strcmp(site->route->hosts[i].name, ch->mx->name) == 0)
			ch->stale = ch->stale || demand_of(ch, i, &d, &check) != ch->check_digest ||
				    d.tls != ch->demand.tls || d.refusal;
}

static int start_session(struct channel *ch)
{
	struct sites *s = ch->pool->sites;
	const struct smtp_options *c = s->smtp;
	const int64_t *v = channel_shape(ch)->v;
	struct session_options o = {
		.to = { .ip = ch->host->ip,
			.port = (uint16_t)c->port,
			.source = ch->source->ip,
			.proxy = source_proxy(ch->source) },
		.mx_host = ch->mx->name,
		.ehlo = ch->ehlo,
		.timeouts = shaping_timeouts(channel_shape(ch)),
		.tls = ch->demand.tls,
		.tls_check = &ch->check,
		.require_tls = ch->demand.require_tls,
		.tls_context = s->tls,
		.tls_resume = tickets_find(&ch->host->tickets, ch->check_digest),
		.ignore =
		    (unsigned)v[SHAPE_IGNORE] | habits_ignore(&ch->host->habits, sites_now(s)),
		.pipelines = ch->host->habits.pipelines,
		.chunks = ch->host->habits.chunks,
	};

	if (ch->pool->site->relay && relay_begin(ch, &o) < 0)
		return E_DENIED;
	if (ch->host->clear_until_ms > sites_now(s) && o.tls == TLS_MAY)
		o.tls = TLS_NEVER;
	return session_new(&ch->session, s->loop, &o, &ch->user);
}

static struct channel *channel_blank(struct pool *p)
{
	struct channel *ch = must_alloc(sizeof(*ch));

	ch->pool = p;
	ch->caps.pool = p;
	ch->user = (struct session_user){ on_ready, on_done, on_gone };
	list_init(&ch->link);
	list_init(&ch->idle);
	list_init(&ch->hungry);
	list_init(&ch->hand);
	list_init(&ch->lids);
	list_init(&ch->reap.link);
	ch->reap.run = on_reap;
	timer_init(&ch->idle_timer, on_idle);
	race_init(ch);
	return ch;
}

static void channel_free(struct channel *ch)
{
	/* Not before: what ended it is judged by the name of its host. */
	(void)policy_facts_unref(ch->facts);
	(void)smart_auth_free(ch->auth);
	free(ch->shape);
	free(ch);
}

/* The channel's session has begun. */
static void join(struct channel *ch)
{
	struct pool *p = ch->pool;
	struct sites *s = p->sites;

	list_push(&p->channels, &ch->link);
	ch->before = ending_before(ch);
	ch->host->channels++;
	p->turns.at[ch->turn].channels++;
	p->turns.at[ch->turn].opening++;
	p->n_channels++;
	pool_claim(p);
	p->n_opening++;
	s->n_channels++;
	count_add(&s->counters.sessions_opened, 1);
	count_add(&s->counters.sessions_open, 1);
	if (__builtin_expect(s->tracing != NULL, 0))
		trace_opened(ch);
}

static void no_way(struct channel *ch, int err)
{
	reach_no_way(ch);
	pair_cut(ch->pool->sites, ch->host, ch->source, err);
}

/* Our own trouble, never the site's.  Only a look at the source by itself tells whether it is at
 * fault, or the way from it to this host. */
static int not_begun(struct channel *ch, int err)
{
	struct sites *s = ch->pool->sites;
	int r = source_look(ch->source);

	if (r < 0 && !ending_is_shortage(ch, r == -EADDRNOTAVAIL ? 0 : r))
		egress_source_failed(s->egress, ch->source, r);
	else if (ending_is_shortage(ch, err))
		return E_FULL;
	else if (source_proxy(ch->source)) /* it was to be connected to, not the host */
		egress_source_failed(s->egress, ch->source, err);
	else
		no_way(ch, err);
	pool_pump_soon(ch->pool);
	return E_CONFLICT;
}

enum { OFF_LOOK_MS = 60 * 1000 }; /* an order ends it at once */

static int cannot_open(struct pool *p, enum pair_lack why)
{
	if (why == PAIR_FULL)
		return E_FULL;
	if (why == PAIR_SUSPENDED || why == PAIR_WALLED || why == PAIR_WARMUP) {
		pool_wait(p, why, pair_wait_ms(p));
		return E_UNKNOWN;
	}
	if (why == PAIR_OFF) {
		pool_wait(p, why, OFF_LOOK_MS);
		return E_UNKNOWN;
	}
	if (why == PAIR_SITE) {
		site_blame_policy(p->site, site_word(p->site, p->shape.v[SHAPE_TLS]));
		site_back_off(p->site);
	} else {
		pool_pause(p, why);
	}
	return E_UNKNOWN;
}

static void use_pair(struct channel *ch, const struct pair *pair)
{
	const struct turn *turn = &ch->pool->turns.at[pair->turn];

	ch->host = pair->host;
	ch->mx = pair->mx;
	ch->turn = pair->turn;
	ch->source = turn->source;
	ch->ehlo = turn->entry->ehlo;
	memcpy(ch->source_text, turn->entry->ip_text, sizeof(ch->source_text));
	ch->shape = shaping_source(ch->pool, &ch->source->ip);
	ch->own = own_of(ch->pool, &ch->source->ip);
	set_policy(ch);
	ch->steer = steer_turn(ch->pool, pair->turn);
	ch->kin = kin_turn(ch->pool, pair->turn);
	ch->warmup = turn->warmup;
	ch->begun_ms = sites_now(ch->pool->sites);
}

void channel_reshape(struct channel *ch)
{
	free(ch->shape);
	ch->shape = shaping_source(ch->pool, &ch->source->ip);
	ch->own = own_of(ch->pool, &ch->source->ip);
	channel_recheck(ch);
}

int channel_open(struct pool *p, bool transactional, const struct caps_hold *seats)
{
	struct pair pair;
	struct channel *ch;
	enum pair_lack lack = pair_pick(p, &pair);
	int r;

	if (lack != PAIR_FOUND)
		return cannot_open(p, lack);
	r = channel_open_to(p, &pair, transactional, &ch);
	if (r == 0)
		ch->caps = *seats;
	return r;
}

/* What holds for this source alone refuses the host. */
static int refused_by_policy(struct channel *ch)
{
	struct verdict v;

	verdict_set(&v, VERDICT_DEFERRED, STATUS(4, 7, 5), true, "%s", ch->demand.refusal);
	site_host_refused(ch->pool->site, ch->host, &v, ch->source_text);
	pool_pump_soon(ch->pool);
	return E_CONFLICT;
}

int channel_open_to(struct pool *p, const struct pair *pair, bool transactional,
		    struct channel **ret)
{
	struct channel *ch = channel_blank(p);
	int r;

	use_pair(ch, pair);
	if (ch->demand.refusal) {
		r = refused_by_policy(ch);
		channel_free(ch);
		return r;
	}
	if (!seats_take(ch, transactional)) {
		channel_free(ch);
		return E_FULL;
	}
	r = start_session(ch);
	if (r == 0) {
		join(ch);
		race_begin(ch);
		if (ret)
			*ret = ch;
		return 0;
	}
	seats_give(ch);
	r = r == E_DENIED ? E_UNKNOWN : not_begun(ch, r); /* its site pauses */
	channel_free(ch);
	return r;
}

/* ---- work -------------------------------------------------------------------------------- */

enum { IDLE_LOOK_MS = 500 };

static void rest(struct channel *ch)
{
	struct sites *s = ch->pool->sites;

	if (!list_empty(&ch->idle))
		return; /* it was asked, not used: its idle time goes on */
	list_push_front(&ch->pool->idle, &ch->idle); /* the latest first, so that others run out */
	ch->idle_since_ms = sites_now(s);
	timer_set(s->loop->timers, &ch->idle_timer,
		  MIN_OF(channel_shape(ch)->v[SHAPE_IDLE], (int64_t)IDLE_LOOK_MS));
}

void channel_quit(struct channel *ch)
{
	if (ch->quitting || ch->gone)
		return;
	ch->quitting = true;
	ch->pool->n_quitting++;
	seats_count_leaving(ch, 1);
	list_remove(&ch->idle);
	list_remove(&ch->hungry);
	timer_stop(ch->pool->sites->loop->timers, &ch->idle_timer);
	session_quit(ch->session);
}

void channel_cut(struct channel *ch)
{
	channel_quit(ch);
	if (ch->gone)
		return;
	ch->cut = true;
	session_cut(ch->session);
}

enum { TURN_US = 2000 };

static bool turn_is_over(struct sites *s)
{
	int64_t now_us = clock_mono_us();

	if (sites_now(s) != s->turn_ms) {
		s->turn_ms = sites_now(s);
		s->turn_start_us = now_us;
	}
	return now_us - s->turn_start_us >= TURN_US;
}

static void feed_hungry(struct turn_end *t)
{
	struct sites *s = container_of(t, struct sites, feed);
	struct list *l;

	while (!s->freeing && !turn_is_over(s) && (l = list_pop(&s->hungry)) != NULL)
		channel_feed(container_of(l, struct channel, hungry));
	if (!s->freeing && !list_empty(&s->hungry))
		loop_at_turn_end(s->loop, t); /* next turn, after the descriptors */
}

void channel_init(struct sites *s)
{
	list_init(&s->hungry);
	list_init(&s->feed.link);
	s->feed.run = feed_hungry;
}

static bool wait_hungry(struct channel *ch)
{
	struct sites *s = ch->pool->sites;

	if (ch->pool->fair.ready[CLASS_TRANSACTIONAL] || !ch->pool->fair.ready[CLASS_BULK] ||
	    !turn_is_over(s))
		return false;
	if (list_empty(&ch->hungry))
		list_push(&s->hungry, &ch->hungry);
	loop_at_turn_end(s->loop, &s->feed);
	return true;
}

/* The numbers became smaller while it was open. */
static bool too_many(const struct channel *ch)
{
	const int64_t *v = channel_shape(ch)->v;

	return pool_has_too_many(ch->pool) || own_has_too_many(ch) ||
	       limits_exceeded(ch->shared, v[SHAPE_CONNECTIONS]) ||
	       (ch->provider && limits_exceeded(ch->provider, v[SHAPE_PROVIDER_CONNECTIONS]));
}

/* It has carried as many as it may, or another policy holds now. */
static bool worn(const struct channel *ch)
{
	return ch->stale || ch->taken >= channel_shape(ch)->v[SHAPE_MESSAGES] || too_many(ch) ||
	       (ch->trying && ch->taken) || suspend_holds(ch->standing) ||
	       suspend_ordered(ch->pool, &ch->source->ip, NULL) ||
	       ((ch->probing || ch->kin_probing) && ch->taken) || steer_holds_channel(ch) ||
	       kin_must_give(ch, false) || caps_must_give(&ch->caps, false) ||
	       warmup_rests(ch->warmup) ||
	       (ch->provider && ch->taken >= TURN_AT_PROVIDER && provider_others_wait(ch->pool));
}

static bool take_one(struct channel *ch)
{
	struct sites *s = ch->pool->sites;
	unsigned before = ch->taken;
	bool more = s->loads->next(s->loads, ch);

	if (ch->taken != before) {
		pool_sent(ch->pool, ch->turn);
		steer_sent(ch);
	}
	return more;
}

void channel_feed(struct channel *ch)
{
	struct sites *s = ch->pool->sites;

	list_remove(&ch->hungry);
	while (!ch->quitting && !ch->gone && !s->stopping && !worn(ch) &&
	       session_can_take(ch->session) && !pool_must_give(ch->pool)) {
		if (wait_hungry(ch)) {
			list_remove(&ch->idle);
			timer_stop(s->loop->timers, &ch->idle_timer);
			return;
		}
		if (!pool_may_send(ch->pool, ch->turn) || !steer_may_send(ch) ||
		    !own_may_send(ch) || (ch->warmup && !warming_may_send(ch)) || !take_one(ch))
			break;
	}
	if (ch->gone || ch->quitting)
		return;
	if (ch->in_hand) {
		list_remove(&ch->idle);
		timer_stop(s->loop->timers, &ch->idle_timer);
	} else if (s->stopping || worn(ch) || !channel_shape(ch)->v[SHAPE_IDLE] ||
		   pool_must_give(ch->pool)) {
		channel_quit(ch);
	} else {
		rest(ch);
	}
}

static void on_idle(struct timer *t)
{
	struct channel *ch = container_of(t, struct channel, idle_timer);
	struct sites *s = ch->pool->sites;
	int64_t left = ch->idle_since_ms + channel_shape(ch)->v[SHAPE_IDLE] - sites_now(s);

	if (left <= 0 || worn(ch) || kin_must_give(ch, true) || pool_others_wait(ch->pool) ||
	    provider_others_wait(ch->pool) || caps_must_give(&ch->caps, true))
		channel_quit(ch);
	else
		timer_set(s->loop->timers, t, MIN_OF(left, (int64_t)IDLE_LOOK_MS));
}

static void note_times(struct channel *ch)
{
	struct census_times *to = &ch->pool->sites->census->times;
	struct session_times times;

	session_times(ch->session, &times);
	histogram_note(&to->connect, &census_scale_session, times.connect_ms);
	if (conn_is_tls(session_conn(ch->session)))
		histogram_note(&to->handshake, &census_scale_session, times.tls_ms);
}

static void note_tls(struct channel *ch)
{
	struct conn *c = session_conn(ch->session);
	struct sites *s = ch->pool->sites;

	conn_tls_result(c, &ch->tls);
	ch->pool->site->session_ms = clock_wall_ms();
	ch->pool->site->last = ch->tls;
	ch->pool->site->last_applied = ch->demand.applied;
	ch->policy_name = slice_str(policy_applied_name(ch->demand.applied));
	ch->proof_name = slice_str(policy_proof_name(ch->tls.proof));
	if (!conn_is_tls(c))
		return;
	count_add(&s->counters.sessions_tls, 1);
	if (conn_tls_resumed(c))
		count_add(&s->counters.sessions_resumed, 1);
}

static void note_source(struct channel *ch)
{
	const struct conn *c = session_conn(ch->session);
	struct ip ip = { 0 };

	if (*ch->source_text || !c)
		return;
	ip = conn_local_ip(c);
	if (ip.family)
		ip_format(&ip, ch->source_text);
}

static void opened(struct channel *ch)
{
	if (ch->ready_once)
		return;
	ch->ready_once = true;
	ch->pool->n_opening--;
	if (ch->pool->paced)
		pool_pump_soon(ch->pool); /* the next may open */
	if (ch->turn != TURN_NONE)
		ch->pool->turns.at[ch->turn].opening--;
	ch->pool->pause_ms = ch->pool->paused_until_ms = 0;
	site_host_well(ch->pool->site, ch->host);
	reach_made(ch);
	race_won(ch);
	if (ch->pool->site->relay)
		relay_ready(ch);
	note_times(ch);
	note_tls(ch);
	note_source(ch);
	reported_ready(ch);
	ending_look_at_delay(ch);
}

static void on_ready(struct session_user *u)
{
	struct channel *ch = container_of(u, struct channel, user);

	opened(ch);
	channel_feed(ch);
}

static void note_habits(struct channel *ch, const struct txn *t)
{
	enum habits_news news = habits_note(&ch->host->habits, t, sites_now(ch->pool->sites));

	ch->spoilt = ch->spoilt || t->lock_step || t->no_chunks;
	if (news != HABITS_NO_NEWS)
		log_info(habits_news_event(news), kv_str("site", ch->pool->site->name),
			 kv_str("ip", ch->host->ip_text));
}

static void on_done(struct session_user *u, struct txn *t)
{
	struct channel *ch = container_of(u, struct channel, user);
	struct site_loads *loads = ch->pool->sites->loads;

	note_habits(ch, t);
	loads->done(loads, ch, t);
}

/* ---- the end ----------------------------------------------------------------------------- */

/* The last ticket is good for the next connection to the same address. */
static void keep_ticket(struct channel *ch)
{
	struct conn *c = session_conn(ch->session);
	struct tls_session *ticket = c && conn_is_tls(c) ? conn_tls_session(c) : NULL;

	if (ticket)
		tickets_keep(&ch->host->tickets, ch->check_digest, ticket);
}

static void leave_turn(struct channel *ch)
{
	struct turn *t;

	if (ch->turn == TURN_NONE)
		return;
	t = &ch->pool->turns.at[ch->turn];
	t->channels--;
	t->opening -= !ch->ready_once;
}

static void leave(struct channel *ch)
{
	struct pool *p = ch->pool;
	struct sites *s = p->sites;

	ch->gone = true;
	race_leave(ch);
	timer_stop(s->loop->timers, &ch->idle_timer);
	list_remove(&ch->link);
	list_remove(&ch->idle);
	list_remove(&ch->hungry);
	p->n_channels--;
	p->n_quitting -= ch->quitting;
	pool_claim(p);
	if (!ch->ready_once)
		p->n_opening--;
	leave_turn(ch);
	ch->host->channels--;
	s->n_channels--;
	count_sub(&s->counters.sessions_open, 1);
	seats_give(ch);
	caps_hold_end(&ch->caps);
	ch->session = session_free(ch->session);
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct channel *ch = container_of(u, struct channel, user);
	struct pool *p = ch->pool;

	keep_ticket(ch);
	note_source(ch);
	ch->auth_refused = session_auth_refused(ch->session);
	ch->blame = session_blame(ch->session, &ch->blame_err);
	if (!p->sites->freeing && !ch->ready_once && !ch->cut && v->kind != VERDICT_NONE)
		reported_failed(ch, v);
	if (!p->sites->freeing && v->kind != VERDICT_NONE && ch->failed_ms != sites_now(p->sites))
		failures_keep(ch, NULL, NULL, 0);
	leave(ch);
	if (!p->sites->freeing)
		ending_judge(ch, v);
	pool_rest_turns(p);
	pool_pump_soon(p);
	if (p->sites->freeing)
		channel_free(ch);
	else
		loop_at_turn_end(p->sites->loop, &ch->reap);
}

static void on_reap(struct turn_end *t)
{
	channel_free(container_of(t, struct channel, reap));
}

void channel_free_now(struct channel *ch)
{
	leave(ch);
	ch->pool->sites->loads->abandon(ch->pool->sites->loads, ch);
	channel_free(ch);
}
