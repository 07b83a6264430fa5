/* mta/policy/cache.c - fetched policies, looked up by domain, and their file. */
#include "mta/policy/cache.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/map.h"
#include "dns/name.h"
#include "spool/beside.h"

#define FIRST_LINE "postern mta-sts 1"
enum { FILE_MAX = 64 << 20 };

struct kept_policy {
	struct map_link link;
	struct list lru; /* the latest used last */
	struct sts_entry e;
	char domain[];
};
struct sts_cache {
	pthread_mutex_t lock;
	struct map map;
	struct list lru;
	bool dirty, lost;
	const struct disk *disk;
	int dirfd;
};

static struct kept_policy *find(struct sts_cache *c, struct slice domain)
{
	uint64_t hash = hash_keyed(domain);

	for (struct map_link *l = map_find(&c->map, hash); l; l = map_find_next(l)) {
		struct kept_policy *k = container_of(l, struct kept_policy, link);
		if (slice_eq(slice_str(k->domain), domain))
			return k;
	}
	return NULL;
}

static void drop(struct sts_cache *c, struct kept_policy *k)
{
	map_remove(&c->map, &k->link);
	list_remove(&k->lru);
	(void)sts_policy_unref(k->e.policy);
	free(k);
}

static struct kept_policy *get(struct sts_cache *c, struct slice domain)
{
	struct kept_policy *k = find(c, domain);

	if (k) {
		list_remove(&k->lru);
		list_push(&c->lru, &k->lru);
		return k;
	}
	if (c->map.count >= STS_CACHE_MAX)
		drop(c, list_first(&c->lru, struct kept_policy, lru));
	k = must_alloc(sizeof(*k) + domain.n + 1);
	(void)slice_copy(k->domain, domain.n + 1, domain);
	map_insert(&c->map, &k->link, hash_keyed(domain));
	list_init(&k->lru);
	list_push(&c->lru, &k->lru);
	return k;
}

bool sts_cache_find(struct sts_cache *c, struct slice domain, int64_t now_ms, struct sts_entry *ret)
{
	struct kept_policy *k;

	*ret = (struct sts_entry){ 0 };
	pthread_mutex_lock(&c->lock);
	k = find(c, domain);
	if (k) {
		list_remove(&k->lru);
		list_push(&c->lru, &k->lru);
		*ret = k->e;
		if (ret->policy && ret->expires_ms <= now_ms)
			ret->policy = NULL;
		if (ret->policy)
			(void)sts_policy_ref(ret->policy);
	}
	pthread_mutex_unlock(&c->lock);
	return k != NULL;
}

static void set(struct kept_policy *k, struct slice id, struct sts_policy *policy,
		int64_t fetched_ms)
{
	(void)sts_policy_ref(policy);
	(void)sts_policy_unref(k->e.policy);
	k->e.policy = policy;
	(void)slice_copy(k->e.id, sizeof(k->e.id), id);
	k->e.fetched_ms = fetched_ms;
	k->e.expires_ms = fetched_ms + (int64_t)policy->max_age_s * 1000;
	k->e.tried_ms = 0;
	k->e.fault[0] = '\0';
}

void sts_cache_put(struct sts_cache *c, struct slice domain, const char *id,
		   struct sts_policy *policy, int64_t now_ms)
{
	pthread_mutex_lock(&c->lock);
	set(get(c, domain), slice_str(id), policy, now_ms);
	c->dirty = true;
	pthread_mutex_unlock(&c->lock);
}

void sts_cache_failed(struct sts_cache *c, struct slice domain, const char *fault, int64_t now_ms)
{
	struct kept_policy *k;

	pthread_mutex_lock(&c->lock);
	k = get(c, domain);
	k->e.tried_ms = now_ms;
	(void)slice_copy(k->e.fault, sizeof(k->e.fault), slice_str(fault));
	pthread_mutex_unlock(&c->lock);
}

/* ---- the file ---------------------------------------------------------------------------- */

static void write_entry(struct buf *out, const struct kept_policy *k)
{
	const struct sts_policy *p = k->e.policy;

	buf_putf(out, "%s %s %" PRId64 " %s %" PRIu32, k->domain, k->e.id, k->e.fetched_ms,
		 sts_mode_name(p->mode), p->max_age_s);
	for (unsigned i = 0; i < p->n_mx; i++)
		buf_putf(out, " %s", p->mx[i]);
	buf_put(out, SLICE("\n"));
}

