#include "mta/channel.h"

#include "base/clock.h"
#include "base/log.h"
#include "mta/deliver.h"

/* ---- opening ----------------------------------------------------------------------------- */

/* Sources of the pool in turn; NULL when the configuration has none by that name. */
static const struct egress_source *pick_source(struct pool *p)
{
	const struct mta_config *c = p->work->config;
	const char *name = p->work->pool_names[p->index];

	for (unsigned k = 0; k < c->n_sources; k++) {
		const struct egress_source *src = &c->sources[(p->next_source + k) % c->n_sources];
		if (strcmp(src->pool, name) != 0)
			continue;
		p->next_source = (p->next_source + k + 1) % c->n_sources;
		return src;
	}
	return NULL;
}

/* Of the limits that sites share a sixteenth is left to transactional mail. */
static int64_t slots_of(int64_t max, bool transactional)
{
	return transactional ? max : max - max / 16;
}

static int64_t site_slots(const struct mta_config *c, bool transactional)
{
	int64_t max = c->site_connections;

	return transactional ? max : max - limits_kept(max, c->site_connections_kept);
}

static bool take_slots(struct channel *ch, bool transactional)
{
	struct work *w = ch->pool->work;
	const struct mta_config *c = w->config;

	if (w->n_channels >= slots_of(c->lane_sessions, transactional))
		return false;
	if (!transactional && !pool_may_take(ch->pool))
		return false;
	if (!limits_take(&ch->pool->site->shared->connections, site_slots(c, transactional)))
		return false;
	ch->source_slots = limits_source(w->limits, (unsigned)(ch->source - c->sources));
	if (limits_take(ch->source_slots, slots_of(c->source_connections, transactional)))
		return true;
	limits_give(&ch->pool->site->shared->connections);
	return false;
}

static void give_slots(struct channel *ch)
{
	limits_give(&ch->pool->site->shared->connections);
	limits_give(ch->source_slots);
}

static void on_ready(struct session_user *u);
static void on_done(struct session_user *u, struct txn *t);
static void on_gone(struct session_user *u, const struct verdict *v);
static void on_reap(struct turn_end *t);
static void on_idle(struct timer *t);

static int start_session(struct channel *ch)
{
	struct work *w = ch->pool->work;
	const struct mta_config *c = w->config;
	struct session_options o = {
		.to = { .ip = ch->host->ip,
			.port = (uint16_t)c->smtp_port,
			.source = ch->source->ip },
		.mx_host = ch->mx->name,
		.ehlo = ch->source->ehlo,
		.timeouts = c->timeouts,
		.tls = c->tls_policy,
		.tls_context = w->tls,
		.tls_resume = ch->host->tls,
	};

	if (ch->host->clear_until_ms > timers_now(w->loop->timers) && o.tls == TLS_MAY)
		o.tls = TLS_NEVER;
	return session_new(&ch->session, w->loop, &o, &ch->user);
}

static struct channel *channel_blank(struct pool *p)
{
	struct channel *ch = must_alloc(sizeof(*ch));

	ch->pool = p;
	ch->user = (struct session_user){ on_ready, on_done, on_gone };
	list_init(&ch->link);
	list_init(&ch->idle);
	list_init(&ch->hungry);
	list_init(&ch->hand);
	list_init(&ch->reap.link);
	ch->reap.run = on_reap;
	timer_init(&ch->idle_timer, on_idle);
	return ch;
}

static const struct status dsn_system = { 4, 3, 5 }; /* RFC 3463: our configuration, not theirs */

