/* mta/credentials/slow.c - a table of sets of four, under one lock. */
#include "mta/credentials/slow.h"

void slow_init(struct slow *s)
{
	pthread_mutex_init(&s->lock, NULL);
}

void slow_end(struct slow *s)
{
	pthread_mutex_destroy(&s->lock);
}

static struct slow_key *set_of(struct slow *s, uint64_t key)
{
	return s->keys[key % SLOW_SETS];
}

static struct slow_key *find(struct slow *s, uint64_t key)
{
	struct slow_key *set = set_of(s, key);

	for (unsigned i = 0; i < SLOW_WAYS; i++)
		if (set[i].key == key)
			return &set[i];
	return NULL;
}

/* What may leave: nothing, what was quiet for long, what was wrong least often. */
static struct slow_key *room(struct slow *s, uint64_t key, int64_t now_ms)
{
	struct slow_key *set = set_of(s, key), *least = set;

	for (unsigned i = 0; i < SLOW_WAYS; i++) {
		if (!set[i].key || now_ms - set[i].last_ms >= SLOW_FORGET_MS)
			return &set[i];
		if (set[i].wrong < least->wrong)
			least = &set[i];
	}
	return least;
}

int64_t slow_wait(struct slow *s, uint64_t key, int64_t now_ms)
{
	const struct slow_key *k;
	int64_t wait;

	pthread_mutex_lock(&s->lock);
	k = find(s, key);
	wait = k ? k->free_ms - now_ms : 0;
	pthread_mutex_unlock(&s->lock);
	return MAX_OF(wait, 0);
}

static int64_t cost(uint32_t wrong)
{
	uint32_t over = wrong > SLOW_FREE ? wrong - SLOW_FREE : 0;

	if (!over)
		return 0;
	return over > 6 ? SLOW_WAIT_MAX_MS : 1000LL << (over - 1);
}

void slow_wrong(struct slow *s, uint64_t key, int64_t now_ms)
{
	struct slow_key *k;

	pthread_mutex_lock(&s->lock);
	k = find(s, key);
	if (!k)
		k = room(s, key, now_ms);
	if (k->key != key || now_ms - k->last_ms >= SLOW_FORGET_MS)
		*k = (struct slow_key){ .key = key };
	k->wrong++;
	k->last_ms = now_ms;
	k->free_ms = MAX_OF(k->free_ms, now_ms) + cost(k->wrong);
	k->free_ms = MIN_OF(k->free_ms, now_ms + SLOW_WAIT_MAX_MS);
	pthread_mutex_unlock(&s->lock);
}

void slow_right(struct slow *s, uint64_t key)
{
	struct slow_key *k;

	pthread_mutex_lock(&s->lock);
	k = find(s, key);
	if (k)
		*k = (struct slow_key){ 0 };
	pthread_mutex_unlock(&s->lock);
}
