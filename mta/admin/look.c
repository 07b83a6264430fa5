/* mta/admin/look.c - looking at the recipients that a selector names, on every lane, in slices. */
#include "base/clock.h"
#include "mta/admin/commands.h"

enum { PATIENCE_US = 1800 * 1000 };

/* Begins the look; then a slice of it. */
static void go_on(struct query *q, struct query_part *p, struct lane *l,
		  bool (*each)(void *arg, rcpt_ref ref), bool patient)
{
	bool more;

	if (!p->walk) {
		p->walk = walk_new(l, &q->selector);
		p->end_us = clock_mono_us() + PATIENCE_US;
	}
	more = walk_go(p->walk, WALK_SLICE_US, each, p);
	p->again = more && (patient || clock_mono_us() < p->end_us);
	p->partial = more && !p->again;
}

static void put_rcpt(void *arg, const struct inspect_rcpt *r)
{
	struct branch *row = branch_map(((struct query_part *)arg)->rows, NULL);
	char id[ID_TEXT_MAX];

	branch_str(row, "job", id_format(r->job, id));
	branch_int(row, "row", r->row);
	branch_slice(row, "address", r->address);
	branch_str(row, "state", r->state);
	branch_int(row, "attempts", r->attempts);
	branch_str(row, "class", r->class);
	branch_int(row, "next_ms", r->next_ms);
	branch_int(row, "accepted_ms", r->accepted_ms);
	branch_int(row, "expires_ms", r->expires_ms);
	branch_int(row, "tenant", (int64_t)r->tenant);
	branch_int(row, "campaign", (int64_t)r->campaign);
}

static bool count_one(void *arg, rcpt_ref ref)
{
	struct query_part *p = arg;
	struct query *q = p->query;

	p->count++;
	if (p->count <= q->max)
		(void)inspect_rcpt(p->walk, ref, put_rcpt, p);
	p->held += walk_is_held(p->walk, queue_rcpt(walk_queue(p->walk), ref));
	return true;
}

void query_look_count(struct query *q, struct query_part *p, struct lane *l)
{
	go_on(q, p, l, count_one, false);
}

/* One past the limit is counted: it shows that there are more. */
static bool row_one(void *arg, rcpt_ref ref)
{
	struct query_part *p = arg;

	p->count++;
	return p->count <= p->query->max && (inspect_rcpt(p->walk, ref, put_rcpt, p), true);
}

void query_look_rows(struct query *q, struct query_part *p, struct lane *l)
{
	go_on(q, p, l, row_one, false);
}

/* ---- find -------------------------------------------------------------------------------- */

int admin_finish_find(struct query *q)
{
	branch_str(q->out, "selector", q->what);
	branch_int(q->out, "count", (int64_t)query_sum(q));
	branch_int(q->out, "held", (int64_t)query_held(q));
	branch_bool(q->out, "partial", query_is_partial(q));
	query_join_rows(q, "recipients");
	query_answer(q);
	return 0;
}

/* ---- retry ------------------------------------------------------------------------------- */

static bool retry_one(void *arg, rcpt_ref ref)
{
	struct query_part *p = arg;

	p->count++;
	inspect_retry(p->walk, ref);
	return true;
}

void admin_lane_retry(struct query *q, struct query_part *p, struct lane *l)
{
	if (q->preview) {
		query_look_count(q, p, l);
		return;
	}
	go_on(q, p, l, retry_one, true); /* an order is carried out to its end */
	if (!p->again && p->count)
		inspect_retry_end(p->walk);
}
