/* mta/admin/queue.c - what is queued: counts, recipients, reasons. */
#include <stdio.h>

#include "base/clock.h"
#include "mta/admin/commands.h"
#include "mta/inspect/why.h"
#include "schema/wire/meta.h"

enum { COUNTS_MAX = 200000, COUNTS_SLICE = 512, PATIENCE_US = 1800 * 1000 };

/* ---- queue ------------------------------------------------------------------------------- */

int admin_begin_queue(struct query *q)
{
	(void)q;
	return 0;
}

static void keep_count(void *arg, const struct inspect_count *c)
{
	struct query_part *p = arg;
	struct inspect_count *kept;

	if (p->n_counts == COUNTS_MAX)
		return; /* the engine itself may know more domains than an answer holds */
	if (p->n_counts == p->cap_counts) {
		p->cap_counts = p->cap_counts ? p->cap_counts * 2 : 64;
		p->counts = must_resize(p->counts, p->cap_counts * sizeof(*p->counts));
	}
	kept = &p->counts[p->n_counts++];
	*kept = *c;
	kept->name = tree_copy(p->tree, c->name);
	kept->site = tree_copy(p->tree, c->site);
	kept->reply = tree_copy(p->tree, c->reply);
}

void admin_lane_queue(struct query *q, struct query_part *p, struct lane *l)
{
	bool more;

	if (p->counted) {
		p->again = inspect_counts_each(p->counting, COUNTS_SLICE, keep_count, p);
		return;
	}
	if (!p->counting) {
		p->counting = inspect_counts_new(l, (enum inspect_by)q->by);
		p->end_us = clock_mono_us() + PATIENCE_US;
	}
	more = inspect_counts_go(p->counting);
	p->counted = !more || clock_mono_us() >= p->end_us;
	p->partial = more && p->counted;
	p->again = true;
}

static uint64_t total(const struct inspect_count *c)
{
	return c->ready + c->deferred + c->held + c->in_flight + c->routing;
}

static int compare_slices(struct slice a, struct slice b)
{
	int r = memcmp(a.p ? a.p : "", b.p ? b.p : "", MIN_OF(a.n, b.n));

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *va, const void *vb)
{
	const struct inspect_count *a = va, *b = vb;

	if (a->tenant != b->tenant)
		return a->tenant < b->tenant ? -1 : 1;
	if (a->campaign != b->campaign)
		return a->campaign < b->campaign ? -1 : 1;
	return compare_slices(a->name, b->name);
}

static int by_size(const void *va, const void *vb)
{
	const struct inspect_count *a = va, *b = vb;
	uint64_t x = total(a), y = total(b);

	return x == y ? by_key(va, vb) : x < y ? 1 : -1;
}

static int64_t earlier(int64_t a, int64_t b) /* 0: unknown */
{
	return !a ? b : !b ? a : MIN_OF(a, b);
}

static void add_up(struct inspect_count *to, const struct inspect_count *c)
{
	to->ready += c->ready;
	to->deferred += c->deferred;
	to->held += c->held;
	to->in_flight += c->in_flight;
	to->routing += c->routing;
	to->oldest_ms = earlier(to->oldest_ms, c->oldest_ms);
	to->next_ms = earlier(to->next_ms, c->next_ms);
	to->attempts = MAX_OF(to->attempts, c->attempts);
	if (c->reply_ms > to->reply_ms) {
		to->reply_ms = c->reply_ms;
		to->code = c->code;
		to->status = c->status;
		to->reply = c->reply;
	}
}

/* The counts of all lanes in one array, each key once.  Gives how many. */
static size_t merge(const struct query *q, struct inspect_count **ret)
{
	unsigned lanes = engine_lanes(q->server->engine);
	size_t n = 0, kept = 0;
	struct inspect_count *all;

	for (unsigned i = 0; i < lanes; i++)
		n += q->parts[i].n_counts;
	all = must_alloc(MAX_OF(n, (size_t)1) * sizeof(*all));
	n = 0;
	for (unsigned i = 0; i < lanes; i++) {
		if (q->parts[i].n_counts)
			memcpy(all + n, q->parts[i].counts, q->parts[i].n_counts * sizeof(*all));
		n += q->parts[i].n_counts;
	}
	qsort(all, n, sizeof(*all), by_key);
	for (size_t i = 0; i < n; i++) {
		if (kept && by_key(&all[kept - 1], &all[i]) == 0)
			add_up(&all[kept - 1], &all[i]);
		else
			all[kept++] = all[i];
	}
	qsort(all, kept, sizeof(*all), by_size);
	*ret = all;
	return kept;
}