int channel_open(struct pool *p, bool transactional)
{
	struct work *w = p->work;
	const struct route_host *mx;
	struct host *h = site_pick(p->site, &mx);
	struct channel *ch;
	struct verdict v;
	int r;

	if (!h) {
		site_back_off(p->site);
		return E_TIMEOUT;
	}
	ch = channel_blank(p);
	ch->host = h;
	ch->mx = mx;
	ch->source = pick_source(p);
	if (!ch->source) {
		free(ch);
		verdict_set(&v, VERDICT_DEFERRED, dsn_system, true,
			    "the configuration has no such pool");
		site_problem(p->site, &v, p->work->pool_names[p->index]);
		site_back_off(p->site);
		return E_UNKNOWN;
	}
	if (!take_slots(ch, transactional)) {
		free(ch);
		return E_FULL;
	}
	r = start_session(ch);
	if (r < 0) {
		give_slots(ch);
		free(ch);
		verdict_set(&v, VERDICT_DEFERRED, dsn_system, true, "%s", err_text(r));
		site_host_failed(p->site, h, &v);
		pool_pump_soon(p);
		return r;
	}
	ch->route = route_ref(p->site->route);
	list_push(&p->channels, &ch->link);
	h->channels++;
	p->n_channels++;
	pool_claim(p);
	p->n_opening++;
	w->n_channels++;
	count_add(&w->m->sessions_opened, 1);
	count_add(&w->m->sessions_open, 1);
	return 0;
}

/* ---- work -------------------------------------------------------------------------------- */

enum { IDLE_LOOK_MS = 500 };

static void rest(struct channel *ch)
{
	struct work *w = ch->pool->work;

	if (!list_empty(&ch->idle))
		return; /* it was looked at, not used: its time goes on */
	list_push_front(&ch->pool->idle, &ch->idle); /* the warmest is used first, others run out */
	ch->idle_since_ms = timers_now(w->loop->timers);
	timer_set(w->loop->timers, &ch->idle_timer,
		  MIN_OF(w->config->site_idle, (int64_t)IDLE_LOOK_MS));
}

void channel_quit(struct channel *ch)
{
	if (ch->quitting || ch->gone)
		return;
	ch->quitting = true;
	ch->pool->n_quitting++;
	list_remove(&ch->idle);
	list_remove(&ch->hungry);
	timer_stop(ch->pool->work->loop->timers, &ch->idle_timer);
	session_quit(ch->session);
}

enum { TURN_US = 2000 };

static bool turn_is_over(struct work *w)
{
	int64_t now_us = clock_mono_us();

	if (timers_now(w->loop->timers) != w->turn_ms) {
		w->turn_ms = timers_now(w->loop->timers);
		w->turn_start_us = now_us;
	}
	return now_us - w->turn_start_us >= TURN_US;
}

static void feed_hungry(struct turn_end *t)
{
	struct work *w = container_of(t, struct work, feed);
	struct list *l;

	while (!w->freeing && !turn_is_over(w) && (l = list_pop(&w->hungry)) != NULL)
		channel_feed(container_of(l, struct channel, hungry));
	if (!w->freeing && !list_empty(&w->hungry))
		loop_at_turn_end(w->loop,
				 t); /* in the next turn: descriptors are looked at before */
}

void channel_init(struct work *w)
{
	list_init(&w->hungry);
	list_init(&w->feed.link);
	w->feed.run = feed_hungry;
}

static bool wait_hungry(struct channel *ch)
{
	struct work *w = ch->pool->work;

	if (ch->pool->fair.ready[CLASS_TRANSACTIONAL] || !ch->pool->fair.ready[CLASS_BULK] ||
	    !turn_is_over(w))
		return false;
	if (list_empty(&ch->hungry))
		list_push(&w->hungry, &ch->hungry);
	loop_at_turn_end(w->loop, &w->feed);
	return true;
}

void channel_feed(struct channel *ch)
{
	struct work *w = ch->pool->work;

	list_remove(&ch->hungry);
	while (!ch->quitting && !ch->gone && !w->stopping &&
	       ch->taken < w->config->site_messages_per_connection &&
	       session_can_take(ch->session) && !pool_must_give(ch->pool)) {
		if (wait_hungry(ch)) {
			list_remove(&ch->idle);
			timer_stop(w->loop->timers, &ch->idle_timer);
			return;
		}
		if (!deliver_next(ch))
			break;
	}
	if (ch->gone || ch->quitting)
		return;
	if (ch->in_hand) {
		list_remove(&ch->idle);
		timer_stop(w->loop->timers, &ch->idle_timer);
	} else if (w->stopping || ch->taken >= w->config->site_messages_per_connection ||
		   !w->config->site_idle || pool_must_give(ch->pool)) {
		channel_quit(ch);
	} else {
		rest(ch);
	}
}

