/* mta/tenants/tenancy.c - tenants and campaigns in memory: what was said of them, and what is
 * queued. */
#include "mta/tenants/tenancy.h"

#include <pthread.h>

#include "base/hash.h"
#include "base/log.h"

enum { LINE = 64 };
struct tenant_ended { /* a lane's; by itself, so that lanes do not wait for each other */
	_Alignas(LINE) counter n;
};
struct tenant {
	struct map_link link;
	uint64_t number;
	struct tenant_order *order; /* NULL: none */
	_Atomic int64_t accepted;
	struct tenant_ended *ended; /* one for each lane */
};
struct tenancy {
	pthread_rwlock_t lock;
	struct map tenants, campaigns; /* of struct tenant */
	unsigned lanes, n_orders;
	struct tenancy_options listed;
	_Atomic unsigned generation;
	_Atomic bool paces;
};

struct tenancy *tenancy_new(unsigned lanes)
{
	struct tenancy *t = must_alloc(sizeof(*t));

	pthread_rwlock_init(&t->lock, NULL);
	map_init(&t->tenants);
	map_init(&t->campaigns);
	t->lanes = lanes;
	return t;
}

static void free_all(struct map *m)
{
	struct map_link *l;

	while ((l = map_any(m)) != NULL) {
		struct tenant *x = container_of(l, struct tenant, link);
		map_remove(m, l);
		free(x->order);
		free(x->ended);
		free(x);
	}
	map_free(m);
}

struct tenancy *tenancy_free(struct tenancy *t)
{
	if (!t)
		return NULL;
	free_all(&t->tenants);
	free_all(&t->campaigns);
	pthread_rwlock_destroy(&t->lock);
	free(t);
	return NULL;
}

/* ---- entries ----------------------------------------------------------------------------- */

static struct tenant *find(const struct map *m, uint64_t number)
{
	for (struct map_link *l = map_find(m, hash_mix(number)); l; l = map_find_next(l)) {
		struct tenant *x = container_of(l, struct tenant, link);
		if (x->number == number)
			return x;
	}
	return NULL;
}

/* With the lock for writing. */
static struct tenant *find_or_make(struct tenancy *t, struct map *m, uint64_t number)
{
	struct tenant *x = find(m, number);

	if (x)
		return x;
	x = must_alloc(sizeof(*x));
	x->number = number;
	if (m == &t->tenants) {
		size_t size = t->lanes * sizeof(*x->ended);
		x->ended = aligned_alloc(LINE, size);
		if (!x->ended)
			abort();
		memset(x->ended, 0, size);
	}
	map_insert(m, &x->link, hash_mix(number));
	return x;
}

struct tenant *tenancy_tenant(struct tenancy *t, uint64_t tenant)
{
	struct tenant *x;

	if (!tenant)
		return NULL;
	pthread_rwlock_rdlock(&t->lock);
	x = find(&t->tenants, tenant);
	pthread_rwlock_unlock(&t->lock);
	if (x)
		return x;
	pthread_rwlock_wrlock(&t->lock);
	x = find_or_make(t, &t->tenants, tenant);
	pthread_rwlock_unlock(&t->lock);
	return x;
}

/* ---- what holds -------------------------------------------------------------------------- */

