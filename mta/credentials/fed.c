/* mta/credentials/fed.c - credentials that the control plane tells, one by one and as a whole. */
#include "base/hash.h"
#include "base/log.h"
#include "mta/credentials/inside.h"

static uint64_t id_hash(uint64_t tenant, uint64_t id)
{
	return hash_mix(hash_mix(id + 1) ^ tenant);
}

struct credential *credentials_find_fed(const struct credentials *c, uint64_t tenant, uint64_t id)
{
	for (struct map_link *l = map_find(&c->by_id, id_hash(tenant, id)); l;
	     l = map_find_next(l)) {
		struct credential *cred = container_of(l, struct credential, id_link);
		if (cred->tenant == tenant && cred->id == id)
			return cred;
	}
	return NULL;
}

struct credential *credential_of_fact(const struct wire_fact *f, const char **why)
{
	struct credential *cred = NULL;
	int r = credential_line(f->text, &cred, why);

	if (r == 0)
		*why = "it is empty";
	if (r <= 0)
		return NULL;
	if (cred->says_tenant || cred->pools.n || !f->tenant) {
		*why = "it says a tenant or pools, or is nobody's";
		return credential_unref(cred);
	}
	cred->tenant = f->tenant;
	cred->id = f->id;
	cred->fed = true;
	return cred;
}

/* Sessions that hold the old one ask again by its name, and wait for the lock then. */
static void replace(struct credentials *c, struct credential *old, struct credential *fresh)
{
	pthread_rwlock_wrlock(&c->lock);
	if (old) {
		atomic_store(&old->gone, true);
		map_remove(&c->by_name, &old->link);
		map_remove(&c->by_id, &old->id_link);
	}
	if (fresh) {
		map_insert(&c->by_name, &fresh->link, hash_keyed(fresh->name));
		map_insert(&c->by_id, &fresh->id_link, id_hash(fresh->tenant, fresh->id));
	}
	atomic_store(&c->any, c->all.n || c->by_id.count);
	pthread_rwlock_unlock(&c->lock);
	credential_unref(old);
}

/* One that cannot be read submits nothing; the one before it neither. */
static int take(void *arg, const struct wire_fact *f)
{
	struct credentials *c = arg;
	struct credential *old = credentials_find_fed(c, f->tenant, f->id), *fresh = NULL;
	const char *why = "";

	if (f->kind == WIRE_FACT_CREDENTIAL) {
		if (old && slice_eq(slice_str(old->text), f->text)) {
			old->round = c->round;
			return 0;
		}
		fresh = credential_of_fact(f, &why);
		if (!fresh)
			log_error("credentials.unfit", kv_int("tenant", (int64_t)f->tenant),
				  kv_int("id", (int64_t)f->id), kv_str("fault", why));
	}
	if (fresh) {
		fresh->quota = old ? quota_ref(old->quota) : quota_new();
		fresh->round = c->round;
	}
	if (old || fresh)
		replace(c, old, fresh);
	return 0;
}

static struct credential *find_left_over(const struct credentials *c)
{
	struct map_link *l = NULL;
	size_t pos = 0;

	while ((l = map_next(&c->by_id, &pos, l))) {
		struct credential *cred = container_of(l, struct credential, id_link);
		if (cred->round != c->round)
			return cred;
	}
	return NULL;
}

static void take_all(struct credentials *c)
{
	struct credential *old;
	int r;

	c->round++;
	r = senders_each_object(c->watch_of, WIRE_FACT_CREDENTIAL, take, c);
	assert(r == 0);
	(void)r;
	while ((old = find_left_over(c)))
		replace(c, old, NULL);
}

static void on_changed(struct senders_watch *w, const struct slice *facts)
{
	struct credentials *c = container_of(w, struct credentials, watch);
	struct slice in = facts ? *facts : slice_of("", 0);
	struct wire_fact f;
	unsigned n = 0;

	if (!facts)
		take_all(c);
	while (wire_fact_next(&in, &f) > 0)
		if (f.kind == WIRE_FACT_CREDENTIAL || f.kind == WIRE_FACT_NO_CREDENTIAL) {
			(void)take(c, &f);
			n++;
		}
	if (n || !facts)
		log_info("credentials.fed", kv_int("changed", n),
			 kv_int("credentials", (int64_t)c->by_id.count));
}

void credentials_fed_begin(struct credentials *c)
{
	c->watch_of = senders_of(c->engine);
	c->watch.changed = on_changed;
	senders_watch(c->watch_of, &c->watch);
	take_all(c);
}

void credentials_fed_end(struct credentials *c)
{
	struct map_link *l;

	while ((l = map_any(&c->by_id)) != NULL)
		replace(c, container_of(l, struct credential, id_link), NULL);
}
