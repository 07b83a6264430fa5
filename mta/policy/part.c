/* mta/policy/part.c - options, counters and life of the policy room. */
#include "mta/policy/part.h"

#include "base/log.h"
#include "mta/policy/sts_ask.h"
#include "mta/smtp/options.h"

static const struct option rows[] = {
	{ "mta_sts.allow", T_LIST, offsetof(struct policy_options, allow_list), 0, 0, "", true,
	  "Special networks (loopback, private ...) where hosts of MTA-STS policies may be, such "
	  "as "
	  "10.0.0.0/8." },
};

static int read_allowed(void *options, struct slice s)
{
	return net_list_add(&((struct policy_options *)options)->allowed, s);
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct policy_options *o = options;

	(void)all;
	return option_entries(f, "mta_sts.allow", o->allow_list,
			      "a network such as 10.0.0.0/8 (the list may have 64)", read_allowed,
			      o);
}

const struct option_set policy_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct policy_options),
	.derive = derive,
};

/* ---- what lanes share -------------------------------------------------------------------- */

static void save(void *arg)
{
	struct policy_shared *s = arg;
	int r = sts_cache_save(s->cache);

	if (r < 0)
		log_warn("mta-sts.not-saved", kv_err("reason", r));
}

static int policy_open(struct engine *e, void **ret_shared)
{
	const struct smtp_options *smtp = settings_of(engine_settings(e), &smtp_option_set);
	struct policy_shared *s = must_alloc(sizeof(*s));
	struct fetcher_options o = { .ca_file = smtp->ca_file, .quiet = save, .arg = s };
	const struct disk *disk;
	int dirfd = spool_folder(engine_spool(e), &disk), r;

	s->cache = sts_cache_new(disk, dirfd);
	if (sts_cache_lost(s->cache))
		log_warn("mta-sts.unreadable", kv_str("file", STS_CACHE_FILE));
	r = fetcher_new(&s->fetcher, &o);
	*ret_shared = s;
	return r;
}

static void policy_close(void *shared)
{
	struct policy_shared *s = shared;

	s->fetcher = fetcher_free(s->fetcher);
	save(s);
	s->cache = sts_cache_free(s->cache);
	free(s);
}

/* ---- a lane's ---------------------------------------------------------------------------- */

struct policies *policies_of(struct lane *l)
{
	return lane_state(l, &policy_part);
}

static void policy_reload(void *state)
{
	struct policies *p = state;

	p->options = settings_of(engine_settings(lane_engine(p->lane)), &policy_option_set);
}

void policies_end_fetching(struct policy_shared *s)
{
	s->fetcher = fetcher_free(s->fetcher);
}

static int policy_start(struct lane *l, void **ret_state)
{
	struct policies *p = must_alloc(sizeof(*p));

	p->lane = l;
	p->shared = engine_shared(lane_engine(l), &policy_part);
	list_init(&p->fetching);
	policy_reload(p);
	*ret_state = p;
	return 0;
}

/* The fetcher ends with the first lane: it tells lanes of what it did, and they are about to go. */
static void policy_stop(void *state)
{
	struct policies *p = state;

	policies_end_fetching(p->shared);
	sts_drop_all(p);
	free(p);
}

#define ROW(member, type, help) COUNTER_ROW(policy_counters, member, type, help)
static const struct counter_row counter_rows[] = {
	ROW(tlsa_usable, COUNTER, "Hosts found with TLSA records that can be used"),
	ROW(tlsa_broken, COUNTER, "Hosts whose TLSA records DNS could not give securely"),
	ROW(sts_fetches, COUNTER, "MTA-STS policies asked for"),
	ROW(sts_failures, COUNTER, "MTA-STS policies that could not be had"),
};
static const struct counter_set counter_set = { counter_rows, ARRAY_LEN(counter_rows) };

const struct part policy_part = {
	.name = "policy",
	.open = policy_open,
	.start = policy_start,
	.reload = policy_reload,
	.stop = policy_stop,
	.close = policy_close,
	.counters = &counter_set,
	.counters_at = offsetof(struct policies, counters),
};
