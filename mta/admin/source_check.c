/* mta/admin/source_check.c - postern source check: asks a lane to look at a source, and waits for
 * what it finds. */
#include "mta/site/check.h"

#include "mta/admin/commands.h"
#include "mta/egress/egress.h"

/* Posted to a lane and back. */
struct source_look {
	struct note note;
	struct check_user user;
	struct lane *lane;
	struct source_check *check;
	struct query *query;
};

static void put_finding(struct branch *row, const struct check_finding *f)
{
	static const char *const results[] = {
		[CHECK_GOOD] = "good", [CHECK_BAD] = "bad", [CHECK_UNKNOWN] = "unknown"
	};

	branch_str(row, "what", f->what);
	branch_str(row, "result", results[f->result]);
	branch_str(row, "text", f->text);
	branch_str(row, "advice", f->advice);
}

static void is_back(struct note *n, struct lane *front)
{
	struct source_look *l = container_of(n, struct source_look, note);
	struct query *q = l->query;
	struct branch *rows = branch_list(q->out, "findings");
	const struct check_finding *f;
	bool good = true;

	(void)front;
	for (unsigned i = 0; (f = check_finding(l->check, i)) != NULL; i++) {
		put_finding(branch_map(rows, NULL), f);
		good = good && f->result != CHECK_BAD;
	}
	branch_bool(q->out, "good", good);
	(void)check_free(l->check);
	free(l);
	query_answer(q);
}

static void found(struct check_user *u)
{
	struct source_look *l = container_of(u, struct source_look, user);

	l->note.run = is_back;
	lane_post(engine_front(lane_engine(l->lane)), &l->note);
}

static void look(struct note *n, struct lane *lane)
{
	struct source_look *l = container_of(n, struct source_look, note);

	l->lane = lane;
	check_start(l->check, sites_of(lane), &l->user);
}

/* `source` is checked as the first entry with this address greets. */
int admin_begin_source_check(struct query *q)
{
	struct egress_fact f;
	int r = admin_known_source(q, "", &f);

	if (r == 0)
		branch_str(q->out, "ehlo", f.entry->ehlo);
	return r;
}

int admin_finish_source_check(struct query *q)
{
	struct source_look *l;
	struct egress_fact f;
	int r = admin_known_source(q, "", &f);

	if (r < 0)
		return r;
	l = must_alloc(sizeof(*l));
	l->query = q;
	l->user.done = found;
	l->check = check_new(&f.entry->ip, f.entry->ehlo, f.entry->proxy != NULL);
	l->note.run = look;
	lane_post(engine_lane(q->server->engine, 0), &l->note);
	return 0;
}
