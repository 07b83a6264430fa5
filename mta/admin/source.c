/* mta/admin/source.c - sources: what they are and do, and orders on them. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/egress/egress.h"

/* ---- what they are ----------------------------------------------------------------------- */

static const char *address_of(const struct egress_source *entry)
{
	return entry->ip.family ? entry->ip_text : "*";
}

static const char *state_of(const struct egress_fact *f)
{
	bool busy = f->source && atomic_load(&f->source->connections) > 0;

	if (f->order.use == SOURCE_DRAINED)
		return busy ? "draining" : "drained";
	if (f->order.use == SOURCE_DISABLED)
		return "disabled";
	if (f->source && source_err(f->source))
		return "failing";
	return f->entry->weight ? "ok" : "unused";
}

/* Since when it is as it is, and why. */
static void put_state(struct branch *row, const struct egress_fact *f)
{
	const struct source *s = f->source;
	int err = s ? source_err(s) : 0;

	branch_str(row, "state", state_of(f));
	if (f->order.use != SOURCE_IN_USE) {
		branch_int(row, "since_ms", f->order.since_ms);
		branch_str(row, "reason", f->order.why);
	} else if (err) {
		branch_int(row, "since_ms", atomic_load(&s->failed_ms));
		branch_str(row, "reason", err_text(err));
	} else if (f->added_ms) {
		branch_int(row, "since_ms", f->added_ms);
		branch_str(row, "reason", f->added_why);
	}
	if (err) {
		branch_int(row, "failed_ms", atomic_load(&s->failed_ms));
		branch_int(row, "retry_ms", atomic_load(&s->retry_ms));
	}
}

static void put_source(struct branch *row, const struct egress_fact *f)
{
	branch_str(row, "pool", f->entry->pool);
	branch_str(row, "address", address_of(f->entry));
	branch_str(row, "ehlo", f->entry->ehlo);
	branch_int(row, "weight", f->entry->weight);
	if (f->entry->proxy)
		branch_str(row, "via", f->entry->proxy);
	branch_bool(row, "added", f->added_ms != 0);
	branch_int(row, "messages", (int64_t)f->messages);
	branch_int(row, "connections", f->source ? atomic_load(&f->source->connections) : 0);
	put_state(row, f);
}

static int put_fallback(void *arg, const struct inspect_fallback *f)
{
	struct branch *row = branch_map(arg, NULL);

	branch_str(row, "pool", f->pool);
	branch_str(row, "from", f->from);
	branch_slice(row, "site", f->site);
	branch_int(row, "since_ms", f->since_ms);
	return branch_count(arg) < ADMIN_ROWS_MAX ? 0 : E_LIMIT;
}

void admin_lane_sources(struct query *q, struct query_part *p, struct lane *l)
{
	(void)q;
	(void)inspect_fallbacks(l, put_fallback, p->rows);
}

int admin_finish_sources(struct query *q)
{
	struct branch *rows = branch_list(q->out, "sources");
	struct egress_fact f;

	for (unsigned i = 0; egress_fact(q->server->engine, i, &f); i++)
		put_source(branch_map(rows, NULL), &f);
	query_join_rows(q, "fallbacks");
	query_answer(q);
	return 0;
}

/* ---- orders ------------------------------------------------------------------------------ */

static int wrong(struct query *q, int err, const char *text)
{
	(void)snprintf(q->fault, sizeof(q->fault), "%s", text);
	return err;
}

static const char *author(const struct query *q)
{
	return *q->author ? q->author : "an operator";
}

/* The entry with this address, in the pool when one is given; false: there is none. */
static bool find(struct query *q, const struct ip *ip, const char *pool, struct egress_fact *f)
{
	for (unsigned i = 0; egress_fact(q->server->engine, i, f); i++)
		if (ip_eq(&f->entry->ip, ip) && (!*pool || strcmp(f->entry->pool, pool) == 0))
			return true;
	return false;
}

/* q->source is the address of an entry; *f gets the first. */
int admin_known_source(struct query *q, const char *pool, struct egress_fact *f)
{
	struct ip ip;

	if (entry_address(slice_str(q->source), &ip) < 0)
		return wrong(q, E_SYNTAX,
			     "expected the address of a source, or * for the one without");
	if (!find(q, &ip, pool, f))
		return wrong(q, E_UNKNOWN,
			     "there is no such source; postern sources lists those that are");
	return 0;
}

static void key_of_state(struct query *q)
{
	(void)snprintf(q->what, sizeof(q->what), "source-state/%s", q->source);
}

