/* mta/shadow/gather.c - the log, event by event: who was told what, and what it means now. */
#include <stdio.h>

#include "base/hash.h"
#include "mta/shadow/inside.h"
#include "mta/shape/builtin.h"

enum { BEST_MS = 10 * 1000, DEFAULT_CONNECTIONS = 20 };

int shadow_builtin(struct shapes *shapes, char *error)
{
	return shapes_parse(shapes, slice_of(shape_builtin, shape_builtin_n), "built-in shape.conf",
			    error);
}

struct shadow *shadow_new(const struct shapes *shapes, const struct judge *judge, int64_t from_ms)
{
	struct shadow *s = must_alloc(sizeof(*s));

	s->shapes = shapes;
	s->judge = judge;
	s->from_ms = from_ms;
	return s;
}

struct shadow *shadow_free(struct shadow *s)
{
	if (!s)
		return NULL;
	for (unsigned i = 0; i < s->n_groups; i++)
		free(s->groups[i]);
	free(s->groups);
	free(s->replies);
	free(s->rcpts);
	free(s->index);
	free(s->jobs);
	free(s);
	return NULL;
}

static void *room(void *p, uint32_t n, uint32_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? *cap * 2 : 1024;
	return must_resize(p, *cap * size);
}

/* ---- recipients -------------------------------------------------------------------------- */

static uint64_t hash_of(struct id128 job, uint32_t row)
{
	const uint64_t key[3] = { job.hi, job.lo, row };

	return hash_keyed(slice_of(key, sizeof(key)));
}

static uint32_t *place_of(struct shadow *s, struct id128 job, uint32_t row)
{
	uint32_t at = (uint32_t)hash_of(job, row) & (s->index_n - 1);

	while (s->index[at] != SHADOW_NONE) {
		const struct shadow_rcpt *r = &s->rcpts[s->index[at]];
		if (r->job.hi == job.hi && r->job.lo == job.lo && r->row == row)
			break;
		at = (at + 1) & (s->index_n - 1);
	}
	return &s->index[at];
}

static void grow_index(struct shadow *s)
{
	if (s->n_rcpts * 2 < s->index_n)
		return;
	s->index_n = s->index_n ? s->index_n * 2 : 4096;
	s->index = must_resize(s->index, s->index_n * sizeof(*s->index));
	memset(s->index, 0xff, s->index_n * sizeof(*s->index));
	for (uint32_t i = 0; i < s->n_rcpts; i++)
		*place_of(s, s->rcpts[i].job, s->rcpts[i].row) = i;
}

/* Jobs are accepted before they are tried; the log has them in this order. */
static int64_t accepted_ms(const struct shadow *s, struct id128 job, int64_t instead)
{
	for (uint32_t i = s->n_jobs; i > 0 && i + 64 > s->n_jobs; i--)
		if (s->jobs[i - 1].id.hi == job.hi && s->jobs[i - 1].id.lo == job.lo)
			return s->jobs[i - 1].accepted_ms;
	return instead;
}

static struct shadow_rcpt *rcpt_of(struct shadow *s, const struct event *e)
{
	uint32_t *place;

	grow_index(s);
	place = place_of(s, e->job, e->row);
	if (*place == SHADOW_NONE) {
		s->rcpts = room(s->rcpts, s->n_rcpts, &s->cap_rcpts, sizeof(*s->rcpts));
		s->rcpts[s->n_rcpts] = (struct shadow_rcpt){
			.job = e->job,
			.row = e->row,
			.group = SHADOW_NONE,
			.first = SHADOW_NONE,
			.last = SHADOW_NONE,
			.accepted_ms = accepted_ms(s, e->job, e->at_ms),
		};
		*place = s->n_rcpts++;
	}
	return &s->rcpts[*place];
}

/* ---- groups ------------------------------------------------------------------------------ */

