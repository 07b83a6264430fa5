/* mta/site/race.c - two connections of two families, and which of them stays. */
#include "mta/site/race.h"

#include "base/log.h"

enum { LOST_ENOUGH = 3 };

int race_first_family(const struct sites *s)
{
	return s->race.rests_until_ms > sites_now(s) ? AF_INET : AF_INET6;
}

/* ---- what is remembered ------------------------------------------------------------------ */

static void family_won(struct sites *s, int family)
{
	if (family != AF_INET6)
		return;
	s->race.lost = 0;
	s->race.rests_until_ms = 0;
}

static void family_lost(struct sites *s, int family)
{
	if (family != AF_INET6 || ++s->race.lost < LOST_ENOUGH)
		return;
	s->race.rests_until_ms = sites_now(s) + s->options->race_remember;
	log_info("race.family-lost", kv_str("family", "IPv6"), kv_int("hosts", s->race.lost),
		 kv_int("ms", s->options->race_remember));
}

static void note_slow(struct channel *ch)
{
	struct sites *s = ch->pool->sites;
	bool news = !race_is_slow(ch->host, sites_now(s));

	ch->host->slow_until_ms = sites_now(s) + s->options->race_remember;
	if (!news)
		return;
	count_add(&s->counters.races_lost, 1);
	log_info("race.lost", kv_str("site", ch->pool->site->name), kv_str("ip", ch->host->ip_text),
		 kv_str("source", ch->source_text), kv_int("ms", sites_now(s) - ch->begun_ms));
	family_lost(s, ch->host->ip.family);
}

/* ---- the second connection --------------------------------------------------------------- */

static bool is_connecting(const struct channel *ch)
{
	return !ch->gone && !ch->quitting && !ch->ready_once && !session_connected(ch->session);
}

/* The limits leave no room for two. */
static void give_place(struct channel *ch)
{
	note_slow(ch);
	channel_quit(ch);
}

static void on_late(struct timer *t)
{
	struct channel *ch = container_of(t, struct channel, race_timer), *rival = NULL;
	struct pool *p = ch->pool;
	struct pair pair;
	int r;

	if (p->sites->stopping || ch->rival || !is_connecting(ch) || !pair_pick_rival(p, ch, &pair))
		return;
	r = channel_open_to(p, &pair, p->fair.ready[CLASS_TRANSACTIONAL] > 0, &rival);
	if (r == E_FULL)
		give_place(ch);
	if (r < 0)
		return;
	count_add(&p->sites->counters.races, 1);
	ch->rival = rival;
	rival->rival = ch;
}

void race_init(struct channel *ch)
{
	timer_init(&ch->race_timer, on_late);
}

void race_begin(struct channel *ch)
{
	struct sites *s = ch->pool->sites;

	if (s->options->race_delay)
		timer_set(s->loop->timers, &ch->race_timer, s->options->race_delay);
}

/* ---- the end ----------------------------------------------------------------------------- */

void race_leave(struct channel *ch)
{
	timer_stop(ch->pool->sites->loop->timers, &ch->race_timer);
	if (ch->rival)
		ch->rival->rival = NULL;
	ch->rival = NULL;
}

void race_won(struct channel *ch)
{
	struct channel *loser = ch->rival;

	ch->host->slow_until_ms = 0;
	family_won(ch->pool->sites, ch->host->ip.family);
	race_leave(ch);
	if (!loser || loser->ready_once)
		return;
	if (is_connecting(loser) && loser->begun_ms < ch->begun_ms)
		note_slow(loser);
	channel_quit(loser);
}
