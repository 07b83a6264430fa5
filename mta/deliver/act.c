/* mta/deliver/act.c - other sources and holds, because of replies. */
#include "mta/deliver/act.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/site/pair.h"

static const char held_by_reply[] = "reply ";
enum { ASIDE_LOOK_MS = 100 };

/* ---- another source ---------------------------------------------------------------------- */

/* Another source of the pool could try it now. */
static bool has_other(struct deliverer *dr, struct channel *ch, const struct rcpt *r)
{
	struct pool *p = ch->pool;
	int64_t now = sites_now(dr->sites);

	for (unsigned i = 0; i < p->turns.n; i++)
		if (p->turns.at[i].source != ch->source && pair_possible(p, i) &&
		    !avoid_has(&dr->avoided, r->job, r->row, p->turns.at[i].source, now))
			return true;
	return false;
}

static bool wants_other(const struct deliverer *dr, const struct meaning *m)
{
	return m->action.kind == JUDGE_OTHER_SOURCE ||
	       (m->action.kind == JUDGE_SUSPEND_SOURCE && dr->options->blocked_elsewhere);
}

static void go_elsewhere(struct deliverer *dr, rcpt_ref ref, struct channel *ch, struct meaning *m)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);

	if (!has_other(dr, ch, r) ||
	    !avoid_add(&dr->avoided, r->job, r->row, ch->source, sites_now(dr->sites)))
		return;
	m->elsewhere = true;
	count_add(&dr->counters.elsewhere, 1);
}

bool act_sets_aside(struct deliverer *dr, struct channel *ch, rcpt_ref ref)
{
	const struct rcpt *r = queue_rcpt(dr->queue, ref);
	struct pool *p = ch->pool;

	if (!dr->avoided.n ||
	    !avoid_has(&dr->avoided, r->job, r->row, ch->source, sites_now(dr->sites)) ||
	    !has_other(dr, ch, r))
		return false;
	(void)queue_move(dr->queue, ref, (struct queue_move){ .to = RCPT_READY, .fair = &p->fair });
	turns_yield(&p->turns, ch->turn);
	if (!timer_running(&p->timer))
		timer_set(p->sites->loop->timers, &p->timer, ASIDE_LOOK_MS);
	return true;
}

/* ---- holds ------------------------------------------------------------------------------- */

static void rcpt_key(const struct job_info *info, uint32_t row, char *buf, size_t cap)
{
	char id[ID_TEXT_MAX];

	(void)snprintf(buf, cap, "hold/rcpt/%s:%u", id_format(info->id, id), row);
}

/* In force at once; when the spool cannot take it now, until a restart. */
static void set_rule(struct deliverer *dr, const char *key, const char *value)
{
	lsn_t unused;
	int r = spool_put_rule(dr->spool, slice_str(key), slice_str(value), &unused);

	if (r < 0)
		log_warn("rule.unrecorded", kv_str("rule", key), kv_err("reason", r));
	rules_changed(dr->engine, slice_str(key), slice_str(value));
}

static bool room_for_hold(struct deliverer *dr)
{
	return dr->holds < ACT_HOLDS_MAX;
}

static void hold(struct deliverer *dr, const struct chunk *k, const struct outcome *o,
		 struct meaning *m)
{
	char key[128], value[400];

	if (!room_for_hold(dr)) {
		log_warn("reply.too-many-holds", kv_str("rule", m->rule));
		return;
	}
	rcpt_key(&k->info, o->row, key, sizeof(key));
	(void)snprintf(value, sizeof(value), "%s%s: %u %.*s", held_by_reply, m->rule,
		       o->code % 1000U, (int)MIN_OF(o->text.n, (size_t)200), o->text.p);
	set_rule(dr, key, value);
	m->held = true;
	dr->holds++;
	count_add(&dr->counters.held_by_reply, 1);
	log_info("reply.hold", kv_str("rule", key), kv_str("reason", value));
}

static bool is_held_by_reply(struct deliverer *dr, const struct job_info *info, uint32_t row)
{
	const struct rule_subject s = { .job = info->id, .row = row };
	char why[256], *reason;

	if (!rules_match(dr->rules, RULE_HOLD, SELECTS(SELECT_RCPT), &s, why, sizeof(why)))
		return false;
	reason = strstr(why, ": ");
	return reason && strncmp(reason + 2, held_by_reply, strlen(held_by_reply)) == 0;
}

static void end_hold(struct deliverer *dr, const struct rcpt *r)
{
	struct job_info info;
	char key[128];

	if (spool_job_info(dr->spool, r->job, &info) < 0 || !is_held_by_reply(dr, &info, r->row))
		return;
	rcpt_key(&info, r->row, key, sizeof(key));
	set_rule(dr, key, "");
	dr->holds -= dr->holds > 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

void act_on_reply(struct deliverer *dr, rcpt_ref ref, const struct chunk *k,
		  const struct outcome *o, const struct outcome_facts *f, struct meaning *m)
{
	if (!o->code || !f->channel)
		return;
	if (m->action.kind == JUDGE_HOLD)
		hold(dr, k, o, m);
	else if (wants_other(dr, m))
		go_elsewhere(dr, ref, f->channel, m);
}

void act_forget(struct deliverer *dr, const struct rcpt *r)
{
	avoid_forget(&dr->avoided, r->job, r->row);
	if (rules_selects(dr->rules, RULE_HOLD) & SELECTS(SELECT_RCPT))
		end_hold(dr, r);
}
