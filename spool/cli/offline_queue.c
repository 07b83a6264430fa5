/* spool/cli/offline_queue.c - what is queued, counted from the spool's files alone: by what the
 * files say of a recipient.  Where mail would go only an engine knows. */
#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"
#include "message/judge/class.h"
#include "schema/wire/meta.h"
#include "spool/cli/cli.h"

struct group {
	struct map_link link;
	uint64_t tenant, campaign;
	uint64_t queued, deferred;
	int64_t oldest_ms, next_ms;
	unsigned attempts;
	size_t n;
	char name[]; /* the domain, class, stream or pool */
};
struct groups {
	struct map map;
	const struct by *by;
	struct spool *spool;
	struct buf meta; /* of the job that is looked at */
	struct slice stream, pool;
	uint64_t queued;
};
/* One recipient. */
struct seen {
	const struct job_info *info;
	struct slice address;
	uint16_t attempts;
	int64_t next_ms;
};

/* ---- the keys ---------------------------------------------------------------------------- */

static struct slice by_domain(const struct groups *g, const struct seen *s)
{
	struct slice local, domain = SLICE("");

	(void)g;
	(void)slice_cut_last(s->address, '@', &local, &domain);
	return domain;
}

static struct slice by_pool(const struct groups *g, const struct seen *s)
{
	(void)s;
	return g->pool;
}

static struct slice by_stream(const struct groups *g, const struct seen *s)
{
	return g->stream.n                             ? g->stream
	       : s->info->class == CLASS_TRANSACTIONAL ? SLICE("transactional")
						       : SLICE("bulk");
}

/* Of a deferred one it stands in what is less than a second (docs/SPOOL.md). */
static struct slice by_class(const struct groups *g, const struct seen *s)
{
	int64_t number = s->attempts ? s->next_ms % 1000 : 0;

	(void)g;
	return number && number <= JUDGE_CLASSES
		   ? slice_str(judge_class_name((enum judge_class)(number - 1)))
		   : SLICE("");
}

static const struct by {
	const char *key;
	struct slice (*name)(const struct groups *g, const struct seen *s); /* NULL: a number */
	const char *unknown; /* why the files do not tell; NULL: they do */
} keys[] = {
	{ "domain", by_domain, NULL },
	{ "tenant", NULL, NULL },
	{ "campaign", NULL, NULL },
	{ "stream", by_stream, NULL },
	{ "pool", by_pool, NULL },
	{ "class", by_class, NULL },
	{ "site", NULL, "where mail goes is in DNS, which an engine asks" },
	{ "provider", NULL, "where mail goes is in DNS, which an engine asks" },
	{ "source", NULL, "which sources a pool has is in the configuration and in orders" },
	{ "reply", NULL,
	  "the last reply of a domain is not kept in the spool; postern show ID has "
	  "that of a recipient" },
};

static const struct by *find_key(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(key, keys[i].key) == 0)
			return &keys[i];
	return NULL;
}

/* ---- counting ---------------------------------------------------------------------------- */

static struct group *group_of(struct groups *g, uint64_t tenant, uint64_t campaign,
			      struct slice name)
{
	uint64_t hash = hash_mix(hash_mix(tenant) ^ campaign) ^ hash_keyed(name);
	struct group *at;

	for (struct map_link *l = map_find(&g->map, hash); l; l = map_find_next(l)) {
		at = container_of(l, struct group, link);
		if (at->tenant == tenant && at->campaign == campaign &&
		    slice_eq(slice_of(at->name, at->n), name))
			return at;
	}
	at = must_alloc(sizeof(*at) + name.n + 1);
	at->tenant = tenant;
	at->campaign = campaign;
	at->n = name.n;
	if (name.n)
		memcpy(at->name, name.p, name.n);
	map_insert(&g->map, &at->link, hash);
	return at;
}

static struct group *find_group(struct groups *g, const struct seen *s)
{
	bool campaign = strcmp(g->by->key, "campaign") == 0;

	if (g->by->name)
		return group_of(g, 0, 0, g->by->name(g, s));
	return group_of(g, s->info->tenant, campaign ? s->info->campaign : 0, slice_of("", 0));
}

