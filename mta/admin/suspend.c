/* mta/admin/suspend.c - suspending a source at a provider by hand, and ending it. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/shape/part.h"
#include "mta/site/sites.h"

enum { DEFAULT_MS = 3600 * 1000 };

/* A provider's name, or the name of a site, which is that of its set of MX hosts. */
static void name_scope(struct query *q, char *buf, size_t cap)
{
	OWNED(shapes) set = shape_copy(q->server->engine);
	bool known = shapes_has_provider(set, slice_str(q->what));

	(void)snprintf(buf, cap, "%s%.300s", known ? "provider " : "", q->what);
}

/* `what` becomes the rule's key, `value` its value: empty to end it. */
int admin_begin_suspend(struct query *q)
{
	bool ends = strcmp(q->command->name, "resume") == 0;
	char scope[sizeof(q->what)];
	struct slice tenant = slice_str(q->source);
	const char *kind = "suspend";
	int64_t ms = DEFAULT_MS;
	uint64_t number;
	struct ip ip = { 0 };

	if (slice_strip(&tenant, SLICE("tenant/"))) {
		if (slice_u64(tenant, UINT64_MAX, &number) < 0) {
			(void)snprintf(q->fault, sizeof(q->fault),
				       "expected a number after tenant/");
			return E_SYNTAX;
		}
		kind = "suspend-tenant";
	} else if (strcmp(q->source, "*") != 0 && ip_parse(slice_str(q->source), &ip) < 0) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "expected the address of a source, * for the one without, or "
			       "tenant/N");
		return E_SYNTAX;
	}
	if (*q->value && (option_number(T_DURATION, slice_str(q->value), &ms) < 0 || ms <= 0)) {
		(void)snprintf(q->fault, sizeof(q->fault), "--for takes a duration such as 2h");
		return E_SYNTAX;
	}
	name_scope(q, scope, sizeof(scope));
	if (!*q->what || strpbrk(q->what, "/\n")) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "expected the name of a provider or of a site");
		return E_SYNTAX;
	}
	(void)snprintf(q->what, sizeof(q->what), "%s/%.50s/%.400s", kind,
		       *kind && kind[strlen("suspend")] ? tenant.p : q->source, scope);
	*q->value = '\0';
	if (!ends)
		(void)snprintf(q->value, sizeof(q->value), "%" PRId64 " %sby %.100s%s%.300s",
			       clock_wall_ms() + ms, kind[strlen("suspend")] ? "" : "1 ",
			       *q->author ? q->author : "an operator", *q->reason ? ": " : "",
			       q->reason);
	return 0;
}

static void is_durable(struct durable_wait *w, int err)
{
	struct query *q = container_of(w, struct query, wait);

	if (err < 0) {
		query_fail(q, err, NULL);
		return;
	}
	sites_rule_changed(q->server->engine, slice_str(q->what), slice_str(q->value));
	log_info("rule.changed", kv_str("rule", q->what), kv_str("reason", q->value));
	branch_str(q->out, "rule", q->what);
	query_answer(q);
}

static int see_rule(void *arg, struct slice key, struct slice value)
{
	struct query *q = arg;

	(void)value;
	q->count += slice_eq(key, slice_str(q->what));
	return 0;
}

int admin_finish_suspend(struct query *q)
{
	struct spool *sp = engine_spool(q->server->engine);
	lsn_t lsn;
	int r;

	q->count = 0;
	if (!*q->value)
		(void)!spool_each_rule(sp, slice_str(q->what), see_rule, q);
	if (!*q->value && !q->count) {
		(void)snprintf(q->fault, sizeof(q->fault),
			       "it is not suspended there; postern rules lists those that are");
		return E_UNKNOWN;
	}
	r = spool_put_rule(sp, slice_str(q->what), slice_str(q->value), &lsn);
	if (r < 0)
		return r;
	durable_wait_init(&q->wait, is_durable);
	lane_wait_durable(q->server->front, &q->wait, lsn);
	return 0;
}
