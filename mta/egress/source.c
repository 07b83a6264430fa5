/* mta/egress/source.c - the table of addresses, and what is known of their health. */
#include "mta/egress/source.h"

#include <pthread.h>

#include "mta/door/conn.h"

struct sources {
	pthread_mutex_t lock;
	struct source *at[SOURCES_KNOWN_MAX];
	_Atomic unsigned n;
};

struct sources *sources_new(void)
{
	struct sources *s = must_alloc(sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	return s;
}

struct sources *sources_free(struct sources *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < s->n; i++)
		free(s->at[i]);
	pthread_mutex_destroy(&s->lock);
	free(s);
	return NULL;
}

static struct source *find(struct sources *s, const struct ip *ip)
{
	for (unsigned i = 0; i < s->n; i++)
		if (ip_eq(&s->at[i]->ip, ip))
			return s->at[i];
	return NULL;
}

static struct source *add(struct sources *s, const struct ip *ip)
{
	struct source *src;

	if (s->n == SOURCES_KNOWN_MAX)
		return NULL;
	src = must_alloc(sizeof(*src));
	src->ip = *ip;
	if (ip->family)
		ip_format(ip, src->text);
	else
		src->text[0] = '*';
	s->at[s->n] = src;
	atomic_fetch_add(&s->n, 1);
	return src;
}

struct source *sources_get(struct sources *s, const struct ip *ip, bool *ret_new)
{
	struct source *src;

	pthread_mutex_lock(&s->lock);
	src = find(s, ip);
	*ret_new = !src;
	if (!src)
		src = add(s, ip);
	pthread_mutex_unlock(&s->lock);
	return src;
}

struct source *sources_at(struct sources *s, unsigned i)
{
	return i < atomic_load(&s->n) ? s->at[i] : NULL;
}

int source_look(const struct source *s)
{
	return source_proxy(s) ? 0 : conn_source_check(&s->ip);
}

/* ---- health ------------------------------------------------------------------------------ */

bool source_fail(struct source *s, int err, int64_t pause_ms, int64_t now_ms)
{
	int none = 0;

	if (!atomic_compare_exchange_strong(&s->err, &none, err))
		return false;
	atomic_store(&s->failed_ms, now_ms);
	atomic_store(&s->pause_ms, pause_ms);
	atomic_store(&s->retry_ms, now_ms + pause_ms);
	return true;
}

bool source_claim(struct source *s, int64_t now_ms)
{
	int64_t due = atomic_load(&s->retry_ms);

	/* A wall clock that was set back must not put the look off for long. */
	if (!source_err(s) || (due > now_ms && due - now_ms <= atomic_load(&s->pause_ms)))
		return false;
	return atomic_compare_exchange_strong(&s->retry_ms, &due,
					      now_ms + atomic_load(&s->pause_ms));
}

void source_still(struct source *s, int err, int64_t pause_max_ms, int64_t now_ms)
{
	int64_t pause = MIN_OF(atomic_load(&s->pause_ms) * 2, pause_max_ms);

	atomic_store(&s->err, err);
	atomic_store(&s->pause_ms, pause);
	atomic_store(&s->retry_ms, now_ms + pause);
}

bool source_well(struct source *s)
{
	return atomic_exchange(&s->err, 0) != 0;
}

/* ---- whom it reaches --------------------------------------------------------------------- */

static bool is_known(const struct source *s, unsigned n, uint64_t scope)
{
	for (unsigned i = 0; i < n; i++)
		if (s->missed[i].scope == scope)
			return true;
	return false;
}

bool source_missed(struct sources *all, struct source *s, const struct source_miss *m,
		   int64_t now_ms)
{
	bool enough;
	unsigned n;

	pthread_mutex_lock(&all->lock);
	n = source_misses(s);
	if (!n)
		s->missed_ms = now_ms;
	if (n < REACH_SITES && !is_known(s, n, m->scope)) {
		s->missed[n++] = *m;
		atomic_store(&s->n_missed, n);
	}
	enough = n == REACH_SITES && now_ms - s->missed_ms >= REACH_NOBODY_MS;
	pthread_mutex_unlock(&all->lock);
	return enough;
}

bool source_to_try(struct sources *all, struct source *s, struct source_miss *ret)
{
	bool is;

	pthread_mutex_lock(&all->lock);
	is = source_misses(s) == REACH_SITES;
	if (is)
		*ret = s->missed[s->looks++ % REACH_SITES];
	pthread_mutex_unlock(&all->lock);
	return is;
}
