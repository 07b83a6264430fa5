/* mta/site/warming.c - pairs of sources and providers at pools and their channels. */
#include "mta/site/warming.h"

#include "base/clock.h"
#include "base/random.h"

enum { LOOK_MS = 60 * 1000, SPREAD_MS = 2000 };

static struct slice provider_of(const struct pool *p)
{
	struct slice name = slice_str(p->site->provider ? p->site->provider->name : "");

	(void)slice_strip(&name, SLICE("provider "));
	return name;
}

/* A smart host's name is good already, and ours is not asked for there. */
static struct warmup_pair *find(const struct pool *p, const struct source *source)
{
	return p->site->relay ? NULL : warmup_find(p->sites->warmup, &source->ip, provider_of(p));
}

void warming_begin(struct pool *p)
{
	for (unsigned i = 0; i < p->turns.n; i++)
		p->turns.at[i].warmup = find(p, p->turns.at[i].source);
}

void warming_look_at(struct pool *p)
{
	struct channel *ch;

	warming_begin(p);
	list_each(&p->channels, ch, struct channel, link)
		ch->warmup = find(p, ch->source);
}

static void look_at_pool(struct pool *p)
{
	warming_look_at(p);
	pool_end_pause(p);
	pool_pump_soon(p);
}

void warming_look(struct sites *s)
{
	struct map_link *l;
	struct pool *p;
	size_t pos = 0;

	if (s->warmups == warmup_generation(s->warmup))
		return;
	s->warmups = warmup_generation(s->warmup);
	for (l = map_next(&s->map, &pos, NULL); l; l = map_next(&s->map, &pos, l))
		list_each(&container_of(l, struct site, link)->pools, p, struct pool, link)
			look_at_pool(p);
}

bool warming_may_send(struct channel *ch)
{
	struct pool *p = ch->pool;
	bool rests = warmup_rests(ch->warmup);

	if (!rests && !warmup_must_wait(ch->warmup))
		return true;
	if (ch->turn != TURN_NONE && p->turns.n > 1)
		turns_pass_over(&p->turns, ch->turn);
	if (fair_ready(&p->fair) && !timer_running(&p->turn_timer))
		timer_set(p->sites->loop->timers, &p->turn_timer,
			  rests ? 1 : (int64_t)WARMUP_WAIT_MS);
	return false;
}

int64_t warming_left_ms(const struct pool *p, unsigned turn)
{
	int64_t left = WARMUP_DAY_MS - clock_wall_ms() % WARMUP_DAY_MS;

	/* The clock may be put right, and an order may come. */
	return warmup_rests(p->turns.at[turn].warmup)
		   ? MIN_OF(left + random_jitter(SPREAD_MS), (int64_t)LOOK_MS)
		   : 0;
}

void warming_explain(const struct pool *p, char *text, size_t cap)
{
	struct warmup_fact *f = must_alloc(sizeof(*f));

	*text = '\0';
	for (unsigned i = 0; i < p->turns.n && !*text; i++)
		if (warmup_rests(p->turns.at[i].warmup) && warmup_fact(p->turns.at[i].warmup, f))
			warmup_say(f, text, cap);
	free(f);
}
