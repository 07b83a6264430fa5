/* mta/admin/query.c - one question: its arguments, its parts on the lanes, its answer. */
#include "mta/admin/query.h"

#include <stdio.h>

#include "base/log.h"
#include "mta/admin/commands.h"

bool query_text(const struct value *args, const char *name, char *buf, size_t cap)
{
	const struct value *v = value_member(args, slice_str(name));

	*buf = '\0';
	if (!v)
		return true;
	if (v->type != VALUE_STRING || v->s.n >= cap || memchr(v->s.p, '\0', v->s.n))
		return false;
	slice_copy(buf, cap, v->s);
	return true;
}

bool query_number(const struct value *args, const char *name, uint64_t *ret)
{
	const struct value *v = value_member(args, slice_str(name));

	if (!v)
		return true;
	if (v->type != VALUE_INT || v->i < 0)
		return false;
	*ret = (uint64_t)v->i;
	return true;
}

/* ---- the lanes --------------------------------------------------------------------------- */

static void all_are_back(struct query *q)
{
	int r = q->command->finish(q);

	if (r < 0)
		query_fail(q, r, q->fault);
}

static void run_back(struct note *n, struct lane *front)
{
	struct query_part *p = container_of(n, struct query_part, note);

	(void)front;
	if (--p->query->left == 0)
		all_are_back(p->query);
}

/* Every look at a lane is a chore of it, a short one too: many may ask at a time. */
static bool step(struct chore *c)
{
	struct query_part *p = container_of(c, struct query_part, chore);
	struct lane *l = p->lane;

	p->again = false;
	p->query->command->on_lane(p->query, p, l);
	if (p->again)
		return true;
	p->note.run = run_back;
	lane_post(engine_front(lane_engine(l)), &p->note);
	return false;
}

static void run_on_lane(struct note *n, struct lane *l)
{
	struct query_part *p = container_of(n, struct query_part, note);

	p->lane = l;
	chore_begin(l, &p->chore);
}

static void part_clear(struct query_part *p)
{
	p->tree = tree_free(p->tree);
	p->rows = NULL;
	p->count = 0;
	free(p->counts);
	p->counts = NULL;
	p->n_counts = p->cap_counts = 0;
	p->walk = walk_free(p->walk);
	p->counting = inspect_counts_free(p->counting);
	p->why = why_free(p->why);
	p->end_us = 0;
	p->partial = p->counted = false;
	p->held = 0;
}

void query_ask_lanes(struct query *q)
{
	struct engine *e = q->server->engine;
	unsigned n = engine_lanes(e);

	if (!q->parts)
		q->parts = must_alloc(n * sizeof(*q->parts));
	q->round++;
	q->left = n;
	for (unsigned i = 0; i < n; i++) {
		struct query_part *p = &q->parts[i];
		part_clear(p);
		p->tree = tree_new();
		p->rows = branch_list(tree_map(p->tree), "rows");
		p->query = q;
		p->note.run = run_on_lane;
		chore_init(&p->chore, step);
		lane_post(engine_lane(e, i), &p->note);
	}
}

uint64_t query_sum(const struct query *q)
{
	uint64_t sum = 0;

	for (unsigned i = 0; q->parts && i < engine_lanes(q->server->engine); i++)
		sum += q->parts[i].count;
	return sum;
}

uint64_t query_held(const struct query *q)
{
	uint64_t sum = 0;

	for (unsigned i = 0; q->parts && i < engine_lanes(q->server->engine); i++)
		sum += q->parts[i].held;
	return sum;
}

bool query_is_partial(const struct query *q)
{
	for (unsigned i = 0; q->parts && i < engine_lanes(q->server->engine); i++)
		if (q->parts[i].partial)
			return true;
	return false;
}

void query_author(const struct query *q, char *buf, size_t cap)
{
	if (*q->author && order_text_is_good(q->author))
		(void)snprintf(buf, cap, "%.60s (%.60s)", q->author, q->asker);
	else
		(void)snprintf(buf, cap, "%.60s", q->asker);
}

void query_join_rows(struct query *q, const char *name)
{
	struct branch *all = branch_list(q->out, name);

	for (unsigned i = 0; i < engine_lanes(q->server->engine); i++) {
		const struct value *rows = &tree_value(q->parts[i].tree)->members[0].value;
		for (uint32_t k = 0; k < rows->count && branch_count(all) < q->max; k++)
			branch_value(all, NULL, &rows->items[k]);
	}
}

/* ---- life -------------------------------------------------------------------------------- */