static void count_one(void *arg, const struct job_info *info, uint32_t row, struct slice address,
		      uint16_t attempts, int64_t next_ms)
{
	const struct seen s = { info, address, attempts, next_ms };
	struct groups *g = arg;
	struct group *at = find_group(g, &s);

	(void)row;
	at->queued++;
	g->queued++;
	at->attempts = MAX_OF(at->attempts, (unsigned)attempts);
	if (!at->oldest_ms || info->accepted_ms < at->oldest_ms)
		at->oldest_ms = info->accepted_ms;
	if (!attempts)
		return;
	at->deferred++;
	if (!at->next_ms || next_ms < at->next_ms)
		at->next_ms = next_ms;
}

/* What the job says of its stream and pool. */
static int read_meta(struct groups *g, job_no job)
{
	struct wire_job_meta meta;
	int r;

	buf_clear(&g->meta);
	r = spool_read_job(g->spool, job, &g->meta, NULL);
	if (r == 0)
		r = wire_job_meta_get(buf_data(&g->meta), &meta);
	if (r < 0)
		return r;
	g->stream = meta.stream;
	g->pool = meta.pool.n ? meta.pool : SLICE("default");
	return 0;
}

static int count_job(struct groups *g, job_no job)
{
	struct job_info info;
	int r = spool_job_info(g->spool, job, &info);

	if (r == 0 && (g->by->name == by_stream || g->by->name == by_pool))
		r = read_meta(g, job);
	return r < 0 ? r : offline_each_row(g->spool, job, &info, count_one, g);
}

static int count_all(struct groups *g)
{
	uint64_t cursor = 0;
	job_no job;
	int r;

	while ((r = spool_next_job(g->spool, &cursor, &job)) == 0) {
		r = count_job(g, job);
		if (r < 0)
			return r;
	}
	return r == E_UNKNOWN ? 0 : r;
}

/* ---- the answer -------------------------------------------------------------------------- */

static int larger_first(const void *va, const void *vb)
{
	const struct group *a = *(struct group *const *)va, *b = *(struct group *const *)vb;

	return a->queued == b->queued ? strcmp(a->name, b->name) : a->queued < b->queued ? 1 : -1;
}

static void put_group(struct branch *row, const struct by *by, const struct group *at)
{
	if (by->name)
		branch_slice(row, by->key, slice_of(at->name, at->n));
	else
		branch_int(row, "tenant", (int64_t)at->tenant);
	if (strcmp(by->key, "campaign") == 0)
		branch_int(row, "campaign", (int64_t)at->campaign);
	branch_int(row, "queued", (int64_t)at->queued);
	branch_int(row, "deferred", (int64_t)at->deferred);
	branch_int(row, "oldest_ms", at->oldest_ms);
	branch_int(row, "next_ms", at->next_ms);
	branch_int(row, "attempts", at->attempts);
}

/* Puts and frees them. */
static void put_groups(struct groups *g, uint64_t max, struct branch *out)
{
	struct group **all = must_alloc((g->map.count + 1) * sizeof(struct group *));
	struct branch *rows = branch_list(out, "rows");
	struct map_link *l = NULL;
	size_t pos = 0, n = 0;

	while ((l = map_next(&g->map, &pos, l)))
		all[n++] = container_of(l, struct group, link);
	qsort(all, n, sizeof(struct group *), larger_first);
	for (size_t i = 0; i < n; i++) {
		if (i < max)
			put_group(branch_map(rows, NULL), g->by, all[i]);
		free(all[i]);
	}
	branch_int(out, "groups", (int64_t)n);
	branch_int(out, "queued", (int64_t)g->queued);
	free(all);
	map_free(&g->map);
}

int offline_queue(struct cli *c, struct tree *out)
{
	struct groups g = { .by = find_key(c->by) };
	OWNED(spool) sp = NULL;
	int r;

	if (!g.by || g.by->unknown) {
		(void)snprintf(c->error, sizeof(c->error),
			       "without a running engine the queue cannot be counted by %s: %s",
			       c->by, g.by ? g.by->unknown : "the spool does not tell it");
		return E_SYNTAX;
	}
	r = offline_open(c, &sp);
	if (r < 0)
		return r;
	g.spool = sp;
	map_init(&g.map);
	r = count_all(&g);
	put_groups(&g, c->max, tree_map(out));
	buf_free(&g.meta);
	return r;
}