static void write_all(struct sts_cache *c, struct buf *out)
{
	int64_t now = clock_wall_ms();
	struct kept_policy *k;
	unsigned n = 0;

	buf_put(out, SLICE(FIRST_LINE "\n"));
	list_each(&c->lru, k, struct kept_policy, lru)
		if (k->e.policy && k->e.expires_ms > now) {
			write_entry(out, k);
			n++;
		}
	buf_putf(out, "end %u\n", n);
}

int sts_cache_save(struct sts_cache *c)
{
	struct buf out;
	bool dirty;
	int r;

	buf_init(&out, 0);
	pthread_mutex_lock(&c->lock);
	dirty = c->dirty;
	c->dirty = false;
	if (dirty)
		write_all(c, &out);
	pthread_mutex_unlock(&c->lock);
	r = dirty ? beside_write(c->disk, c->dirfd, STS_CACHE_FILE, buf_data(&out)) : 0;
	buf_free(&out);
	if (r < 0) {
		pthread_mutex_lock(&c->lock);
		c->dirty = true;
		pthread_mutex_unlock(&c->lock);
	}
	return r < 0 ? r : 0;
}

/* domain SP id SP fetched SP mode SP max_age *( SP mx ) */
static int read_entry(struct sts_cache *c, struct slice line, int64_t now_ms)
{
	char domain[DNS_NAME_MAX];
	struct slice name = slice_take(&line, ' '), id = slice_take(&line, ' ');
	struct sts_policy *p = sts_policy_new(STS_NONE, 0);
	uint64_t fetched, age;
	int r = name_clean(name, domain) > 0 && id.n && id.n < STS_ID_MAX ? 0 : E_SYNTAX;

	if (r == 0)
		r = slice_u64(slice_take(&line, ' '), INT64_MAX / 2, &fetched);
	if (r == 0)
		r = sts_mode_parse(slice_take(&line, ' '), &p->mode);
	if (r == 0)
		r = slice_u64(slice_take(&line, ' '), STS_AGE_MAX_S, &age);
	while (r == 0 && line.n)
		r = sts_policy_add(p, slice_take(&line, ' '));
	if (r == 0) {
		/* A clock that was set back does not make it last for ever. */
		fetched = MIN_OF(fetched, (uint64_t)now_ms);
		p->max_age_s = (uint32_t)age;
		set(get(c, slice_str(domain)), id, p, (int64_t)fetched);
	}
	(void)sts_policy_unref(p);
	return r;
}

/* Lines that are wrong are left out. */
static void read_all(struct sts_cache *c, struct slice text)
{
	bool ended = false;

	c->lost = !slice_eq(slice_take(&text, '\n'), SLICE(FIRST_LINE));
	while (text.n && !c->lost && !ended) {
		struct slice line = slice_take(&text, '\n'), count = line;
		if (slice_strip(&count, SLICE("end ")))
			ended = true;
		else if (read_entry(c, line, clock_wall_ms()) < 0)
			c->lost = true;
	}
	c->lost = c->lost || !ended;
}

struct sts_cache *sts_cache_new(const struct disk *disk, int dirfd)
{
	struct sts_cache *c = must_alloc(sizeof(*c));
	struct buf text;
	int r;

	pthread_mutex_init(&c->lock, NULL);
	map_init(&c->map);
	list_init(&c->lru);
	c->disk = disk;
	c->dirfd = dirfd;
	buf_init(&text, 0);
	r = beside_read(disk, dirfd, STS_CACHE_FILE, FILE_MAX, &text);
	if (r == 0)
		read_all(c, buf_data(&text));
	else
		c->lost = r != -ENOENT;
	buf_free(&text);
	return c;
}

bool sts_cache_lost(const struct sts_cache *c)
{
	return c->lost;
}

struct sts_cache *sts_cache_free(struct sts_cache *c)
{
	struct kept_policy *k;

	if (!c)
		return NULL;
	list_each(&c->lru, k, struct kept_policy, lru)
		drop(c, k);
	map_free(&c->map);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return NULL;
}
