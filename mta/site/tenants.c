/* mta/site/tenants.c - tenants that are suspended at a provider. */
#include "mta/site/tenants.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/site/suspend.h"

enum { KEY_MAX = 400 };

/* ---- the record -------------------------------------------------------------------------- */

/* Kept for a restart only: when the spool cannot take it now, it is in force anyway. */
static void record(const struct pool *p, uint64_t tenant, const char *value)
{
	char key[KEY_MAX];
	lsn_t unused;
	int r;

	(void)snprintf(key, sizeof(key), "suspend-tenant/%" PRIu64 "/%.300s", tenant,
		       suspend_scope(p->site)->name);
	r = spool_put_rule(engine_spool(lane_engine(p->sites->lane)), slice_str(key),
			   slice_str(value), &unused);
	if (r < 0)
		log_warn("tenant.unrecorded", kv_str("rule", key), kv_err("reason", r));
}

static bool parse(struct slice key, struct slice value, uint64_t *ret_tenant,
		  struct slice *ret_name, int64_t *ret_until)
{
	struct slice number;
	uint64_t until = 0;

	if (!slice_strip(&key, SLICE("suspend-tenant/")) ||
	    !slice_cut(key, '/', &number, ret_name) || !ret_name->n ||
	    slice_u64(number, UINT64_MAX, ret_tenant) < 0)
		return false;
	if (value.n && slice_u64(slice_take(&value, ' '), INT64_MAX, &until) < 0)
		return false;
	*ret_until = (int64_t)until;
	return true;
}

int tenants_check(struct slice rule_key, struct slice rule_value)
{
	struct slice name;
	uint64_t tenant;
	int64_t until;

	return parse(rule_key, rule_value, &tenant, &name, &until) ? 0 : E_SYNTAX;
}

void tenants_changed(struct limits *l, struct slice rule_key, struct slice rule_value)
{
	struct tenant_limits *t;
	struct slice name;
	uint64_t tenant;
	int64_t until;

	if (!parse(rule_key, rule_value, &tenant, &name, &until))
		return;
	t = limits_tenant(limits_site(l, name), tenant);
	atomic_store(&t->strikes, 0);
	atomic_store(&t->suspended_until_ms, until);
	limits_resumed(l);
}

/* ---- what holds -------------------------------------------------------------------------- */

int64_t tenants_wait_ms(struct pool *p, uint64_t tenant)
{
	struct tenant_limits *t = limits_known_tenant(suspend_scope(p->site), tenant);
	int64_t until = t ? atomic_load(&t->suspended_until_ms) : 0, now = clock_wall_ms();

	if (!until)
		return 0;
	if (now < until)
		return until - now;
	if (atomic_compare_exchange_strong(&t->suspended_until_ms, &until, 0)) {
		log_info("tenant.resumed", kv_int("tenant", tenant),
			 kv_str("at", suspend_scope(p->site)->name));
		record(p, tenant, "");
	}
	return 0;
}

/* ---- what hosts say ---------------------------------------------------------------------- */

void tenants_refused(struct channel *ch, uint64_t tenant, int64_t for_ms, struct slice why)
{
	struct tenant_limits *t = limits_tenant(ch->scope, tenant);
	int64_t until = clock_wall_ms() + for_ms;
	char value[320];

	if (atomic_load(&t->suspended_until_ms) ||
	    atomic_fetch_add(&t->strikes, 1) + 1 < SUSPEND_STRIKES)
		return;
	atomic_store(&t->strikes, 0);
	atomic_store(&t->suspended_until_ms, until);
	count_add(&ch->pool->sites->counters.tenant_suspensions, 1);
	log_warn("tenant.suspended", kv_int("tenant", tenant), kv_str("at", ch->scope->name),
		 kv_int("ms", for_ms), kv_slice("reason", why));
	(void)snprintf(value, sizeof(value), "%" PRId64 " %.*s", until,
		       (int)MIN_OF(why.n, (size_t)200), why.p);
	record(ch->pool, tenant, value);
}

void tenants_delivered(struct channel *ch, uint64_t tenant)
{
	struct tenant_limits *t = limits_known_tenant(ch->scope, tenant);

	if (t && atomic_load_explicit(&t->strikes, memory_order_relaxed))
		atomic_store(&t->strikes, 0);
}
