/* spool/cli/offline.c - reads the spool without the engine's help, while it runs or not: what is
 * queued, and what is in the log. */
#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"
#include "schema/wire/meta.h"
#include "spool/cli/cli.h"
#include "spool/report.h"

int offline_open(struct cli *c, struct spool **ret)
{
	struct spool_recovery found = { 0 };
	struct spool_options o = { .dir = c->spool_path, .read_only = true, .recovery = &found };
	int r = spool_open(ret, &o);

	if (r < 0 && *found.bad_segment)
		(void)snprintf(c->error, sizeof(c->error),
			       "%s/%s, offset %llu: %s (%s); run postern spool repair",
			       c->spool_path, found.bad_segment,
			       (unsigned long long)found.bad_offset, found.reason, err_text(r));
	else if (r < 0)
		(void)snprintf(c->error, sizeof(c->error),
			       "no engine answers at %s, and the spool %s cannot be read: %s; name "
			       "them with --socket or --spool",
			       c->socket_path, c->spool_path, err_text(r));
	return r == -ENOENT ? -ECONNREFUSED : r; /* neither engine nor spool */
}

int offline_status(struct cli *c, struct tree *out)
{
	OWNED(spool) sp = NULL;
	struct books k;
	int r = offline_open(c, &sp);

	if (r < 0)
		return r;
	spool_books(sp, &k);
	branch_str(tree_map(out), "spool", c->spool_path);
	report_books(branch_map(tree_map(out), "books"), &k);
	return 0;
}

/* ---- queue ------------------------------------------------------------------------------- */

struct group {
	struct map_link link;
	uint64_t tenant, campaign;
	uint64_t queued, deferred;
	int64_t oldest_ms, next_ms;
	size_t n;
	char name[]; /* the domain */
};
struct groups {
	struct map map;
	const char *by;
	uint64_t queued;
};

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

static struct slice domain_of(struct slice address)
{
	struct slice local, domain = SLICE("");

	(void)slice_cut_last(address, '@', &local, &domain);
	return domain;
}

static void count_row(struct groups *g, const struct job_info *info, struct slice address,
		      uint16_t attempts, int64_t next_ms)
{
	struct group *at;

	if (strcmp(g->by, "domain") == 0)
		at = group_of(g, 0, 0, domain_of(address));
	else
		at = group_of(g, info->tenant, strcmp(g->by, "campaign") == 0 ? info->campaign : 0,
			      slice_of("", 0));
	at->queued++;
	g->queued++;
	if (!at->oldest_ms || info->accepted_ms < at->oldest_ms)
		at->oldest_ms = info->accepted_ms;
	if (!attempts)
		return;
	at->deferred++;
	if (!at->next_ms || next_ms < at->next_ms)
		at->next_ms = next_ms;
}

/* Gives every live row of a job. */
static int each_live_row(struct spool *sp, job_no job, const struct job_info *info,
			 void (*each)(void *arg, const struct job_info *info, uint32_t row,
				      struct slice address, uint16_t attempts, int64_t next_ms),
			 void *arg)
{
	OWNED(wire_rows) rows = NULL;
	struct buf data = { 0 };
	int r = spool_read_job(sp, job, NULL, &data);

	if (r == 0)
		r = wire_rows_open(&rows, buf_data(&data), info->rows);
	for (uint32_t i = 0; r == 0 && i < info->rows; i++) {
		uint16_t attempts = 0;
		int64_t next_ms = 0;
		if (spool_row_live(sp, job, i, &attempts, &next_ms))
			each(arg, info, i, wire_rows_address(rows, i), attempts, next_ms);
	}
	buf_free(&data);
	return r;
}

static void count_one(void *arg, const struct job_info *info, uint32_t row, struct slice address,
		      uint16_t attempts, int64_t next_ms)
{
	(void)row;
	count_row(arg, info, address, attempts, next_ms);
}

