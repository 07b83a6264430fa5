/* mta/senders/known.c - a map of domains, two sets of digests for each tenant, and objects. */
#include "mta/senders/known.h"

#include <openssl/evp.h>

#include "base/hash.h"
#include "mta/senders/told.h"

struct known_domain {
	struct map_link link;
	uint64_t tenant;
	uint8_t hash[DIGEST_SIZE];
	struct slice domain, pool; /* behind the struct */
	char text[];
};
struct known_sum {
	size_t n;
	uint64_t sum;
};
struct known_tenant {
	struct map_link link;
	uint64_t tenant;
	struct known_sum senders, credentials, routes;
	struct digests all, bulk; /* an address is in one of them at most */
};
struct known {
	struct map domains, tenants, objects;
	size_t stops;
};

struct known *known_new(void)
{
	struct known *k = must_alloc(sizeof(*k));

	map_init(&k->domains);
	map_init(&k->tenants);
	map_init(&k->objects);
	return k;
}

static void tenant_free(struct known *k, struct known_tenant *t)
{
	map_remove(&k->tenants, &t->link);
	digests_free(&t->all);
	digests_free(&t->bulk);
	free(t);
}

struct known *known_free(struct known *k)
{
	struct map_link *l;

	if (!k)
		return NULL;
	while ((l = map_any(&k->domains)) != NULL) {
		map_remove(&k->domains, l);
		free(container_of(l, struct known_domain, link));
	}
	while ((l = map_any(&k->tenants)) != NULL)
		tenant_free(k, container_of(l, struct known_tenant, link));
	told_clear(&k->objects);
	map_free(&k->domains);
	map_free(&k->tenants);
	map_free(&k->objects);
	free(k);
	return NULL;
}

/* ---- looking ----------------------------------------------------------------------------- */

static uint64_t tenant_hash(uint64_t tenant)
{
	return hash_mix(tenant + 1);
}

static struct known_tenant *find_tenant(const struct known *k, uint64_t tenant)
{
	for (struct map_link *l = map_find(&k->tenants, tenant_hash(tenant)); l;
	     l = map_find_next(l)) {
		struct known_tenant *t = container_of(l, struct known_tenant, link);
		if (t->tenant == tenant)
			return t;
	}
	return NULL;
}

static struct known_domain *find_domain(const struct known *k, struct slice domain)
{
	for (struct map_link *l = map_find(&k->domains, hash_keyed_nocase(domain)); l;
	     l = map_find_next(l)) {
		struct known_domain *d = container_of(l, struct known_domain, link);
		if (slice_eq_nocase(d->domain, domain))
			return d;
	}
	return NULL;
}

/* A name of one label is above nobody. */
static bool step_up(struct slice *domain)
{
	struct slice label, above;

	if (!slice_cut(*domain, '.', &label, &above) || !memchr(above.p, '.', above.n))
		return false;
	*domain = above;
	return true;
}

bool known_sender_of(const struct known *k, struct slice domain, struct known_sender *ret)
{
	const struct known_domain *d = k->domains.count ? find_domain(k, domain) : NULL;

	while (!d && k->domains.count && step_up(&domain))
		d = find_domain(k, domain);
	if (!d)
		return false;
	ret->tenant = d->tenant;
	slice_copy(ret->pool, sizeof(ret->pool), d->pool);
	return true;
}

bool known_stops(const struct known *k, uint64_t tenant, bool bulk, const uint8_t *hash)
{
	const struct known_tenant *t = find_tenant(k, tenant);

	return t && (digests_has(&t->all, hash) || (bulk && digests_has(&t->bulk, hash)));
}

/* ---- taking facts ------------------------------------------------------------------------ */

static struct known_tenant *need_tenant(struct known *k, uint64_t tenant)
{
	struct known_tenant *t = find_tenant(k, tenant);

	if (t)
		return t;
	t = must_alloc(sizeof(*t));
	t->tenant = tenant;
	map_insert(&k->tenants, &t->link, tenant_hash(tenant));
	return t;
}

