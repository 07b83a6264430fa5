/* mta/warmup/facts.c - what operators see of pairs and plans, and releasing one that is held. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/warmup/inside.h"

static enum warmup_state state_of(const struct warmup_own *o, const struct warmup_day *today)
{
	if (!o->entry || !o->entry->plan.n)
		return WARMUP_OFF;
	if (o->pause)
		return WARMUP_PAUSED;
	if (o->warmed)
		return WARMUP_WARMED;
	if (today && today->held != WARMUP_GOOD)
		return WARMUP_HELD;
	return today && warmup_rests(&o->pair) ? WARMUP_SPENT : WARMUP_GOES;
}

static int64_t since_of(const struct warmup_own *o, enum warmup_state s,
			const struct warmup_day *day)
{
	uint64_t paused = 0;
	struct slice text = slice_str(o->pause ? o->pause->text : "");

	if (s == WARMUP_PAUSED && slice_u64(slice_take(&text, ' '), INT64_MAX, &paused) == 0)
		return (int64_t)paused;
	if (s == WARMUP_SPENT)
		return o->spent_ms ? o->spent_ms : clock_wall_ms();
	return s == WARMUP_HELD || s == WARMUP_WARMED ? day->since_ms : 0;
}

static void fill_rates(const struct warmup_own *o, const struct warmup_bounds *b,
		       struct warmup_fact *ret)
{
	ret->worst = warmup_days_worst(&o->days, &ret->today, b, &ret->rate, &ret->percent);
	if (ret->today.held != WARMUP_GOOD)
		ret->worst = ret->today.held;
	ret->most = b->most[ret->worst];
}

static void fill_text(const struct warmup_own *o, struct warmup_fact *ret)
{
	struct slice why = slice_str(o->pause ? o->pause->text : "");

	slice_copy(ret->plan, sizeof(ret->plan), slice_str(o->entry ? o->entry->text : ""));
	if (o->entry && o->entry->author)
		slice_copy(ret->author, sizeof(ret->author), slice_str(o->entry->author));
	(void)slice_take(&why, ' ');
	slice_copy(ret->paused, sizeof(ret->paused), why);
}

static void fill(struct warmup_own *o, struct warmup_fact *ret)
{
	const struct warmup_bounds *b = &o->pair.whole->bounds;
	const struct warmup_day *today = warmup_today(o);
	const struct warmup_day *last = today       ? today
					: o->days.n ? &o->days.at[o->days.n - 1]
						    : NULL;

	*ret = (struct warmup_fact){ .source = o->source, .provider = o->provider };
	fill_text(o, ret);
	if (last)
		ret->today = *last;
	ret->is_today = today != NULL;
	if (today && !o->warmed)
		ret->today.leaves = warmup_left(&o->pair);
	ret->state = state_of(o, today);
	ret->since_ms = since_of(o, ret->state, &ret->today);
	if (ret->state == WARMUP_SPENT || ret->state == WARMUP_HELD)
		ret->next_ms = (int64_t)(o->date + 1) * WARMUP_DAY_MS;
	if (!o->entry)
		return;
	ret->steps = o->entry->plan.n;
	ret->next = last ? warmup_days_next(&o->days, &ret->today, &o->entry->plan, b)
			 : o->entry->plan.first;
	fill_rates(o, b, ret);
}

bool warmup_fact(const struct warmup_pair *p, struct warmup_fact *ret)
{
	struct warmup_own *o;
	struct warmup *w;

	if (!p || p == &p->whole->surplus)
		return false;
	w = p->whole;
	o = warmup_own_of((struct warmup_pair *)(uintptr_t)p);
	pthread_mutex_lock(&w->lock);
	fill(o, ret);
	pthread_mutex_unlock(&w->lock);
	return ret->state != WARMUP_OFF;
}

void warmup_say(const struct warmup_fact *f, char *text, size_t cap)
{
	char source[IP_TEXT_MAX] = "*";
	const struct warmup_day *d = &f->today;

	if (f->source.family)
		ip_format(&f->source, source);
	if (f->state == WARMUP_PAUSED)
		(void)snprintf(text, cap, "the warm-up of %s at %s is paused %.200s", source,
			       f->provider, f->paused);
	else if (f->state == WARMUP_HELD)
		(void)snprintf(text, cap,
			       "the warm-up of %s at %s is held back today, after %d messages, "
			       "because of %s: more than %" PRId64 " of a thousand",
			       source, f->provider, d->leaves,
			       warmup_sign_name((enum warmup_sign)d->held), f->most);
	else
		(void)snprintf(
		    text, cap,
		    "%s has sent %d of the %d messages that day %u of its warm-up allows "
		    "to %s",
		    source, d->leaves, d->plan, d->step + 1, f->provider);
}

void warmup_each(struct warmup *w,
		 void (*each)(void *arg, const struct warmup_fact *f, const struct warmup_days *d),
		 void *arg)
{
	struct warmup_fact *f = must_alloc(sizeof(*f));
	struct map_link *l;
	size_t pos = 0;

	pthread_mutex_lock(&w->lock);
	for (l = map_next(&w->pairs, &pos, NULL); l; l = map_next(&w->pairs, &pos, l)) {
		struct warmup_own *o = container_of(l, struct warmup_own, link);
		struct warmup_day *today = warmup_today(o);
		struct warmup_days days = o->days;
		fill(o, f);
		if (today)
			warmup_days_find(&days, today->date)->leaves = f->today.leaves;
		if (f->state != WARMUP_OFF)
			each(arg, f, &days);
	}
	pthread_mutex_unlock(&w->lock);
	free(f);
}

void warmup_each_plan(struct warmup *w,
		      void (*each)(void *arg, const struct ip *source, const char *provider,
				   const char *plan, const char *author),
		      void *arg)
{
	struct warmup_entry *e;

	pthread_mutex_lock(&w->lock);
	list_each(&w->plans, e, struct warmup_entry, link)
		each(arg, &e->source, e->provider, e->text, e->author ? e->author : "");
	pthread_mutex_unlock(&w->lock);
}

static bool release(struct warmup_own *o)
{
	struct warmup_day *today = warmup_today(o);

	if (!today || today->held == WARMUP_GOOD)
		return false;
	today->held = WARMUP_GOOD;
	today->released = true;
	today->since_ms = 0;
	desk_save(o);
	desk_publish(o);
	return true;
}

unsigned warmup_release(struct warmup *w, const struct ip *source, struct slice provider)
{
	bool any = slice_eq(provider, SLICE(WARMUP_ANY));
	struct map_link *l;
	size_t pos = 0;
	unsigned n = 0;

	pthread_mutex_lock(&w->lock);
	for (l = map_next(&w->pairs, &pos, NULL); l; l = map_next(&w->pairs, &pos, l)) {
		struct warmup_own *o = container_of(l, struct warmup_own, link);
		if (ip_eq(&o->source, source) &&
		    (any || slice_eq(provider, slice_str(o->provider))))
			n += release(o);
	}
	if (n)
		warmup_news(w);
	pthread_mutex_unlock(&w->lock);
	if (n)
		engine_changed(w->engine);
	return n;
}