static int count_all(struct spool *sp, struct groups *g)
{
	struct job_info info;
	uint64_t cursor = 0;
	job_no job;
	int r;

	while ((r = spool_next_job(sp, &cursor, &job)) == 0) {
		r = spool_job_info(sp, job, &info);
		if (r == 0)
			r = each_live_row(sp, job, &info, count_one, g);
		if (r < 0)
			return r;
	}
	return r == E_UNKNOWN ? 0 : r;
}

static int larger_first(const void *va, const void *vb)
{
	const struct group *a = *(struct group *const *)va, *b = *(struct group *const *)vb;

	return a->queued == b->queued ? strcmp(a->name, b->name) : a->queued < b->queued ? 1 : -1;
}

static void put_group(struct branch *row, const char *by, const struct group *at)
{
	if (strcmp(by, "domain") == 0)
		branch_slice(row, "domain", slice_of(at->name, at->n));
	else
		branch_int(row, "tenant", (int64_t)at->tenant);
	if (strcmp(by, "campaign") == 0)
		branch_int(row, "campaign", (int64_t)at->campaign);
	branch_int(row, "queued", (int64_t)at->queued);
	branch_int(row, "deferred", (int64_t)at->deferred);
	branch_int(row, "oldest_ms", at->oldest_ms);
	branch_int(row, "next_ms", at->next_ms);
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
	struct groups g = { .by = c->by };

	if (strcmp(c->by, "site") == 0 || strcmp(c->by, "provider") == 0 ||
	    strcmp(c->by, "pool") == 0) {
		(void)snprintf(c->error, sizeof(c->error),
			       "only a running engine knows sites, providers and pools");
		return E_SYNTAX;
	}
	OWNED(spool) sp = NULL;
	int r = offline_open(c, &sp);

	if (r < 0)
		return r;
	map_init(&g.map);
	r = count_all(sp, &g);
	put_groups(&g, c->max, tree_map(out));
	return r;
}

/* ---- show -------------------------------------------------------------------------------- */

struct looking {
	struct id128 id;
	bool any_row;
	uint32_t row;
	uint64_t max;
	struct branch *out;
	bool found, more; /* more: than max */
};

static void put_live(void *arg, const struct job_info *info, uint32_t row, struct slice address,
		     uint16_t attempts, int64_t next_ms)
{
	struct looking *look = arg;
	struct branch *b;
	char id[ID_TEXT_MAX];

	if (!look->any_row && row != look->row)
		return;
	look->more |= branch_count(look->out) >= look->max;
	if (look->more)
		return;
	b = branch_map(look->out, NULL);
	branch_str(b, "job", id_format(info->id, id));
	branch_int(b, "row", row);
	branch_slice(b, "address", address);
	branch_str(b, "state", attempts ? "deferred" : "ready");
	branch_int(b, "attempts", attempts);
	branch_int(b, "next_ms", next_ms);
	branch_int(b, "accepted_ms", info->accepted_ms);
	branch_int(b, "expires_ms", info->expires_ms);
}

static void put_job(struct branch *b, const struct job_info *info)
{
	char id[ID_TEXT_MAX];

	branch_str(b, "id", id_format(info->id, id));
	branch_int(b, "tenant", (int64_t)info->tenant);
	branch_int(b, "campaign", (int64_t)info->campaign);
	branch_str(b, "class", info->class == CLASS_TRANSACTIONAL ? "transactional" : "bulk");
	branch_int(b, "accepted_ms", info->accepted_ms);
	branch_int(b, "expires_ms", info->expires_ms);
	branch_int(b, "rows", info->rows);
	branch_int(b, "rows_live", info->rows_live);
}

static int show_live(struct spool *sp, struct looking *look, struct tree *out)
{
	struct job_info info;
	job_no job;
	int r = spool_find_job(sp, look->id, &job);

	if (r == 0)
		r = spool_job_info(sp, job, &info);
	if (r < 0)
		return r == E_UNKNOWN ? 0 : r;
	look->found = true;
	put_job(branch_map(tree_map(out), "job"), &info);
	look->out = branch_list(tree_map(out), "recipients");
	r = each_live_row(sp, job, &info, put_live, look);
	branch_bool(tree_map(out), "more", look->more);
	return r;
}