static const struct tenant_words *listed(const struct tenancy *t, uint64_t tenant)
{
	for (unsigned low = 0, high = t->listed.n_listed; low < high;) {
		unsigned middle = (low + high) / 2;
		if (t->listed.listed[middle].tenant == tenant)
			return &t->listed.listed[middle].words;
		if (t->listed.listed[middle].tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return &tenant_words_empty;
}

static int64_t value_of(const struct tenancy *t, const struct tenant *x, uint64_t number,
			enum tenant_key key)
{
	int64_t v = x && x->order ? x->order->words.v[key] : TENANT_UNSAID;

	if (v == TENANT_UNSAID)
		v = listed(t, number)->v[key];
	if (v == TENANT_UNSAID)
		v = listed(t, 0)->v[key];
	return v == TENANT_UNSAID ? TENANT_NONE : v;
}

static struct tenant_limits_now limits(const struct tenancy *t, const struct tenant *x,
				       uint64_t number)
{
	struct tenant_limits_now now;

	for (unsigned i = 0; i < TENANT_KEYS; i++)
		now.v[i] = value_of(t, x, number, (enum tenant_key)i);
	return now;
}

struct tenant_limits_now tenancy_limits(struct tenancy *t, uint64_t tenant)
{
	struct tenant_limits_now now = { { TENANT_NONE } };

	if (!tenant)
		return now;
	pthread_rwlock_rdlock(&t->lock);
	now = limits(t, find(&t->tenants, tenant), tenant);
	pthread_rwlock_unlock(&t->lock);
	return now;
}

unsigned tenancy_campaign_weight(struct tenancy *t, uint64_t campaign)
{
	const struct tenant *x;
	int64_t weight = 0;

	pthread_rwlock_rdlock(&t->lock);
	x = t->campaigns.count ? find(&t->campaigns, campaign) : NULL;
	if (x && x->order)
		weight = x->order->words.v[TENANT_WEIGHT];
	pthread_rwlock_unlock(&t->lock);
	return weight > 0 ? (unsigned)weight : 1;
}

bool tenancy_paces(const struct tenancy *t)
{
	return atomic_load_explicit(&t->paces, memory_order_relaxed);
}

unsigned tenancy_generation(const struct tenancy *t)
{
	return atomic_load(&t->generation);
}

void tenancy_origin(struct tenancy *t, uint64_t tenant, enum tenant_key key, struct buf *out)
{
	const struct tenant *x;

	pthread_rwlock_rdlock(&t->lock);
	x = find(&t->tenants, tenant);
	if (x && x->order && x->order->words.v[key] != TENANT_UNSAID)
		buf_putf(out, "order of %s", x->order->author);
	else if (listed(t, tenant)->v[key] != TENANT_UNSAID ||
		 listed(t, 0)->v[key] != TENANT_UNSAID)
		buf_put(out, SLICE("tenant.limit"));
	pthread_rwlock_unlock(&t->lock);
}

/* ---- queues ------------------------------------------------------------------------------ */

static int64_t ended(const struct tenancy *t, const struct tenant *x)
{
	int64_t n = 0;

	for (unsigned i = 0; i < t->lanes; i++)
		n += (int64_t)atomic_load_explicit(&x->ended[i].n, memory_order_relaxed);
	return n;
}

static int64_t queued(const struct tenancy *t, const struct tenant *x)
{
	return atomic_load(&x->accepted) - ended(t, x);
}

bool tenancy_admit(struct tenancy *t, uint64_t tenant, uint32_t rows)
{
	struct tenant *x = tenancy_tenant(t, tenant);
	int64_t most, accepted, now;

	if (!x)
		return true;
	most = tenancy_limits(t, tenant).v[TENANT_QUEUE];
	accepted = atomic_load(&x->accepted);
	do {
		now = accepted - ended(t, x);
		if (most != TENANT_NONE && now > 0 && now + rows > most)
			return false;
	} while (!atomic_compare_exchange_weak(&x->accepted, &accepted, accepted + rows));
	return true;
}

void tenancy_count(struct tenancy *t, uint64_t tenant, uint32_t rows)
{
	struct tenant *x = tenancy_tenant(t, tenant);

	if (x)
		atomic_fetch_add(&x->accepted, rows);
}

void tenancy_give_back(struct tenancy *t, uint64_t tenant, uint32_t rows)
{
	struct tenant *x = tenancy_tenant(t, tenant);

	if (x)
		atomic_fetch_sub(&x->accepted, rows);
}

bool tenancy_is_full(struct tenancy *t, uint64_t tenant)
{
	int64_t most = tenancy_limits(t, tenant).v[TENANT_QUEUE];

	return most != TENANT_NONE && (int64_t)tenancy_queued(t, tenant) >= most;
}

void tenancy_ended(struct tenant *tenant, unsigned lane)
{
	if (tenant)
		count_add(&tenant->ended[lane].n, 1);
}

uint64_t tenancy_queued(struct tenancy *t, uint64_t tenant)
{
	const struct tenant *x;
	int64_t n;

	pthread_rwlock_rdlock(&t->lock);
	x = find(&t->tenants, tenant);
	n = x ? queued(t, x) : 0;
	pthread_rwlock_unlock(&t->lock);
	return (uint64_t)MAX_OF(n, (int64_t)0);
}

/* ---- orders and the configuration -------------------------------------------------------- */

static bool paces(const struct tenant_words *w)
{
	return w->v[TENANT_RATE] > 0 || w->v[TENANT_CONNECTIONS] > 0;
}

/* With the lock for writing. */
static void changed(struct tenancy *t)
{
	struct map_link *l;
	bool any = false;
	size_t pos = 0;

	for (unsigned i = 0; i < t->listed.n_listed; i++)
		any = any || paces(&t->listed.listed[i].words);
	for (l = map_next(&t->tenants, &pos, NULL); l; l = map_next(&t->tenants, &pos, l)) {
		const struct tenant *x = container_of(l, struct tenant, link);
		any = any || (x->order && paces(&x->order->words));
	}
	atomic_store(&t->paces, any);
	atomic_fetch_add(&t->generation, 1);
}

int tenancy_check(struct slice rule_key, struct slice rule_value)
{
	struct tenant_order o;

	return tenant_order_read(rule_key, rule_value, &o);
}

static int set_order(struct tenancy *t, struct tenant *x, const struct tenant_order *o, bool ends)
{
	if (ends) {
		t->n_orders -= x->order != NULL;
		free(x->order);
		x->order = NULL;
		return 0;
	}
	if (!x->order && t->n_orders == TENANT_ORDERS_MAX)
		return E_LIMIT;
	if (!x->order) {
		x->order = must_alloc(sizeof(*o));
		t->n_orders++;
	}
	*x->order = *o;
	return 0;
}

int tenancy_set(struct tenancy *t, struct slice rule_key, struct slice rule_value)
{
	struct tenant_order o;
	int r = tenant_order_read(rule_key, rule_value, &o);

	if (r < 0)
		return r;
	pthread_rwlock_wrlock(&t->lock);
	r = set_order(t, find_or_make(t, o.campaign ? &t->campaigns : &t->tenants, o.number), &o,
		      !rule_value.n);
	changed(t);
	pthread_rwlock_unlock(&t->lock);
	if (r < 0)
		log_error("limits.too-many", kv_slice("rule", rule_key));
	return r;
}

bool tenancy_order(struct tenancy *t, bool campaign, uint64_t number, struct tenant_order *ret)
{
	const struct tenant *x;

	pthread_rwlock_rdlock(&t->lock);
	x = find(campaign ? &t->campaigns : &t->tenants, number);
	if (x && x->order)
		*ret = *x->order;
	pthread_rwlock_unlock(&t->lock);
	return x && x->order;
}

void tenancy_configure(struct tenancy *t, const struct tenancy_options *o)
{
	pthread_rwlock_wrlock(&t->lock);
	t->listed = *o;
	t->listed.limit_list = NULL;
	changed(t);
	pthread_rwlock_unlock(&t->lock);
}

/* ---- for those who look ------------------------------------------------------------------ */

static bool is_of_interest(const struct tenancy *t, const struct tenant *x, int64_t n)
{
	return n > 0 || x->order || !tenant_words_say_nothing(listed(t, x->number));
}

void tenancy_each(struct tenancy *t, void (*each)(void *arg, const struct tenant_fact *f),
		  void *arg)
{
	struct map_link *l;
	size_t pos = 0;

	pthread_rwlock_wrlock(&t->lock);
	for (unsigned i = 0; i < t->listed.n_listed; i++)
		if (t->listed.listed[i].tenant)
			(void)find_or_make(t, &t->tenants, t->listed.listed[i].tenant);
	for (l = map_next(&t->tenants, &pos, NULL); l; l = map_next(&t->tenants, &pos, l)) {
		const struct tenant *x = container_of(l, struct tenant, link);
		int64_t n = queued(t, x);
		if (is_of_interest(t, x, n))
			each(arg, &(struct tenant_fact){ x->number, (uint64_t)MAX_OF(n, (int64_t)0),
							 limits(t, x, x->number), x->order });
	}
	pthread_rwlock_unlock(&t->lock);
}

void tenancy_each_campaign(struct tenancy *t, void (*each)(void *arg, const struct tenant_order *o),
			   void *arg)
{
	struct map_link *l;
	size_t pos = 0;

	pthread_rwlock_rdlock(&t->lock);
	for (l = map_next(&t->campaigns, &pos, NULL); l; l = map_next(&t->campaigns, &pos, l)) {
		const struct tenant *x = container_of(l, struct tenant, link);
		if (x->order)
			each(arg, x->order);
	}
	pthread_rwlock_unlock(&t->lock);
}