void query_free(struct query *q)
{
	for (unsigned i = 0; q->parts && i < engine_lanes(q->server->engine); i++) {
		chore_stop(&q->parts[i].chore);
		part_clear(&q->parts[i]);
	}
	lane_wait_cancel(q->server->front, &q->wait);
	orders_forget_writing(&q->writing);
	metrics_cancel(&q->metrics);
	timer_stop(lane_loop(q->server->front)->timers, &q->timer);
	list_remove(&q->link);
	q->server->n_queries--;
	tree_free(q->tree);
	free(q->parts);
	free(q);
}

void query_answer(struct query *q)
{
	if (q->client)
		frames_send(q->client, &(struct link_frame){ .type = LINK_REPORT,
							     .request = q->request,
							     .report = *tree_value(q->tree) });
	query_free(q);
}

void query_fail(struct query *q, int err, const char *text)
{
	if (q->client)
		frames_send_error(q->client, q->request, err,
				  slice_str(text && *text ? text : err_text(err)));
	query_free(q);
}

static bool take_shape(struct query *q, const struct value *args)
{
	const struct value *text = value_member(args, SLICE("text"));

	if (text && text->type != VALUE_STRING)
		return false;
	q->text = text ? tree_copy(q->tree, text->s) : SLICE("");
	return query_text(args, "key", q->key, sizeof(q->key)) &&
	       query_text(args, "value", q->value, sizeof(q->value)) &&
	       query_text(args, "author", q->author, sizeof(q->author)) &&
	       query_text(args, "source", q->source, sizeof(q->source)) &&
	       query_text(args, "pool", q->pool, sizeof(q->pool)) &&
	       query_number(args, "tenant", &q->tenant);
}

static bool take_order(struct query *q, const struct value *args)
{
	return query_text(args, "until", q->until, sizeof(q->until)) &&
	       query_text(args, "grace", q->grace, sizeof(q->grace)) &&
	       query_number(args, "order", &q->order) &&
	       query_text(args, "rate", q->rate, sizeof(q->rate)) &&
	       query_number(args, "connections", &q->connections);
}

static bool take_arguments(struct query *q, const struct value *args)
{
	const struct value *preview = value_member(args, SLICE("preview"));
	char by[16];
	uint64_t max = 1000;

	static const char *const names[] = {
		[INSPECT_DOMAIN] = "domain",     [INSPECT_TENANT] = "tenant",
		[INSPECT_CAMPAIGN] = "campaign", [INSPECT_SITE] = "site",
		[INSPECT_PROVIDER] = "provider", [INSPECT_POOL] = "pool",
		[INSPECT_SOURCE] = "source",     [INSPECT_CLASS] = "class",
		[INSPECT_REPLY] = "reply",       [INSPECT_STREAM] = "stream",
	};

	q->preview = preview && preview->type == VALUE_BOOL && preview->b;
	if (!take_shape(q, args) || !take_order(q, args) ||
	    !query_text(args, "what", q->what, sizeof(q->what)) ||
	    !query_text(args, "by", by, sizeof(by)) ||
	    !query_text(args, "reason", q->reason, sizeof(q->reason)) ||
	    !query_number(args, "max", &max) || !query_number(args, "from", &q->from))
		return false;
	q->max = (unsigned)MIN_OF(max, (uint64_t)ADMIN_ROWS_MAX);
	q->by = INSPECT_DOMAIN;
	for (unsigned i = 0; *by && i < ARRAY_LEN(names); i++) {
		if (strcmp(by, names[i]) == 0) {
			q->by = i;
			return true;
		}
	}
	return !*by;
}

static void go(struct query *q)
{
	int r = q->command->begin ? q->command->begin(q) : 0;

	if (r < 0)
		query_fail(q, r, q->fault);
	else if (q->command->on_lane)
		query_ask_lanes(q);
	else
		all_are_back(q);
}

void query_start(struct admin_server *s, struct frames *from, const char *asker,
		 const struct link_frame *f)
{
	const struct admin_command *command = admin_command_find(f->admin.command);
	struct query *q;

	if (!command) {
		frames_send_error(from, f->request, E_UNKNOWN,
				  SLICE("the engine has no such command"));
		return;
	}
	if (s->n_queries >= ADMIN_QUERIES_MAX) {
		frames_send_error(from, f->request, E_FULL,
				  SLICE("too many questions at a time; try again later"));
		return;
	}
	q = must_alloc(sizeof(*q));
	q->server = s;
	q->client = from;
	slice_copy(q->asker, sizeof(q->asker), slice_str(asker));
	q->request = f->request;
	q->command = command;
	q->tree = tree_new();
	q->out = tree_map(q->tree);
	list_init(&q->wait.link);
	list_init(&q->writing.wait.link);
	list_init(&q->metrics.link);
	timer_init(&q->timer, NULL);
	list_push(&s->queries, &q->link);
	s->n_queries++;
	if (take_arguments(q, &f->admin.args))
		go(q);
	else
		query_fail(q, E_SYNTAX, "an argument has a wrong type or is too long");
}
