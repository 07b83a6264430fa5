/* mta/senders/senders.c - senders and suppressions of the engine: lookups, changes, the part. */
#include "mta/senders/senders.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/log.h"
#include "mta/senders/address.h"
#include "mta/senders/options.h"
#include "mta/senders/store.h"

struct senders {
	struct engine *engine;
	pthread_rwlock_t lock; /* of what follows; the front desk alone writes */
	struct known *control, *local;
	enum senders_check check;
	bool fed;
	_Atomic bool stops_any, expected;

	/* The front desk's alone */
	struct store *store;
	struct known *coming; /* a set that is being built */
	const void *builder;
	struct list watches;
	bool old_rules; /* the spool holds suppressions of a version that kept them there */
	uint64_t changes, sets;
	int64_t changed_ms;
};

struct senders *senders_of(struct engine *e)
{
	return engine_shared(e, &senders_part);
}

/* ---- lookups ----------------------------------------------------------------------------- */

static bool checked_locked(const struct senders *s)
{
	if (s->check == SENDERS_CHECK_AUTO)
		return s->fed || known_all(s->local).senders > 0;
	return s->check == SENDERS_CHECK_ALWAYS;
}

bool senders_checked(struct senders *s)
{
	bool checked;

	pthread_rwlock_rdlock(&s->lock);
	checked = checked_locked(s);
	pthread_rwlock_unlock(&s->lock);
	return checked;
}

void senders_expect(struct senders *s)
{
	atomic_store(&s->expected, true);
}

bool senders_awaited(struct senders *s)
{
	bool fed;

	pthread_rwlock_rdlock(&s->lock);
	fed = s->fed;
	pthread_rwlock_unlock(&s->lock);
	return !fed && atomic_load(&s->expected);
}

bool senders_find(struct senders *s, struct slice domain, struct known_sender *ret)
{
	bool found;

	pthread_rwlock_rdlock(&s->lock);
	found = known_sender_of(s->local, domain, ret) || known_sender_of(s->control, domain, ret);
	pthread_rwlock_unlock(&s->lock);
	return found;
}

bool senders_suppressed(struct senders *s, uint64_t tenant, bool bulk, struct slice address)
{
	uint8_t hash[WIRE_FACT_HASH];
	bool found;

	if (!atomic_load_explicit(&s->stops_any, memory_order_relaxed) ||
	    senders_address_hash(address, hash) < 0)
		return false;
	pthread_rwlock_rdlock(&s->lock);
	found = known_stops(s->local, 0, bulk, hash) || known_stops(s->control, tenant, bulk, hash);
	pthread_rwlock_unlock(&s->lock);
	return found;
}

/* ---- changes ----------------------------------------------------------------------------- */

/* Behind every change, with the lock. */
static void look_at_stops(struct senders *s)
{
	struct known_counts a = known_all(s->control), b = known_all(s->local);

	atomic_store(&s->stops_any, a.stops_all || a.stops_bulk || b.stops_all || b.stops_bulk);
}

static int drop_rule(void *arg, struct slice key, struct slice value UNUSED)
{
	lsn_t lsn;

	return spool_put_rule(arg, key, SLICE(""), &lsn);
}

/* The whole set replaces what an older version kept as rules of the spool. */
static void drop_old_rules(struct senders *s)
{
	struct spool *sp = engine_spool(s->engine);
	int r = s->old_rules ? spool_each_rule(sp, SLICE("suppress/"), drop_rule, sp) : 0;

	if (r < 0)
		log_warn("senders.old-rules", kv_err("reason", r));
	s->old_rules = r < 0;
}

struct rewriting {
	struct store *store;
	struct buf facts;
};

static int rewrite_flush(struct rewriting *w)
{
	int r = store_part(w->store, buf_data(&w->facts));

	buf_clear(&w->facts);
	return r;
}

static int rewrite_fact(void *arg, const struct wire_fact *f)
{
	struct rewriting *w = arg;
	int r = wire_fact_put(&w->facts, f);

	if (r == 0 && buf_len(&w->facts) > STORE_FACTS_MAX - 2 * WIRE_FACT_TEXT_MAX)
		r = rewrite_flush(w);
	return r;
}