static int look_at_event(void *arg, const struct event *e)
{
	struct looking *look = arg;
	bool row = e->kind == EVENT_ACCEPTED || look->any_row || e->row == look->row;

	if (!id_eq(e->job, look->id) || !row)
		return 0;
	look->found = true;
	if (branch_count(look->out) < look->max)
		report_event(branch_map(look->out, NULL), e);
	else
		look->more = true;
	return 0;
}

static int show_history(struct spool *sp, struct looking *look, struct tree *out)
{
	lsn_t at = spool_oldest(sp), next = at;

	look->out = branch_list(tree_map(out), "history");
	look->more = false;
	do {
		int r;
		at = next;
		r = spool_events(sp, at, 100000, look_at_event, look, &next);
		if (r < 0)
			return r;
	} while (next != at);
	branch_bool(tree_map(out), "more_history", look->more);
	return 0;
}

int offline_show(struct cli *c, struct tree *out)
{
	const char *colon = strchr(c->args[0], ':');
	size_t n = colon ? (size_t)(colon - c->args[0]) : strlen(c->args[0]);
	struct looking look = { .any_row = !colon, .max = c->max };
	OWNED(spool) sp = NULL;
	uint64_t row = 0;
	int r = id_parse(slice_of(c->args[0], n), &look.id);

	if (r == 0 && colon)
		r = slice_u64(slice_str(colon + 1), WIRE_ROWS_MAX, &row);
	if (r < 0) {
		(void)snprintf(c->error, sizeof(c->error),
			       "\"%s\" is not ID or ID:ROW; only a running engine can show other "
			       "selectors",
			       c->args[0]);
		return E_SYNTAX;
	}
	look.row = (uint32_t)row;
	r = offline_open(c, &sp);
	if (r == 0)
		r = show_live(sp, &look, out);
	if (r == 0)
		r = show_history(sp, &look, out);
	if (r == 0 && !look.found) {
		(void)snprintf(c->error, sizeof(c->error),
			       "no job %s in the queue or the log; the log forgets jobs some time "
			       "after they ended",
			       c->args[0]);
		return E_UNKNOWN;
	}
	return r;
}

/* ---- events ------------------------------------------------------------------------------ */

static int put_any(void *arg, const struct event *e)
{
	report_event(branch_map(arg, NULL), e);
	return 0;
}

static int read_events(struct cli *c, struct spool *sp,
		       int (*each)(void *arg, const struct event *e), void *arg, lsn_t *next)
{
	lsn_t from = *next;
	int r =
	    spool_events(sp, from, (uint32_t)MIN_OF(c->max, (uint64_t)UINT32_MAX), each, arg, next);

	return r < 0 ? report_no_events(sp, from, r, c->error, sizeof(c->error)) : 0;
}

struct giving {
	void (*each)(const struct value *event);
};

int offline_events(struct cli *c, struct tree *out)
{
	struct branch *list = branch_list(tree_map(out), "events");
	OWNED(spool) sp = NULL;
	lsn_t next;
	int r = offline_open(c, &sp);

	if (r < 0)
		return r;
	next = c->from ? c->from : spool_oldest(sp);
	r = read_events(c, sp, put_any, list, &next);
	if (r < 0)
		return r;
	branch_int(tree_map(out), "next", (int64_t)next);
	branch_bool(tree_map(out), "more", next < spool_durable(sp));
	return 0;
}

static int give_one(void *arg, const struct event *e)
{
	OWNED(tree) t = tree_new();
	struct giving *g = arg;

	report_event(tree_map(t), e);
	g->each(tree_value(t));
	return 0;
}

int offline_each_event(struct cli *c, void (*each)(const struct value *event), bool *ret_more)
{
	struct giving g = { each };
	OWNED(spool) sp = NULL;
	int r = offline_open(c, &sp);

	if (r < 0)
		return r;
	c->from = c->from ? c->from : spool_oldest(sp);
	r = read_events(c, sp, give_one, &g, &c->from);
	*ret_more = c->from < spool_durable(sp);
	return r;
}
