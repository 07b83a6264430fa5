/* mta/admin/suspend.c - suspending a source at a provider by hand, and ending it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/admin/commands.h"
#include "mta/shape/part.h"
#include "mta/site/sites.h"

enum { DEFAULT_MS = 3600 * 1000, SAMPLE = 10 };

static int PRINTF(3, 4) refuse(struct query *q, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(q->fault, sizeof(q->fault), format, ap);
	va_end(ap);
	return err;
}

/* ---- what is asked ----------------------------------------------------------------------- */

struct suspending {
	bool ends, tenant;
	const char *who; /* the address, "*" or the tenant's number */
	bool provider;   /* q->what is the name of one; else that of a site */
	int64_t ms;
};

static int take_who(struct query *q, struct suspending *s)
{
	struct slice tenant = slice_str(q->source);
	struct egress_fact unused;
	uint64_t number;
	struct ip ip;

	s->who = q->source;
	s->tenant = slice_strip(&tenant, SLICE("tenant/"));
	if (s->tenant) {
		s->who = tenant.p;
		return slice_u64(tenant, UINT64_MAX, &number) == 0
			   ? 0
			   : refuse(q, E_SYNTAX, "expected a number after tenant/");
	}
	if (strcmp(q->source, "*") != 0 && ip_parse(slice_str(q->source), &ip) < 0)
		return refuse(q, E_SYNTAX,
			      "expected the address of a source, * for the one without, or "
			      "tenant/N");
	return s->ends ? 0 : admin_known_source(q, "", &unused);
}

/* A provider's name, or the name of a site, which is that of its set of MX hosts. */
static int take_where(struct query *q, struct suspending *s)
{
	OWNED(shapes) set = shape_copy(q->server->engine);

	s->provider = shapes_has_provider(set, slice_str(q->what));
	if (!*q->what || strpbrk(q->what, "/\n\"'"))
		return refuse(q, E_SYNTAX, "expected the name of a provider or of a site");
	if (!s->provider && !s->ends && !strchr(q->what, '.'))
		return refuse(q, E_UNKNOWN,
			      "no file of shapes has a provider \"%.60s\"; a site has the names of "
			      "its mail hosts, see postern queue --by site",
			      q->what);
	return 0;
}

static int take_time(struct query *q, struct suspending *s)
{
	s->ms = DEFAULT_MS;
	if (*q->value && (option_number(T_DURATION, slice_str(q->value), &s->ms) < 0 || s->ms <= 0))
		return refuse(q, E_SYNTAX, "--for takes a duration such as 2h");
	return 0;
}

/* Whom it would reach: `what` becomes their selector. */
static int name_waiting(struct query *q, const struct suspending *s)
{
	char text[sizeof(q->what)];
	bool any = !s->tenant && strcmp(s->who, "*") == 0;

	if (snprintf(text, sizeof(text), "%s%s%s%s/\"%s\"",
		     any         ? ""
		     : s->tenant ? "tenant/"
				 : "source/",
		     any ? "" : s->who, any ? "" : " ", s->provider ? "provider" : "site",
		     q->what) >= SELECTOR_TEXT_MAX)
		return refuse(q, E_SYNTAX, "the name is too long");
	memcpy(q->what, text, strlen(text) + 1);
	q->max = MIN_OF(q->max, (unsigned)SAMPLE);
	return query_selector(q);
}

/* `what` becomes the rule's key, `value` its value: empty to end it. */
static void name_rule(struct query *q, const struct suspending *s)
{
	char key[sizeof(q->what)];

	(void)snprintf(key, sizeof(key), "suspend%s/%.50s/%s%.300s", s->tenant ? "-tenant" : "",
		       s->who, s->provider ? "provider " : "", q->what);
	memcpy(q->what, key, strlen(key) + 1);
	*q->value = '\0';
	if (!s->ends)
		(void)snprintf(q->value, sizeof(q->value), "%" PRId64 " %sby %.100s%s%.300s",
			       clock_wall_ms() + s->ms, s->tenant ? "" : "1 ",
			       *q->author ? q->author : "an operator", *q->reason ? ": " : "",
			       q->reason);
}

int admin_begin_suspend(struct query *q)
{
	struct suspending s = { .ends = strcmp(q->command->name, "resume-source") == 0 };
	int r = take_who(q, &s);

	if (r == 0)
		r = take_where(q, &s);
	if (r == 0)
		r = take_time(q, &s);
	if (r == 0 && q->preview)
		return name_waiting(q, &s);
	if (r == 0)
		name_rule(q, &s);
	return r;
}

void admin_lane_suspend(struct query *q, struct query_part *p, struct lane *l)
{
	if (q->preview)
		query_look_count(q, p, l);
}

/* ---- the rule ---------------------------------------------------------------------------- */

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

	if (q->preview)
		return admin_order_preview(q);
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