/* The set and its changes as one set.  When that fails the long file goes on. */
static void rewrite(struct senders *s)
{
	struct rewriting w = { .store = s->store };
	int r;

	if (s->coming || !store_is_long(s->store))
		return;
	r = store_begin(s->store);
	if (r == 0)
		r = known_each_fact(s->control, rewrite_fact, &w);
	if (r == 0)
		r = rewrite_flush(&w);
	if (r == 0)
		r = store_end(s->store);
	buf_free(&w.facts);
	if (r < 0)
		log_warn("senders.not-rewritten", kv_err("reason", r));
}

/* facts NULL: a whole set was taken. */
static void changed(struct senders *s, const struct slice *facts)
{
	struct senders_watch *w;

	s->changes++;
	s->changed_ms = clock_wall_ms();
	list_each(&s->watches, w, struct senders_watch, link)
		w->changed(w, facts);
}

void senders_watch(struct senders *s, struct senders_watch *w)
{
	list_push(&s->watches, &w->link);
}

int senders_each_object(struct senders *s, enum wire_fact_kind kind,
			int (*each)(void *arg, const struct wire_fact *f), void *arg)
{
	return known_each_object(s->control, kind, each, arg);
}

int senders_change(struct senders *s, struct slice facts)
{
	int r = s->fed ? 0 : E_CONFLICT;

	pthread_rwlock_wrlock(&s->lock); /* sets may move to make room */
	if (r == 0)
		r = known_prepare(s->control, facts);
	pthread_rwlock_unlock(&s->lock);
	if (r == 0)
		r = store_change(s->store, facts);
	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&s->lock);
	known_take(s->control, facts);
	look_at_stops(s);
	pthread_rwlock_unlock(&s->lock);
	changed(s, &facts);
	rewrite(s);
	return 0;
}

int senders_equal(struct senders *s, struct slice sums)
{
	return s->fed && known_equals(s->control, sums) ? 0 : E_CONFLICT;
}

int senders_begin(struct senders *s, const void *by, struct slice sums)
{
	int r;

	s->coming = known_free(s->coming);
	s->coming = known_new();
	s->builder = by;
	r = known_reserve(s->coming, sums);
	if (r == 0)
		r = store_begin(s->store);
	if (r < 0)
		s->coming = known_free(s->coming);
	return r;
}

int senders_more(struct senders *s, const void *by, struct slice facts)
{
	int r;

	if (!s->coming || s->builder != by)
		return E_CONFLICT;
	r = known_prepare(s->coming, facts);
	if (r == 0)
		r = store_part(s->store, facts);
	if (r == 0)
		known_take(s->coming, facts);
	else
		s->coming = known_free(s->coming);
	return r;
}

int senders_end(struct senders *s, const void *by)
{
	struct known *old = s->control;
	int r = s->coming && s->builder == by ? store_end(s->store) : E_CONFLICT;

	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&s->lock);
	s->control = TAKE(s->coming);
	s->fed = true;
	look_at_stops(s);
	pthread_rwlock_unlock(&s->lock);
	(void)known_free(old);
	drop_old_rules(s);
	s->sets++;
	changed(s, NULL);
	return 0;
}

/* ---- looking at all of it ---------------------------------------------------------------- */

struct senders_facts senders_facts(struct senders *s)
{
	return (struct senders_facts){
		.checked = senders_checked(s),
		.fed = s->fed,
		.changed_ms = s->changed_ms,
		.changes = s->changes,
		.sets = s->sets,
		.control = known_all(s->control),
		.local = known_all(s->local),
	};
}

int senders_each_tenant(struct senders *s, int (*each)(void *arg, const struct known_counts *c),
			void *arg)
{
	return known_each_tenant(s->control, each, arg);
}

struct domains {
	int (*each)(void *arg, const struct wire_fact *f, bool local);
	void *arg;
	bool local;
};

static int each_domain(void *arg, const struct wire_fact *f)
{
	struct domains *d = arg;

	return d->each(d->arg, f, d->local);
}