static void configured(struct shape *ret)
{
	*ret = (struct shape){ .v = { [SHAPE_CONNECTIONS] = DEFAULT_CONNECTIONS,
				      [SHAPE_CONNECTIONS_START] = 2,
				      [SHAPE_CONNECTIONS_PER_SOURCE] = 100000,
				      [SHAPE_PROVIDER_CONNECTIONS] = 1000000,
				      [SHAPE_ADAPTIVE] = 1,
				      [SHAPE_ADAPTIVE_FLOOR] = 1,
				      [SHAPE_ADAPTIVE_RATE] = 60 * 24 } };
	for (unsigned i = 0; i < SHAPE_KEYS; i++)
		ret->from[i] = SHAPE_RULES_MAX;
}

static struct shape_subject subject_of(const struct outcome *o)
{
	struct shape_subject q = { .mx = &o->host, .n_mx = o->host.n ? 1 : 0 };
	struct slice local;

	if (!slice_cut_last(o->rcpt, '@', &local, &q.domain))
		q.domain = slice_of("", 0);
	return q;
}

/* Where the group of that name is, or would be. */
static uint32_t *group_place(struct shadow *s, struct slice name)
{
	uint32_t at = (uint32_t)hash_keyed(name) % ARRAY_LEN(s->by_name);

	while (s->by_name[at] &&
	       !slice_eq(name, slice_str(s->groups[s->by_name[at] - 1]->facts.name)))
		at = (at + 1) % ARRAY_LEN(s->by_name);
	return &s->by_name[at];
}

static void begin_group(struct shadow *s, struct slice name, const struct shape_subject *q)
{
	struct shadow_busy *g = must_alloc(sizeof(*g));
	struct shape base;

	configured(&base);
	shapes_resolve(s->shapes, q, &base, &g->shape);
	slice_copy(g->facts.name, sizeof(g->facts.name), name);
	s->groups = must_resize(s->groups, (s->n_groups + 1) * sizeof(struct shadow_busy *));
	s->groups[s->n_groups++] = g;
}

static uint32_t group_of(struct shadow *s, const struct outcome *o)
{
	const struct shape_subject q = subject_of(o);
	struct slice name =
	    slice_str(shapes_provider_name(s->shapes, shapes_provider(s->shapes, &q)));
	char cut[sizeof(((struct shadow_group *)0)->name)];
	uint32_t *place;

	if (!name.n)
		name = o->host.n ? o->host : q.domain.n ? q.domain : SLICE("?");
	slice_copy(cut, sizeof(cut), name);
	place = group_place(s, slice_str(cut));
	if (!*place && s->n_groups >= SHADOW_GROUPS_MAX - 1) {
		slice_copy(cut, sizeof(cut), SLICE("others"));
		place = group_place(s, slice_str(cut));
	}
	if (!*place) {
		begin_group(s, slice_str(cut), &q);
		*place = s->n_groups;
	}
	return *place - 1;
}

static uint8_t source_of(struct shadow_busy *g, struct slice name)
{
	unsigned i = 0;

	while (i < g->n_sources && !slice_eq(name, slice_str(g->sources[i].name)))
		i++;
	if (i == g->n_sources && i < SHADOW_SOURCES)
		slice_copy(g->sources[g->n_sources++].name, sizeof(g->sources[0].name), name);
	return (uint8_t)MIN_OF(i, (unsigned)SHADOW_SOURCES - 1);
}

/* Ten seconds at its best tell how fast it is. */
static void note_pace(struct shadow_busy *g, int64_t at_ms)
{
	int64_t window = at_ms / BEST_MS;

	if (window != g->window_ms)
		g->in_window = 0;
	g->window_ms = window;
	g->best_window = MAX_OF(g->best_window, ++g->in_window);
}

/* ---- replies ----------------------------------------------------------------------------- */

static struct shadow_change *change_of(struct shadow *s, enum judge_class from,
				       const struct judgement *j)
{
	struct shadow_change *c;

	for (unsigned i = 0; i < s->n_changes; i++)
		if (s->changes[i].from == from && s->changes[i].to == j->class)
			return &s->changes[i];
	if (s->n_changes == SHADOW_CHANGES_MAX)
		return NULL;
	c = &s->changes[s->n_changes++];
	*c = (struct shadow_change){ .from = from, .to = j->class };
	if (j->line)
		(void)snprintf(c->rule, sizeof(c->rule), "%.60s:%u", j->file, j->line);
	return c;
}