static void on_idle(struct timer *t)
{
	struct channel *ch = container_of(t, struct channel, idle_timer);
	struct work *w = ch->pool->work;
	int64_t left = ch->idle_since_ms + w->config->site_idle - timers_now(w->loop->timers);

	if (left <= 0 || pool_others_wait(ch->pool))
		channel_quit(ch);
	else
		timer_set(w->loop->timers, t, MIN_OF(left, (int64_t)IDLE_LOOK_MS));
}

static void note_tls(struct channel *ch)
{
	struct conn *c = session_conn(ch->session);
	struct work *w = ch->pool->work;

	if (!conn_is_tls(c))
		return;
	count_add(&w->m->sessions_tls, 1);
	if (conn_tls_resumed(c))
		count_add(&w->m->sessions_resumed, 1);
}

static void opened(struct channel *ch)
{
	if (ch->ready_once)
		return;
	ch->ready_once = true;
	ch->pool->n_opening--;
	site_host_well(ch->pool->site, ch->host);
	note_tls(ch);
}

static void on_ready(struct session_user *u)
{
	struct channel *ch = container_of(u, struct channel, user);

	opened(ch);
	channel_feed(ch);
}

static void on_done(struct session_user *u, struct txn *t)
{
	deliver_done(container_of(u, struct channel, user), t);
}

/* ---- the end ----------------------------------------------------------------------------- */

/* The last ticket is good for the next connection to the same address. */
static void keep_ticket(struct channel *ch)
{
	struct conn *c = session_conn(ch->session);
	struct tls_session *ticket = c && conn_is_tls(c) ? conn_tls_session(c) : NULL;

	if (!ticket)
		return;
	if (ch->host->tls)
		tls_session_unref(ch->host->tls);
	ch->host->tls = ticket;
}

static void leave(struct channel *ch)
{
	struct pool *p = ch->pool;
	struct work *w = p->work;

	ch->gone = true;
	timer_stop(w->loop->timers, &ch->idle_timer);
	list_remove(&ch->link);
	list_remove(&ch->idle);
	list_remove(&ch->hungry);
	p->n_channels--;
	p->n_quitting -= ch->quitting;
	pool_claim(p);
	if (!ch->ready_once)
		p->n_opening--;
	ch->host->channels--;
	w->n_channels--;
	count_sub(&w->m->sessions_open, 1);
	give_slots(ch);
	ch->session = session_free(ch->session);
	ch->route = route_unref(ch->route);
}

/* Opportunistic TLS that does not work is worth no more than none (RFC 7435 section 3): the same
 * address again, in the clear.  4.7.5 without a reply is the session's word for it.  Also when
 * another connection, opened meanwhile, has found it out before: that one failing is no news. */
static bool tls_gave_way(struct channel *ch, const struct verdict *v)
{
	struct work *w = ch->pool->work;
	int64_t now = timers_now(w->loop->timers);

	if (v->code || !status_eq(v->status, STATUS(4, 7, 5)) || w->config->tls_policy != TLS_MAY)
		return false;
	ch->host->clear_until_ms = now + w->config->host_bad;
	log_info("session.tls-failed", kv_str("site", ch->pool->site->name),
		 kv_str("ip", ch->host->ip_text), kv_slice("reason", slice_of(v->text, v->text_n)));
	return true;
}

/* Who greets well and then never answers is no better than who does not greet. */
static void judge_end(struct channel *ch, const struct verdict *v)
{
	bool trouble = v->kind != VERDICT_NONE;

	if (!ch->ready_once && tls_gave_way(ch, v))
		return;
	if (!ch->ready_once || (trouble && !ch->judged))
		site_host_failed(ch->pool->site, ch->host, v);
	else if (trouble && v->code)
		pool_congested(ch->pool); /* 421 and its like in mid-session */
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct channel *ch = container_of(u, struct channel, user);
	struct pool *p = ch->pool;

	keep_ticket(ch);
	leave(ch);
	if (!p->work->freeing)
		judge_end(ch, v);
	pool_pump_soon(p);
	if (p->work->freeing)
		free(ch);
	else
		loop_at_turn_end(p->work->loop, &ch->reap);
}

static void on_reap(struct turn_end *t)
{
	free(container_of(t, struct channel, reap));
}

void channel_free_now(struct channel *ch)
{
	leave(ch);
	deliver_abandon(ch);
	free(ch);
}