static void put_reply(struct branch *row, const struct inspect_count *c)
{
	char status[STATUS_TEXT_MAX];

	if (c->paused_until_ms)
		branch_int(row, "paused_until_ms", c->paused_until_ms);
	if (!c->reply_ms)
		return;
	branch_int(row, "code", c->code);
	branch_str(row, "dsn", status_format(c->status, status));
	branch_slice(row, "reply", c->reply);
	branch_int(row, "reply_ms", c->reply_ms);
}

static void put_count(struct branch *row, unsigned by, const struct inspect_count *c)
{
	static const char *const names[INSPECT_KEYS] = {
		[INSPECT_DOMAIN] = "domain",     [INSPECT_SITE] = "site",
		[INSPECT_PROVIDER] = "provider", [INSPECT_POOL] = "pool",
		[INSPECT_SOURCE] = "source",     [INSPECT_CLASS] = "class",
		[INSPECT_STREAM] = "stream",
	};

	if (names[by])
		branch_slice(row, names[by], c->name);
	else if (by != INSPECT_REPLY)
		branch_int(row, "tenant", (int64_t)c->tenant);
	if (by == INSPECT_DOMAIN)
		branch_slice(row, "site", c->site);
	if (by == INSPECT_CAMPAIGN)
		branch_int(row, "campaign", (int64_t)c->campaign);
	branch_int(row, "queued", (int64_t)total(c));
	branch_int(row, "ready", (int64_t)(c->ready + c->routing));
	branch_int(row, "deferred", (int64_t)c->deferred);
	branch_int(row, "held", (int64_t)c->held);
	branch_int(row, "in_flight", (int64_t)c->in_flight);
	branch_int(row, "oldest_ms", c->oldest_ms);
	branch_int(row, "next_ms", c->next_ms);
	branch_int(row, "attempts", c->attempts);
	if (by == INSPECT_DOMAIN || by == INSPECT_REPLY)
		put_reply(row, c);
}

int admin_finish_queue(struct query *q)
{
	struct branch *rows = branch_list(q->out, "rows");
	struct inspect_count *all;
	size_t n = merge(q, &all);
	uint64_t queued = 0;

	for (size_t i = 0; i < n; i++) {
		queued += total(&all[i]);
		if (i < q->max)
			put_count(branch_map(rows, NULL), q->by, &all[i]);
	}
	branch_int(q->out, "groups", (int64_t)n);
	branch_int(q->out, "queued", (int64_t)queued);
	branch_bool(q->out, "partial", query_is_partial(q));
	free(all);
	query_answer(q);
	return 0;
}

/* ---- show -------------------------------------------------------------------------------- */

int admin_begin_show(struct query *q)
{
	return query_selector(q);
}

static void put_meta(struct query *q, struct branch *job, job_no no)
{
	struct wire_job_meta meta;
	struct buf bytes = { 0 };

	if (spool_read_job(engine_spool(q->server->engine), no, &bytes, NULL) == 0 &&
	    wire_job_meta_get(buf_data(&bytes), &meta) == 0) {
		branch_slice(job, "mail_from", meta.mail_from);
		branch_slice(job, "origin", meta.origin);
		branch_slice(job, "pool", meta.pool);
	}
	buf_free(&bytes);
}