/* Against the class that the log has of it. */
static void compare(struct shadow *s, const struct outcome *o, const struct judgement *j)
{
	struct shadow_change *c;
	enum judge_class was;

	if (!o->class.n || judge_class_parse(o->class, &was) < 0)
		return; /* nobody had asked */
	s->sums.replies++;
	if (was == j->class) {
		s->sums.same++;
		return;
	}
	s->sums.changed++;
	c = change_of(s, was, j);
	if (c && c->replies++ == 0)
		(void)snprintf(c->example, sizeof(c->example), "%u %.*s", o->code % 1000U,
			       (int)MIN_OF(o->text.n, sizeof(c->example) - 8), o->text.p);
}

static void judge_outcome(struct shadow *s, const struct outcome *o, struct judgement *j)
{
	const struct shape_subject q = subject_of(o);
	struct judge_reply reply = { o->code, o->status, o->text, slice_of("", 0) };

	reply.provider = slice_str(shapes_provider_name(s->shapes, shapes_provider(s->shapes, &q)));
	judge_reply(s->judge, &reply, j);
	compare(s, o, j);
}

static void count_as_recorded(struct shadow_group *f, const struct event *e)
{
	f->was_attempts += e->kind != OUTCOME_EXPIRED && e->kind != OUTCOME_CANCELLED;
	f->was_delivered += e->kind == OUTCOME_DELIVERED;
	f->was_deferred += e->kind == OUTCOME_DEFERRED;
	f->was_bounced += e->kind == OUTCOME_BOUNCED;
	f->was_expired += e->kind == OUTCOME_EXPIRED;
	f->first_ms = f->first_ms ? f->first_ms : e->at_ms;
	if (e->kind != OUTCOME_DEFERRED)
		f->was_last_ms = e->at_ms;
}

static void add_reply(struct shadow *s, struct shadow_rcpt *r, const struct event *e,
		      const struct judgement *j)
{
	struct shadow_busy *g = s->groups[r->group];
	uint32_t at = s->n_replies++;

	s->replies[at] = (struct shadow_reply){
		.at_ms = e->at_ms,
		.next = SHADOW_NONE,
		.for_s = j->action.for_s,
		.named_s = j->named_s,
		.code = e->o.code,
		.kind = (uint8_t)e->kind,
		.action = (uint8_t)j->action.kind,
		.source = source_of(g, e->o.source),
		.class = (uint8_t)j->class,
	};
	if (r->first == SHADOW_NONE)
		r->first = at;
	else
		s->replies[r->last].next = at;
	r->last = at;
}

static int take_outcome(struct shadow *s, const struct event *e)
{
	struct judgement j = { .action = { .kind = JUDGE_RETRY } };
	struct shadow_rcpt *r;

	if (s->n_replies == SHADOW_REPLIES_MAX)
		return E_LIMIT;
	s->replies = room(s->replies, s->n_replies, &s->cap_replies, sizeof(*s->replies));
	r = rcpt_of(s, e);
	if (r->group == SHADOW_NONE) {
		r->group = group_of(s, &e->o);
		s->groups[r->group]->facts.recipients++;
	}
	if (e->kind == OUTCOME_DEFERRED || e->kind == OUTCOME_BOUNCED)
		judge_outcome(s, &e->o, &j);
	count_as_recorded(&s->groups[r->group]->facts, e);
	if (e->o.code)
		note_pace(s->groups[r->group], e->at_ms);
	add_reply(s, r, e, &j);
	return 0;
}

int shadow_event(struct shadow *s, const struct event *e)
{
	if (e->at_ms < s->from_ms)
		return 0;
	s->sums.events++;
	if (e->kind >= OUTCOME_DELIVERED && e->kind <= OUTCOME_DEFERRED)
		return take_outcome(s, e);
	if (e->kind != EVENT_ACCEPTED)
		return 0;
	s->jobs = room(s->jobs, s->n_jobs, &s->cap_jobs, sizeof(*s->jobs));
	s->jobs[s->n_jobs++] = (struct shadow_job){ e->job, e->at_ms };
	s->sums.accepted += e->row;
	return 0;
}