static bool domain_fit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] != ascii_lower(s.p[i]))
			return false;
	return true;
}

static struct digests *set_of(struct known_tenant *t, enum wire_fact_kind kind)
{
	return kind == WIRE_FACT_STOPS_ALL    ? &t->all
	       : kind == WIRE_FACT_STOPS_BULK ? &t->bulk
					      : NULL;
}

/* How much the facts before this one add at most. */
struct preparing {
	size_t senders, stops, objects;
};

static int prepare_object(const struct known *k, const struct wire_fact *f, struct preparing *p)
{
	bool more = wire_fact_is_object(f->kind);

	return more && ++p->objects + k->objects.count > KNOWN_OBJECTS_MAX ? E_LIMIT : 0;
}

static int prepare_one(struct known *k, const struct wire_fact *f, struct preparing *p)
{
	struct digests *d;

	if (f->kind == WIRE_FACT_SUM)
		return E_SYNTAX;
	if (told_kind(f->kind))
		return prepare_object(k, f, p);
	if (f->kind == WIRE_FACT_SENDER && ++p->senders + k->domains.count > KNOWN_SENDERS_MAX)
		return E_LIMIT;
	if (f->kind == WIRE_FACT_SENDER || f->kind == WIRE_FACT_NO_SENDER)
		return domain_fit(f->domain) && f->pool.n <= KNOWN_POOL_MAX ? 0 : E_SYNTAX;
	if (f->kind == WIRE_FACT_STOPS_NONE)
		return 0;
	if (++p->stops + k->stops > KNOWN_STOPS_MAX)
		return E_LIMIT;
	d = set_of(need_tenant(k, f->tenant), f->kind);
	return digests_reserve(d, ++d->wanted);
}

/* After a run of facts: no set keeps room that it does not use, and tenants of whom nothing is
 * known are forgotten. */
static void settle(struct known *k, struct slice facts)
{
	struct known_tenant *t;
	struct wire_fact f;

	while (wire_fact_next(&facts, &f) > 0) {
		t = find_tenant(k, f.tenant);
		if (t)
			t->all.wanted = t->bulk.wanted = 0;
		if (t && !t->senders.n && !t->credentials.n && !t->routes.n && !t->all.n &&
		    !t->bulk.n)
			tenant_free(k, t);
	}
}

int known_prepare(struct known *k, struct slice facts)
{
	struct preparing p = { 0 };
	struct slice in = facts;
	struct wire_fact f;
	int r;

	while ((r = wire_fact_next(&in, &f)) > 0) {
		r = prepare_one(k, &f, &p);
		if (r < 0)
			break;
	}
	if (r < 0)
		settle(k, facts);
	return r;
}

static void domain_hash(struct slice domain, uint8_t *ret)
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	int ok = EVP_Digest(domain.p, domain.n, whole, NULL, EVP_sha256(), NULL);

	assert(ok == 1);
	(void)ok;
	memcpy(ret, whole, DIGEST_SIZE);
}

static void remove_domain(struct known *k, struct known_domain *d)
{
	struct known_tenant *t = find_tenant(k, d->tenant);

	t->senders.n--;
	t->senders.sum ^= wire_fact_sum(d->hash);
	map_remove(&k->domains, &d->link);
	free(d);
}

static void add_domain(struct known *k, const struct wire_fact *f)
{
	struct known_domain *old = find_domain(k, f->domain), *d;
	struct known_tenant *t;

	if (old)
		remove_domain(k, old);
	d = must_alloc(sizeof(*d) + f->domain.n + f->pool.n);
	d->tenant = f->tenant;
	domain_hash(f->domain, d->hash);
	memcpy(d->text, f->domain.p, f->domain.n);
	if (f->pool.n)
		memcpy(d->text + f->domain.n, f->pool.p, f->pool.n);
	d->domain = slice_of(d->text, f->domain.n);
	d->pool = slice_of(d->text + f->domain.n, f->pool.n);
	map_insert(&k->domains, &d->link, hash_keyed_nocase(d->domain));
	t = need_tenant(k, f->tenant);
	t->senders.n++;
	t->senders.sum ^= wire_fact_sum(d->hash);
}

