/* spool/cli/offline.c - reads the spool without the engine's help, while it runs or not: what is
 * queued, and what is in the log. */
#include <stdio.h>

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

/* ---- recipients -------------------------------------------------------------------------- */

int offline_each_row(struct spool *sp, job_no job, const struct job_info *info,
		     offline_row_fn *each, void *arg)
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
	r = offline_each_row(sp, job, &info, put_live, look);
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