/* ---- what came of it --------------------------------------------------------------------- */

static void find_best(struct shadow_busy *g)
{
	/* In those ten seconds it had the connections that the shape in the program gives. */
	double connections = DEFAULT_CONNECTIONS;

	g->facts.best = MAX_OF((double)g->best_window, 1.0) / BEST_MS / connections;
}

void shadow_run(struct shadow *s)
{
	uint32_t *order = must_alloc((s->n_rcpts + 1) * sizeof(*order));
	uint32_t *end = must_alloc((s->n_groups + 1) * sizeof(*end)), at = 0;

	for (uint32_t i = 0; i < s->n_groups; i++) {
		end[i] = at; /* for now where it begins */
		at += (uint32_t)s->groups[i]->facts.recipients;
	}
	for (uint32_t k = 0; k < s->n_rcpts; k++)
		order[end[s->rcpts[k].group]++] = k;
	for (uint32_t i = 0; i < s->n_groups; i++) {
		uint32_t n = (uint32_t)s->groups[i]->facts.recipients;
		find_best(s->groups[i]);
		life_run(s, i, order + end[i] - n, n);
	}
	free(order);
	free(end);
}

const struct shadow_group *shadow_group(const struct shadow *s, unsigned i)
{
	return i < s->n_groups ? &s->groups[i]->facts : NULL;
}

const struct shadow_change *shadow_change(const struct shadow *s, unsigned i)
{
	return i < s->n_changes ? &s->changes[i] : NULL;
}

struct shadow_sums shadow_sums(const struct shadow *s)
{
	return s->sums;
}

static void put_group(struct branch *row, const struct shadow_group *g)
{
	branch_str(row, "provider", g->name);
	branch_int(row, "recipients", (int64_t)g->recipients);
	branch_int(row, "recorded_attempts", (int64_t)g->was_attempts);
	branch_int(row, "recorded_delivered", (int64_t)g->was_delivered);
	branch_int(row, "recorded_deferred", (int64_t)g->was_deferred);
	branch_int(row, "recorded_bounced", (int64_t)g->was_bounced);
	branch_int(row, "recorded_expired", (int64_t)g->was_expired);
	branch_int(row, "recorded_drained_ms", g->was_last_ms);
	branch_int(row, "attempts", (int64_t)g->attempts);
	branch_int(row, "delivered", (int64_t)g->delivered);
	branch_int(row, "deferred", (int64_t)g->deferred);
	branch_int(row, "bounced", (int64_t)g->bounced);
	branch_int(row, "expired", (int64_t)g->expired);
	branch_int(row, "open", (int64_t)g->open);
	branch_int(row, "suspensions", (int64_t)g->suspensions);
	branch_int(row, "suspended_ms", g->suspended_ms);
	branch_int(row, "walls", (int64_t)g->walls);
	branch_int(row, "drained_ms", g->drained_ms);
}

void shadow_report(const struct shadow *s, struct branch *out)
{
	struct branch *rows, *row;

	branch_int(out, "events", (int64_t)s->sums.events);
	branch_int(out, "accepted", (int64_t)s->sums.accepted);
	branch_int(out, "recipients_tried", s->n_rcpts);
	branch_int(out, "replies", (int64_t)s->sums.replies);
	branch_int(out, "replies_that_change", (int64_t)s->sums.changed);
	rows = branch_list(out, "providers");
	for (unsigned i = 0; i < s->n_groups; i++)
		put_group(branch_map(rows, NULL), &s->groups[i]->facts);
	rows = branch_list(out, "changes");
	for (unsigned i = 0; i < s->n_changes; i++) {
		row = branch_map(rows, NULL);
		branch_str(row, "from", judge_class_name(s->changes[i].from));
		branch_str(row, "to", judge_class_name(s->changes[i].to));
		branch_int(row, "replies", (int64_t)s->changes[i].replies);
		branch_str(row, "rule", s->changes[i].rule);
		branch_str(row, "example", s->changes[i].example);
	}
}
