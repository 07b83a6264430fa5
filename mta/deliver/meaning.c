/* mta/deliver/meaning.c - asks the rules about an outcome. */
#include "mta/deliver/meaning.h"

#include <stdio.h>

#include "base/random.h"
#include "mta/shape/part.h"

/* The last part of a path: a long path would leave no room for the rule's name. */
static const char *short_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static struct slice name_rule(const struct judgement *j, char *buf, size_t cap)
{
	int n = j->line ? snprintf(buf, cap, "%.48s:%u %.*s", short_name(j->file), j->line,
				   (int)j->rule.n, j->rule.p)
			: 0;

	return slice_of(buf, MIN_OF((size_t)n, cap - 1));
}

/* A 5xx that is not the recipient's fault is tried again; a rule may end a 4xx. */
static enum outcome_kind follow(const struct outcome *o, const struct judgement *j)
{
	if (!o->code)
		return o->kind;
	if (o->kind == OUTCOME_BOUNCED && judge_action_keeps(j->action))
		return OUTCOME_DEFERRED;
	if (o->kind == OUTCOME_DEFERRED && o->code < 500 && !judge_action_keeps(j->action))
		return OUTCOME_BOUNCED;
	return o->kind;
}

/* By the shapes, which know it by the recipient's domain and the host that answered. */
static struct slice provider_of(struct deliverer *dr, const struct outcome *o)
{
	const struct shapes *set = shape_set(dr->lane);
	struct shape_subject q = { .mx = &o->host, .n_mx = o->host.n ? 1 : 0 };
	struct slice local;

	if (!slice_cut_last(o->rcpt, '@', &local, &q.domain))
		q.domain = slice_of("", 0);
	return slice_str(shapes_provider_name(set, shapes_provider(set, &q)));
}

static bool ask(struct deliverer *dr, struct outcome *o, struct meaning *ret, struct judgement *j)
{
	struct judge_reply reply = { o->code, o->status, o->text, slice_of("", 0) };

	*ret = (struct meaning){ .action = { .kind = JUDGE_RETRY } };
	if (o->kind != OUTCOME_DEFERRED && o->kind != OUTCOME_BOUNCED)
		return false;
	reply.provider = provider_of(dr, o);
	judge_reply(dr->judge, &reply, j);
	ret->class = j->class;
	o->class = slice_str(judge_class_name(j->class));
	o->rule = name_rule(j, ret->rule, sizeof(ret->rule));
	count_add(&dr->counters.replies[j->class], 1);
	return true;
}

void meaning_judge(struct deliverer *dr, struct outcome *o, struct meaning *ret)
{
	struct judgement j;

	if (!ask(dr, o, ret, &j))
		return;
	o->kind = follow(o, &j);
	if (j.hard && o->kind == OUTCOME_BOUNCED)
		o->flags |= OUTCOME_HARD;
	if (o->code) {
		ret->named_s = j.named_s;
		ret->action = j.action;
	}
}

void meaning_note(struct deliverer *dr, struct outcome *o, struct meaning *ret)
{
	struct judgement j;

	if (ask(dr, o, ret, &j) && j.hard && o->kind == OUTCOME_BOUNCED)
		o->flags |= OUTCOME_HARD;
}

bool meaning_of_session(struct deliverer *dr, const struct verdict *v, struct slice host,
			struct meaning *ret)
{
	struct outcome o = {
		.kind = OUTCOME_DEFERRED,
		.code = v->code,
		.status = v->status,
		.text = slice_of(v->text, v->text_n),
		.host = host,
	};
	struct judgement j;

	if (!ask(dr, &o, ret, &j))
		return false;
	ret->action = j.action;
	ret->named_s = j.named_s;
	return true;
}

bool meaning_is_trouble(const struct meaning *m, const struct verdict *v)
{
	if (!v->code || v->kind == VERDICT_DELIVERED || m->class == JUDGE_GREYLISTED ||
	    judge_class_permanent(m->class))
		return false;
	switch (m->class) {
	case JUDGE_RATE_LIMITED:
	case JUDGE_SPAM_BLOCK:
		return true;
	case JUDGE_POLICY:
		return v->code < 500;
	case JUDGE_QUOTA:
	case JUDGE_INACTIVE_MAILBOX:
		return false;
	default:
		return v->site || m->action.kind == JUDGE_SLOW;
	}
}

void meaning_forget(struct outcome *o)
{
	o->class = o->rule = slice_of("", 0);
	o->flags &= (uint16_t)~OUTCOME_HARD;
}

int64_t meaning_next_ms(const struct meaning *m, const struct outcome *o, int64_t scheduled_ms)
{
	int64_t named;

	if (m->elsewhere || m->held)
		return o->at_ms + AT_ONCE_MS;
	if (!m->named_s)
		return scheduled_ms;
	/* A little later than asked for: those who were told the same do not come at once. */
	named = o->at_ms + (int64_t)m->named_s * 1000 + random_jitter((int64_t)m->named_s * 100);
	return o->attempt > NAMED_TRIES ? MAX_OF(named, scheduled_ms) : named;
}