static int put_job(struct query *q)
{
	struct spool *sp = engine_spool(q->server->engine);
	struct branch *job;
	struct job_info info;
	char id[ID_TEXT_MAX];
	job_no no;
	int r = spool_find_job(sp, q->selector.terms[0].job, &no);

	if (r == 0)
		r = spool_job_info(sp, no, &info);
	if (r < 0)
		return r;
	job = branch_map(q->out, "job");
	branch_str(job, "id", id_format(info.id, id));
	branch_str(job, "content", id_format(info.content, id));
	branch_int(job, "tenant", (int64_t)info.tenant);
	branch_int(job, "campaign", (int64_t)info.campaign);
	branch_str(job, "class", info.class == CLASS_TRANSACTIONAL ? "transactional" : "bulk");
	branch_int(job, "accepted_ms", info.accepted_ms);
	branch_int(job, "expires_ms", info.expires_ms);
	branch_int(job, "rows", info.rows);
	branch_int(job, "rows_live", info.rows_live);
	put_meta(q, job, no);
	return 0;
}

int admin_finish_show(struct query *q)
{
	int r = 0;

	bool job = selector_is(&q->selector, SELECT_JOB) || selector_is(&q->selector, SELECT_RCPT);

	if (job)
		r = put_job(q);
	if (r == E_UNKNOWN)
		return admin_read_history(q); /* it has ended */
	if (r < 0)
		return r;
	/* A job of which nobody waits any more is an answer; nobody of a domain is none. */
	if (!query_sum(q) && !job) {
		query_fail(q, E_UNKNOWN, "nothing that this names is queued");
		return 0;
	}
	query_join_rows(q, "recipients");
	branch_bool(q->out, "more", query_sum(q) > q->max);
	q->live = selector_is(&q->selector, SELECT_JOB) || query_sum(q);
	if (job)
		return admin_read_history(q);
	query_answer(q);
	return 0;
}

/* ---- why --------------------------------------------------------------------------------- */

int admin_begin_why(struct query *q)
{
	return query_selector(q);
}

static int put_reason(void *arg, const struct why_reason *reason)
{
	struct branch *row = branch_map(((struct query_part *)arg)->rows, NULL);

	branch_str(row, "kind", reason->kind);
	branch_str(row, "text", reason->text);
	branch_int(row, "until_ms", reason->until_ms);
	branch_int(row, "since_ms", reason->since_ms);
	branch_str(row, "release", reason->release);
	return 0;
}

void admin_lane_why(struct query *q, struct query_part *p, struct lane *l)
{
	bool more;

	if (!p->why) {
		p->why = why_new(l, &q->selector);
		p->end_us = clock_mono_us() + PATIENCE_US;
	}
	more = why_go(p->why, WALK_SLICE_US);
	p->again = more && clock_mono_us() < p->end_us;
	p->partial = more && !p->again;
	if (!p->again)
		p->count = why_tell(p->why, put_reason, p) > 0;
}

static bool is_told(const struct value *row, const struct value *rows, uint32_t n)
{
	struct slice kind = value_member(row, SLICE("kind"))->s;
	struct slice text = value_member(row, SLICE("text"))->s;

	for (uint32_t i = 0; i < n && why_is_shared(kind); i++)
		if (slice_eq(value_member(&rows->items[i], SLICE("kind"))->s, kind) &&
		    slice_eq(value_member(&rows->items[i], SLICE("text"))->s, text))
			return true;
	return false;
}

/* Lanes may say the same of what all of them share. */
static void join_reasons(struct query *q)
{
	struct branch *all = branch_list(q->out, "reasons");
	unsigned lanes = engine_lanes(q->server->engine);

	for (unsigned i = 0; i < lanes; i++) {
		const struct value *rows = &tree_value(q->parts[i].tree)->members[0].value;
		for (uint32_t k = 0; k < rows->count && branch_count(all) < q->max; k++) {
			bool told = is_told(&rows->items[k], rows, k);
			for (unsigned j = 0; j < i && !told; j++) {
				const struct value *before =
				    &tree_value(q->parts[j].tree)->members[0].value;
				told = is_told(&rows->items[k], before, before->count);
			}
			if (!told)
				branch_value(all, NULL, &rows->items[k]);
		}
	}
}

int admin_finish_why(struct query *q)
{
	if (!query_sum(q)) {
		query_fail(q, E_UNKNOWN, "nothing that this names is queued, or nothing binds it");
		return 0;
	}
	branch_str(q->out, "selector", q->what);
	branch_bool(q->out, "partial", query_is_partial(q));
	join_reasons(q);
	query_answer(q);
	return 0;
}