int senders_each_domain(struct senders *s,
			int (*each)(void *arg, const struct wire_fact *f, bool local), void *arg)
{
	struct domains d = { each, arg, true };
	int r = known_each_sender(s->local, each_domain, &d);

	d.local = false;
	return r < 0 ? r : known_each_sender(s->control, each_domain, &d);
}

/* ---- the part ---------------------------------------------------------------------------- */

/* suppress/<tenant>/<hash in hex>, as the control plane's rules were. */
static int take_old_rule(void *arg, struct slice key, struct slice value UNUSED)
{
	struct senders *s = arg;
	struct wire_fact f = { .kind = WIRE_FACT_STOPS_ALL };
	struct buf hash = { 0 }, fact = { 0 };
	struct slice tenant, hex;
	int r = 0;

	s->old_rules = true;
	(void)slice_strip(&key, SLICE("suppress/"));
	if (!s->fed && slice_cut(key, '/', &tenant, &hex) && hex.n == 2 * sizeof(f.hash) &&
	    slice_u64(tenant, UINT64_MAX, &f.tenant) >= 0 && hex_decode(&hash, hex) >= 0) {
		memcpy(f.hash, buf_data(&hash).p, sizeof(f.hash));
		r = wire_fact_put(&fact, &f);
		if (r == 0)
			r = known_prepare(s->control, buf_data(&fact));
		if (r == 0)
			known_take(s->control, buf_data(&fact));
	}
	buf_free(&hash);
	buf_free(&fact);
	return r == E_SYNTAX ? 0 : r;
}

static int open_store(struct senders *s)
{
	const struct disk *disk;
	int dirfd = spool_folder(engine_spool(s->engine), &disk);
	struct store_fault fault;
	int r = store_open(&s->store, disk, dirfd, &s->control, &fault);

	if (r < 0) {
		log_error(
		    "senders.refused", kv_str("file", STORE_FILE), kv_int("offset", fault.offset),
		    kv_str("fault", fault.reason ? fault.reason : ""), kv_err("reason", r),
		    kv_str("remedy",
			   "move the file out of spool.dir; the control plane brings all of it "
			   "again"));
		return r;
	}
	if (fault.cut)
		log_warn("senders.cut", kv_str("file", STORE_FILE), kv_int("bytes", fault.cut));
	s->fed = store_is_fed(s->store);
	return 0;
}

/* What the options say now; the lists of before when that cannot be read. */
static int read_options(struct senders *s)
{
	const struct senders_options *o =
	    settings_of(engine_settings(s->engine), &senders_option_set);
	struct known *local, *old;
	char error[OPTION_ERROR_MAX];
	int r = senders_local(o, &local, error);

	if (r < 0) {
		log_error("senders.unreadable", kv_str("fault", error), kv_err("reason", r));
		return r;
	}
	pthread_rwlock_wrlock(&s->lock);
	old = s->local;
	s->local = local;
	s->check = o->check;
	look_at_stops(s);
	pthread_rwlock_unlock(&s->lock);
	(void)known_free(old);
	return 0;
}

static void senders_close(void *shared)
{
	struct senders *s = shared;

	s->store = store_free(s->store);
	s->coming = known_free(s->coming);
	s->control = known_free(s->control);
	s->local = known_free(s->local);
	pthread_rwlock_destroy(&s->lock);
	free(s);
}

static int senders_open(struct engine *e, void **ret_shared)
{
	struct senders *s = must_alloc(sizeof(*s));
	int r;

	s->engine = e;
	list_init(&s->watches);
	pthread_rwlock_init(&s->lock, NULL);
	r = open_store(s);
	if (r == 0)
		r = spool_each_rule(engine_spool(e), SLICE("suppress/"), take_old_rule, s);
	if (r >= 0 && s->fed)
		drop_old_rules(s);
	if (r >= 0)
		r = read_options(s);
	if (r < 0)
		senders_close(s);
	else
		*ret_shared = s;
	return r;
}

static int senders_start(struct lane *front, void **ret_state)
{
	*ret_state = senders_of(lane_engine(front));
	return 0;
}

static void senders_reload(void *state)
{
	(void)!read_options(state);
}

const struct part senders_part = {
	.name = "senders",
	.front = true,
	.open = senders_open,
	.start = senders_start,
	.reload = senders_reload,
	.close = senders_close,
};
