/* mta/admin/warmup.c - plans of new sources: orders on them, and plan against fact. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/egress/egress.h"
#include "mta/shape/part.h"
#include "mta/warmup/warmup.h"

static int wrong(struct query *q, int err, const char *text)
{
	(void)snprintf(q->fault, sizeof(q->fault), "%s", text);
	return err;
}

/* ---- orders ------------------------------------------------------------------------------ */

/* The source as everybody writes it: rules are found by it. */
static int same_source(struct query *q)
{
	struct ip ip;

	if (entry_address(slice_str(q->source), &ip) < 0)
		return wrong(q, E_SYNTAX,
			     "expected the address of a source, or * for the one without");
	if (ip.family)
		ip_format(&ip, q->source);
	return 0;
}

static bool is_known_provider(struct query *q)
{
	OWNED(shapes) set = shape_copy(q->server->engine);

	return strcmp(q->what, WARMUP_OTHER) == 0 || strcmp(q->what, WARMUP_ANY) == 0 ||
	       shapes_has_provider(set, slice_str(q->what));
}

static bool is_plan(const struct query *q)
{
	return strcmp(q->command->name, "warmup-set") == 0 ||
	       strcmp(q->command->name, "warmup-unset") == 0;
}

/* `key` becomes the provider, `what` the rule's key. */
static int make_key(struct query *q)
{
	char provider[WARMUP_NAME_MAX + 1];

	if (!*q->what)
		(void)snprintf(q->what, sizeof(q->what), WARMUP_ANY);
	if (slice_copy(provider, sizeof(provider), slice_str(q->what)) >= sizeof(provider))
		return wrong(q, E_SYNTAX, "the name of the provider is too long");
	(void)snprintf(q->key, sizeof(q->key), "%.63s", provider);
	(void)snprintf(q->what, sizeof(q->what), "%s/%.63s/%.63s",
		       is_plan(q) ? "warmup" : "warmup-pause", q->source, provider);
	return 0;
}

/* Who, when and why. */
static void sign(const struct query *q, char *text, size_t cap)
{
	time_t now = (time_t)(clock_wall_ms() / 1000);
	char when[32];
	struct tm tm;

	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	(void)snprintf(text, cap, "by %.60s at %.20s%.2s%.50s",
		       *q->author ? q->author : "an operator", when, *q->reason ? ": " : "",
		       q->reason);
}

int admin_begin_warmup_set(struct query *q)
{
	char author[150], plan[WARMUP_TEXT_MAX + 1];
	const char *text = "";
	struct egress_fact f;
	int r = same_source(q);

	if (r == 0)
		r = admin_known_source(q, "", &f);
	if (r < 0)
		return r;
	if (!is_known_provider(q))
		return wrong(q, E_UNKNOWN,
			     "no file of shapes has this provider; other and * are the rest");
	if (strlen(q->value) > WARMUP_TEXT_MAX)
		return wrong(q, E_SYNTAX, "a plan may have 640 bytes");
	r = make_key(q);
	if (r < 0)
		return r;
	(void)slice_copy(plan, sizeof(plan), slice_trim(slice_str(q->value)));
	sign(q, author, sizeof(author));
	(void)snprintf(q->value, sizeof(q->value), "%s\n%s", plan, author);
	r = warmup_rule_check(slice_str(q->what), slice_str(*plan ? q->value : "\n"), &text);
	return r < 0 ? wrong(q, r, text) : 0;
}

int admin_begin_warmup_pause(struct query *q)
{
	char author[160];
	int r = same_source(q);

	if (r == 0)
		r = make_key(q);
	sign(q, author, sizeof(author));
	(void)snprintf(q->value, sizeof(q->value), "%" PRId64 " %s", clock_wall_ms(), author);
	return r;
}

int admin_begin_warmup_end(struct query *q)
{
	int r = same_source(q);

	*q->value = '\0';
	return r < 0 ? r : make_key(q);
}

static int see_rule(void *arg, struct slice key, struct slice value)
{
	struct query *q = arg;

	(void)value;
	q->count += slice_eq(key, slice_str(q->what));
	return 0;
}

static void is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	warmup_rule_changed(q->server->engine, slice_str(q->what), slice_str(q->value));
	log_info("rule.changed", kv_str("rule", q->what), kv_str("reason", q->value));
	branch_str(q->out, "rule", q->what);
	query_answer(q);
}

int admin_finish_warmup_order(struct query *q)
{
	struct spool *sp = engine_spool(q->server->engine);
	lsn_t lsn;
	int r;

	q->count = 0;
	if (!*q->value)
		(void)!spool_each_rule(sp, slice_str(q->what), see_rule, q);
	if (!*q->value && !q->count)
		return wrong(q, E_UNKNOWN, "no such order stands; see postern warmup");
	r = spool_put_rule(sp, slice_str(q->what), slice_str(q->value), &lsn);
	if (r < 0)
		return r;
	durable_wait_init(&q->wait, is_durable);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}

