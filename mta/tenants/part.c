/* mta/tenants/part.c - tenants' limits as a part of the engine, and their option. */
#include "mta/config/entries.h"
#include "mta/tenants/tenancy.h"

/* ---- the option -------------------------------------------------------------------------- */

static const struct option rows[] = {
	{ "tenant.limit", T_LIST, offsetof(struct tenancy_options, limit_list), 0, 0, "", true,
	  "Limits of tenants, each \"tenant NAME=VALUE...\" with rate, connections (to one "
	  "provider) "
	  "and queue (recipients); the tenant * is those that are not listed." },
};

/* Kept in the order of tenants; naming one twice is a mistake. */
static int read_entry(void *options, struct slice s)
{
	struct tenancy_options *o = options;
	struct slice name = entries_word(&s);
	struct tenant_listed entry = { .words = tenant_words_empty };
	char unused[OPTION_ERROR_MAX];
	unsigned i;

	if (!slice_eq(name, SLICE("*")) &&
	    (slice_u64(name, UINT64_MAX, &entry.tenant) < 0 || !entry.tenant))
		return E_SYNTAX;
	if (o->n_listed == TENANTS_LISTED_MAX ||
	    tenant_words_read(s, false, &entry.words, unused) < 0 ||
	    entry.words.v[TENANT_WEIGHT] != TENANT_UNSAID)
		return E_SYNTAX;
	for (i = o->n_listed; i && o->listed[i - 1].tenant >= entry.tenant; i--)
		if (o->listed[i - 1].tenant == entry.tenant)
			return E_SYNTAX;
	memmove(o->listed + i + 1, o->listed + i, (o->n_listed - i) * sizeof(o->listed[0]));
	o->listed[i] = entry;
	o->n_listed++;
	return 0;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct tenancy_options *o = options;

	(void)all;
	return option_entries(f, "tenant.limit", o->limit_list,
			      "\"tenant NAME=VALUE...\": a tenant's number or *, listed once, and "
			      "some of rate=100/s, connections=5, queue=100000 (or =none)",
			      read_entry, o);
}

const struct option_set tenancy_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct tenancy_options),
	.derive = derive,
};

/* ---- the part ---------------------------------------------------------------------------- */

struct tenancy *tenancy_of(struct engine *e)
{
	return engine_shared(e, &tenancy_part);
}

static int load_rule(void *arg, struct slice key, struct slice value)
{
	(void)!tenancy_set(arg, key, value);
	return 0;
}

static int tenancy_open(struct engine *e, void **ret_shared)
{
	struct tenancy *t = tenancy_new(engine_lanes(e));

	*ret_shared = t;
	tenancy_configure(t, settings_of(engine_settings(e), &tenancy_option_set));
	return spool_each_rule(engine_spool(e), SLICE("limit/"), load_rule, t);
}

static void tenancy_close(void *shared)
{
	(void)tenancy_free(shared);
}

/* On the front desk, which hears of new options before the lanes do. */
static int tenancy_start(struct lane *l, void **ret_state)
{
	*ret_state = l;
	return 0;
}

static void tenancy_reload(void *state)
{
	struct engine *e = lane_engine(state);

	tenancy_configure(tenancy_of(e), settings_of(engine_settings(e), &tenancy_option_set));
}

void tenancy_rule_changed(struct engine *e, struct slice rule_key, struct slice rule_value)
{
	if (tenancy_set(tenancy_of(e), rule_key, rule_value) == 0)
		engine_changed(e);
}

const struct part tenancy_part = {
	.name = "tenants",
	.front = true,
	.open = tenancy_open,
	.start = tenancy_start,
	.reload = tenancy_reload,
	.close = tenancy_close,
};