static void set_stop(struct known *k, const struct wire_fact *f)
{
	bool all = f->kind == WIRE_FACT_STOPS_ALL, bulk = f->kind == WIRE_FACT_STOPS_BULK;
	struct known_tenant *t = find_tenant(k, f->tenant);

	if (!t)
		return; /* STOPS_NONE of a tenant without any */
	k->stops -= t->all.n + t->bulk.n;
	if (!all)
		(void)digests_remove(&t->all, f->hash);
	if (!bulk)
		(void)digests_remove(&t->bulk, f->hash);
	if (all || bulk)
		(void)digests_add(all ? &t->all : &t->bulk, f->hash);
	k->stops += t->all.n + t->bulk.n;
}

static struct known_sum *objects_of(struct known_tenant *t, enum wire_fact_kind kind)
{
	return kind == WIRE_FACT_CREDENTIAL ? &t->credentials : &t->routes;
}

/* The new one takes the place of the old one, or nothing does. */
static void set_object(struct known *k, const struct wire_fact *f)
{
	enum wire_fact_kind kind = told_kind(f->kind);
	struct told *old = told_find(&k->objects, kind, f->tenant, f->id);
	struct known_sum *sum = NULL;

	if (old) {
		sum = objects_of(need_tenant(k, f->tenant), kind);
		sum->n--;
		sum->sum ^= wire_fact_sum(old->stamp);
		told_remove(&k->objects, old);
	}
	if (f->kind != kind)
		return;
	sum = objects_of(need_tenant(k, f->tenant), kind);
	sum->n++;
	sum->sum ^= wire_fact_sum(f->hash);
	told_add(&k->objects, f);
}

void known_take(struct known *k, struct slice facts)
{
	struct slice in = facts;
	struct known_domain *d;
	struct wire_fact f;

	while (wire_fact_next(&in, &f) > 0) {
		d = NULL;
		if (told_kind(f.kind))
			set_object(k, &f);
		else if (f.kind == WIRE_FACT_SENDER)
			add_domain(k, &f);
		else if (f.kind == WIRE_FACT_NO_SENDER)
			d = find_domain(k, f.domain);
		else
			set_stop(k, &f);
		if (d && d->tenant == f.tenant)
			remove_domain(k, d);
	}
	settle(k, facts);
}

/* ---- sums -------------------------------------------------------------------------------- */

int known_reserve(struct known *k, struct slice sums)
{
	uint64_t stops = 0;
	struct wire_fact f;
	int r;

	while ((r = wire_fact_next(&sums, &f)) > 0) {
		struct known_tenant *t;
		if (f.kind != WIRE_FACT_SUM)
			return E_SYNTAX;
		if (f.of == WIRE_FACT_SENDER || told_kind(f.of))
			continue;
		if (f.count > KNOWN_STOPS_MAX || (stops += f.count) > KNOWN_STOPS_MAX)
			return E_LIMIT;
		t = need_tenant(k, f.tenant);
		r = digests_reserve(set_of(t, f.of), f.count);
		if (r < 0)
			return r;
	}
	return r;
}

static bool sum_equals(const struct known *k, const struct wire_fact *f)
{
	const struct known_tenant *t = find_tenant(k, f->tenant);

	if (!t || f->kind != WIRE_FACT_SUM)
		return false;
	if (f->of == WIRE_FACT_SENDER)
		return f->count == t->senders.n && f->sum == t->senders.sum;
	if (f->of == WIRE_FACT_CREDENTIAL)
		return f->count == t->credentials.n && f->sum == t->credentials.sum;
	if (f->of == WIRE_FACT_SMART_ROUTE)
		return f->count == t->routes.n && f->sum == t->routes.sum;
	if (f->of == WIRE_FACT_STOPS_ALL)
		return f->count == t->all.n && f->sum == t->all.sum;
	return f->count == t->bulk.n && f->sum == t->bulk.sum;
}