/* Ends a pause, and what was held back today goes on. */
int admin_finish_warmup_resume(struct query *q)
{
	struct warmup *w = warmup_of(q->server->engine);
	unsigned released;
	struct ip ip;

	if (entry_address(slice_str(q->source), &ip) < 0)
		return E_SYNTAX;
	released = warmup_release(w, &ip, slice_str(q->key));
	branch_int(q->out, "released", released);
	q->count = 0;
	(void)!spool_each_rule(engine_spool(q->server->engine), slice_str(q->what), see_rule, q);
	if (q->count)
		return admin_finish_warmup_order(q);
	if (!released)
		return wrong(q, E_UNKNOWN, "it is neither paused nor held back");
	log_info("warmup.released", kv_str("source", q->source), kv_str("provider", q->key));
	branch_str(q->out, "rule", q->what);
	query_answer(q);
	return 0;
}

/* ---- plan against fact ------------------------------------------------------------------- */

struct warmup_report {
	struct branch *rows;
	const struct query *q;
	unsigned n, more;
};

static void put_plan(struct branch *row, int32_t plan)
{
	if (plan != WARMUP_NO_LIMIT)
		branch_int(row, "plan", plan);
}

static void put_day(struct branch *rows, const struct warmup_day *d)
{
	static const char *const names[WARMUP_RESULTS] = {
		[WARMUP_TRIED] = "tried",           [WARMUP_DELIVERED] = "delivered",
		[WARMUP_WAS_DEFERRED] = "deferred", [WARMUP_WAS_BLOCKED] = "blocked",
		[WARMUP_WAS_BOUNCED] = "bounced",   [WARMUP_RETURNED] = "returned",
		[WARMUP_COMPLAINED] = "complaints",
	};
	struct branch *row = branch_map(rows, NULL);
	char date[WARMUP_DATE_MAX];

	warmup_date_show(d->date, date);
	branch_str(row, "date", date);
	branch_int(row, "day", d->step + 1);
	put_plan(row, d->plan);
	branch_int(row, "sent", d->leaves);
	for (unsigned i = 0; i < WARMUP_RESULTS; i++)
		branch_int(row, names[i], d->n[i]);
	if (d->held != WARMUP_GOOD)
		branch_str(row, "held", warmup_sign_name((enum warmup_sign)d->held));
}

static bool is_asked(const struct query *q, const char *source, const char *provider)
{
	return (!*q->source || strcmp(q->source, source) == 0) &&
	       (!*q->what || strcmp(q->what, provider) == 0);
}

static void put_state(struct branch *row, const struct warmup_fact *f)
{
	char text[400];

	branch_str(row, "state", warmup_state_name(f->state));
	if (f->since_ms)
		branch_int(row, "since_ms", f->since_ms);
	if (f->next_ms)
		branch_int(row, "next_ms", f->next_ms);
	if (f->state != WARMUP_GOES && f->state != WARMUP_WARMED) {
		warmup_say(f, text, sizeof(text));
		branch_str(row, "reason", text);
	}
}

static void put_pair(void *arg, const struct warmup_fact *f, const struct warmup_days *d)
{
	struct warmup_report *r = arg;
	char source[IP_TEXT_MAX] = "*";
	struct branch *row, *days;

	if (f->source.family)
		ip_format(&f->source, source);
	if (!is_asked(r->q, source, f->provider))
		return;
	if (r->n++ >= r->q->max) {
		r->more++;
		return;
	}
	row = branch_map(r->rows, NULL);
	branch_str(row, "source", source);
	branch_str(row, "provider", f->provider);
	branch_int(row, "day", f->today.step + 1);
	branch_int(row, "of", f->steps);
	if (f->today.date)
		put_plan(row, f->today.plan);
	branch_int(row, "sent", f->is_today ? f->today.leaves : 0);
	branch_int(row, "next_day", f->next + 1);
	put_state(row, f);
	branch_str(row, "worst", warmup_sign_name(f->worst));
	branch_int(row, "worst_percent", f->percent);
	branch_str(row, "order", f->plan);
	branch_str(row, "author", f->author);
	days = branch_list(row, "days");
	for (unsigned i = 0; i < d->n; i++)
		put_day(days, &d->at[i]);
}

static void put_order(void *arg, const struct ip *ip, const char *provider, const char *plan,
		      const char *author)
{
	struct warmup_report *r = arg;
	char source[IP_TEXT_MAX] = "*";
	struct branch *row;

	if (ip->family)
		ip_format(ip, source);
	if (!is_asked(r->q, source, provider))
		return;
	row = branch_map(r->rows, NULL);
	branch_str(row, "source", source);
	branch_str(row, "provider", provider);
	branch_str(row, "plan", plan);
	branch_str(row, "author", *author ? author : "configuration");
}

int admin_begin_warmup_show(struct query *q)
{
	return *q->source ? same_source(q) : 0;
}

int admin_finish_warmup_show(struct query *q)
{
	struct warmup *w = warmup_of(q->server->engine);
	struct warmup_report r = { branch_list(q->out, "plans"), q, 0, 0 };

	warmup_each_plan(w, put_order, &r);
	r.rows = branch_list(q->out, "warmup");
	warmup_each(w, put_pair, &r);
	branch_int(q->out, "more", r.more);
	query_answer(q);
	return 0;
}