/* The address as everybody writes it: rules are found by it. */
static void same_address(struct query *q, const struct egress_fact *f)
{
	(void)snprintf(q->source, sizeof(q->source), "%s", address_of(f->entry));
}

int admin_begin_source_state(struct query *q)
{
	const char *verb = q->command->name + strlen("source-");
	struct egress_fact f;
	int r = admin_known_source(q, "", &f);

	if (r < 0)
		return r;
	same_address(q, &f);
	key_of_state(q);
	*q->value = '\0';
	if (strcmp(verb, "enable") == 0)
		return 0;
	(void)snprintf(q->value, sizeof(q->value), "%s %" PRId64 " by %.100s%s%.120s", verb,
		       clock_wall_ms(), author(q), *q->reason ? ": " : "", q->reason);
	return 0;
}

static bool has_proxy(const struct query *q)
{
	char name[ENTRY_NAME_MAX + 1];

	slice_copy(name, sizeof(name), q->text);
	return egress_proxy(settings_of(engine_settings(q->server->engine), &egress_option_set),
			    name) != NULL;
}

static int check_added(struct query *q, const struct ip *ip)
{
	struct egress_fact f;

	if (find(q, ip, q->pool, &f) && !f.added_ms)
		return wrong(q, E_EXISTS,
			     "egress.sources has this address in the pool: change it there, then "
			     "reload");
	if (q->text.n && !has_proxy(q))
		return wrong(q, E_UNKNOWN, "there is no such proxy in the option proxies");
	if (ordered_check(slice_str(q->what), slice_str(q->value)) < 0)
		return wrong(q, E_SYNTAX,
			     "expected POOL ADDRESS EHLO-NAME, --weight from 0 to 1000 and --via "
			     "with the name of a proxy");
	return 0;
}

/* `source` the address, `pool`, `what` the EHLO name, `value` the weight, `text` the proxy. */
int admin_begin_source_add(struct query *q)
{
	char address[IP_TEXT_MAX] = "*", weight[16], ehlo[256];
	struct ip ip;

	if (entry_address(slice_str(q->source), &ip) < 0)
		return wrong(q, E_SYNTAX, "expected an IP address, or * for any");
	if (ip.family)
		ip_format(&ip, address);
	(void)snprintf(weight, sizeof(weight), "%.8s", *q->value ? q->value : "1");
	if (strlen(q->what) >= sizeof(ehlo))
		return wrong(q, E_SYNTAX, "the name for EHLO is too long");
	(void)slice_copy(ehlo, sizeof(ehlo), slice_str(q->what));
	(void)snprintf(q->what, sizeof(q->what), "source-add/%.127s/%s", q->pool, address);
	(void)snprintf(q->value, sizeof(q->value),
		       "%" PRId64 " %s weight=%s%s%.*s by %.100s%s%.120s", clock_wall_ms(), ehlo,
		       weight, q->text.n ? " via=" : "",
		       (int)MIN_OF(q->text.n, (size_t)ENTRY_NAME_MAX), q->text.p, author(q),
		       *q->reason ? ": " : "", q->reason);
	return check_added(q, &ip);
}

int admin_begin_source_remove(struct query *q)
{
	struct egress_fact f;
	int r = admin_known_source(q, q->pool, &f);

	if (r < 0)
		return r;
	if (!f.added_ms)
		return wrong(q, E_CONFLICT,
			     "egress.sources has this source: take it out there, then reload; or "
			     "disable it");
	(void)snprintf(q->what, sizeof(q->what), "source-add/%.128s/%s", f.entry->pool,
		       address_of(f.entry));
	*q->value = '\0';
	return 0;
}

static void look_now(struct lane *l, struct slice unused)
{
	struct egress *e = egress_of(l);

	(void)unused;
	if (e)
		egress_look_now(e);
}

static void is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);
	struct engine *e = q->server->engine;

	if (err == 0)
		err = egress_rule_changed(e, slice_str(q->what), slice_str(q->value));
	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	log_info("rule.changed", kv_str("rule", q->what), kv_str("reason", q->value));
	if (!*q->value)
		engine_tell_lanes(e, look_now, SLICE(""));
	branch_str(q->out, "rule", q->what);
	query_answer(q);
}

int admin_finish_source_order(struct query *q)
{
	lsn_t lsn;
	int r = spool_put_rule(engine_spool(q->server->engine), slice_str(q->what),
			       slice_str(q->value), &lsn);

	if (r < 0)
		return r;
	durable_wait_init(&q->wait, is_durable);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}