/* Each sum stands for at least one fact, so equal sums and an equal number of facts say that there
 * is no group without a sum. */
bool known_equals(const struct known *k, struct slice sums)
{
	struct wire_fact f;
	uint64_t facts = 0;
	int r;

	while ((r = wire_fact_next(&sums, &f)) > 0) {
		if (!sum_equals(k, &f))
			return false;
		facts += f.count;
	}
	return r == 0 && facts == k->domains.count + k->stops + k->objects.count;
}

/* ---- walking ----------------------------------------------------------------------------- */

struct known_counts known_all(const struct known *k)
{
	struct known_counts all = { .senders = k->domains.count };
	struct map_link *l = NULL;
	size_t pos = 0;

	while ((l = map_next(&k->tenants, &pos, l))) {
		const struct known_tenant *t = container_of(l, struct known_tenant, link);
		all.stops_all += t->all.n;
		all.stops_bulk += t->bulk.n;
		all.credentials += t->credentials.n;
		all.routes += t->routes.n;
	}
	return all;
}

int known_each_tenant(const struct known *k, int (*each)(void *arg, const struct known_counts *c),
		      void *arg)
{
	struct map_link *l = NULL;
	size_t pos = 0;
	int r = 0;

	while (r >= 0 && (l = map_next(&k->tenants, &pos, l))) {
		const struct known_tenant *t = container_of(l, struct known_tenant, link);
		struct known_counts c = { t->tenant, t->senders.n,     t->all.n,
					  t->bulk.n, t->credentials.n, t->routes.n };
		if (c.senders || c.stops_all || c.stops_bulk || c.credentials || c.routes)
			r = each(arg, &c);
	}
	return r < 0 ? r : 0;
}

static int each_stop(const struct digests *d, struct wire_fact f,
		     int (*each)(void *arg, const struct wire_fact *f), void *arg)
{
	const uint8_t *digest;
	size_t pos = 0;
	int r = 0;

	while (r >= 0 && (digest = digests_next(d, &pos))) {
		memcpy(f.hash, digest, DIGEST_SIZE);
		r = each(arg, &f);
	}
	return r;
}

int known_each_sender(const struct known *k, int (*each)(void *arg, const struct wire_fact *f),
		      void *arg)
{
	struct map_link *l = NULL;
	size_t pos = 0;
	int r = 0;

	while (r >= 0 && (l = map_next(&k->domains, &pos, l))) {
		const struct known_domain *d = container_of(l, struct known_domain, link);
		struct wire_fact f = { .kind = WIRE_FACT_SENDER,
				       .tenant = d->tenant,
				       .domain = d->domain,
				       .pool = d->pool };
		r = each(arg, &f);
	}
	return r < 0 ? r : 0;
}

int known_each_object(const struct known *k, enum wire_fact_kind kind,
		      int (*each)(void *arg, const struct wire_fact *f), void *arg)
{
	return told_each(&k->objects, kind, each, arg);
}

int known_each_fact(const struct known *k, int (*each)(void *arg, const struct wire_fact *f),
		    void *arg)
{
	int r = known_each_sender(k, each, arg);
	struct map_link *l = NULL;
	size_t pos = 0;

	while (r >= 0 && (l = map_next(&k->tenants, &pos, l))) {
		const struct known_tenant *t = container_of(l, struct known_tenant, link);
		struct wire_fact f = { .kind = WIRE_FACT_STOPS_ALL, .tenant = t->tenant };
		r = each_stop(&t->all, f, each, arg);
		f.kind = WIRE_FACT_STOPS_BULK;
		if (r >= 0)
			r = each_stop(&t->bulk, f, each, arg);
	}
	return r < 0 ? r : told_each(&k->objects, (enum wire_fact_kind)0, each, arg);
}
