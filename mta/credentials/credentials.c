/* mta/credentials/credentials.c - the table of credentials, and the part that keeps it as its file
 * and the control plane say. */
#include "mta/credentials/credentials.h"

#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/crypted.h"
#include "base/random.h"
#include "mta/credentials/counted.h"
#include "mta/credentials/inside.h"
#include "mta/credentials/slow.h"

enum { LOOK_MS = 500, PROOF_MS = 10 * 60 * 1000 };

struct credentials_options {
	char *file;
};

struct credentials *credentials_of(struct engine *e)
{
	return engine_shared(e, &credentials_part);
}

/* ---- one credential ---------------------------------------------------------------------- */

struct credential *credential_ref(struct credential *c)
{
	atomic_fetch_add(&c->refs, 1);
	return c;
}

struct credential *credential_unref(struct credential *c)
{
	if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
		return NULL;
	quota_unref(c->quota);
	free(c->nets);
	free(c->hash);
	free(c->text);
	free(c);
	return NULL;
}

static bool list_has(struct slice list, struct slice word)
{
	while (list.n)
		if (slice_eq_nocase(slice_take(&list, ','), word))
			return true;
	return false;
}

bool credential_names_pool(const struct credential *c, struct slice pool)
{
	return list_has(c->pools, pool);
}

bool credential_may_from(const struct credential *c, const struct ip *peer)
{
	for (unsigned i = 0; i < c->n_nets; i++)
		if (ip_net_has(&c->nets[i], peer))
			return true;
	return c->n_nets == 0;
}

static bool has_expired(const struct credential *c)
{
	return c->expires_ms && c->expires_ms <= clock_wall_ms();
}

bool credential_names_domain(const struct credential *c, struct slice domain)
{
	struct slice label;

	do {
		if (list_has(c->domains, domain))
			return true;
	} while (slice_cut(domain, '.', &label, &domain));
	return false;
}

/* ---- looking ----------------------------------------------------------------------------- */

bool credentials_any(struct credentials *c)
{
	return atomic_load_explicit(&c->any, memory_order_relaxed);
}

struct credential *credentials_find_locked(const struct credentials *c, struct slice name, bool fed)
{
	for (struct map_link *l = map_find(&c->by_name, hash_keyed(name)); l;
	     l = map_find_next(l)) {
		struct credential *cred = container_of(l, struct credential, link);
		if (cred->fed == fed && slice_eq(cred->name, name))
			return cred;
	}
	return NULL;
}

/* What stands in the file goes first. */
struct credential *credential_find(struct credentials *c, struct slice name)
{
	struct credential *cred;

	pthread_rwlock_rdlock(&c->lock);
	cred = credentials_find_locked(c, name, false);
	if (!cred)
		cred = credentials_find_locked(c, name, true);
	if (cred)
		credential_ref(cred);
	pthread_rwlock_unlock(&c->lock);
	return cred && has_expired(cred) ? credential_unref(cred) : cred;
}

bool credential_holds(struct credentials *c, struct credential **held)
{
	struct credential *now;

	if (!atomic_load_explicit(&(*held)->gone, memory_order_relaxed))
		return !has_expired(*held);
	now = credential_find(c, (*held)->name);
	if (now && strcmp(now->hash, (*held)->hash) == 0) {
		credential_unref(*held);
		*held = now;
		return true;
	}
	credential_unref(now);
	return false;
}

/* Those that are fed have hashes of one kind: any of them will do. */
int credentials_any_hash(struct credentials *c, struct slice name, char *ret)
{
	int r = E_UNKNOWN;

	pthread_rwlock_rdlock(&c->lock);
	if (c->all.n + c->by_id.count) {
		size_t i = hash_keyed(name) % (c->all.n + c->by_id.count);
		const struct credential *some =
		    i < c->all.n ? c->all.at[i]
				 : container_of(map_any(&c->by_id), struct credential, id_link);
		(void)snprintf(ret, CRYPTED_HASH_MAX + 1, "%s", some->hash);
		r = 0;
	}
	pthread_rwlock_unlock(&c->lock);
	return r;
}

void credentials_each(struct credentials *c, void (*each)(void *arg, const struct credential *cred),
		      void *arg)
{
	struct map_link *l = NULL;
	size_t pos = 0;

	pthread_rwlock_rdlock(&c->lock);
	for (size_t i = 0; i < c->all.n; i++)
		each(arg, c->all.at[i]);
	while ((l = map_next(&c->by_id, &pos, l)))
		each(arg, container_of(l, struct credential, id_link));
	pthread_rwlock_unlock(&c->lock);
}

struct check_pool *credentials_pool(struct credentials *c)
{
	return c->pool;
}

/* ---- proofs ------------------------------------------------------------------------------ */

/* The hash says whose password it is, and which. */
static void make_proof(const struct credentials *c, const struct credential *cred,
		       struct slice password, uint8_t *ret)
{
	char text[CRYPTED_HASH_MAX + 1 + CRYPTED_PASSWORD_MAX];
	size_t n = strlen(cred->hash) + 1;
	uint8_t *ok;

	assert(n + password.n <= sizeof(text));
	memcpy(text, cred->hash, n);
	memcpy(text + n, password.p, password.n);
	ok = HMAC(EVP_sha256(), c->key, sizeof(c->key), (const uint8_t *)text, n + password.n, ret,
		  NULL);
	assert(ok);
	(void)ok;
	explicit_bzero(text, sizeof(text));
}

bool credential_proved(struct credentials *c, struct credential *cred, struct slice password)
{
	uint8_t proof[CREDENTIAL_PROOF];
	bool ok;

	if (password.n > CRYPTED_PASSWORD_MAX)
		return false;
	make_proof(c, cred, password, proof);
	pthread_mutex_lock(&c->proofs);
	ok = cred->proof_until > clock_mono_ms() &&
	     slice_eq_secret(slice_of(proof, sizeof(proof)),
			     slice_of(cred->proof, sizeof(cred->proof)));
	pthread_mutex_unlock(&c->proofs);
	return ok;
}

void credentials_keep_proof(struct credentials *c, struct credential *cred, struct slice password)
{
	uint8_t proof[CREDENTIAL_PROOF];

	make_proof(c, cred, password, proof);
	pthread_mutex_lock(&c->proofs);
	memcpy(cred->proof, proof, sizeof(proof));
	cred->proof_until = clock_mono_ms() + PROOF_MS;
	pthread_mutex_unlock(&c->proofs);
}

/* ---- guessing ---------------------------------------------------------------------------- */

/* A customer's network is a /64; 0 stands for none. */
static uint64_t ip_key(const struct ip *ip)
{
	return hash_keyed(slice_of(ip->bytes, ip->family == AF_INET6 ? 8 : 4)) | 1;
}

static uint64_t name_key(struct slice name)
{
	return hash_keyed(name) | 1;
}

int64_t credentials_wait_ip(struct credentials *c, const struct ip *ip)
{
	return slow_wait(&c->ips, ip_key(ip), clock_mono_ms());
}

int64_t credentials_wait_name(struct credentials *c, struct slice name)
{
	return slow_wait(&c->names, name_key(name), clock_mono_ms());
}

void credentials_wrong(struct credentials *c, const struct ip *ip, struct slice name)
{
	slow_wrong(&c->ips, ip_key(ip), clock_mono_ms());
	slow_wrong(&c->names, name_key(name), clock_mono_ms());
}

void credentials_right(struct credentials *c, const struct ip *ip, struct slice name)
{
	slow_right(&c->ips, ip_key(ip));
	slow_right(&c->names, name_key(name));
}

/* ---- the part ---------------------------------------------------------------------------- */

static const struct option rows[] = {
	{ "submission.credentials", T_STR, offsetof(struct credentials_options, file), 0, 1024, "",
	  true,
	  "File of names and hashed passwords that may submit after AUTH; a change takes effect "
	  "within a second; empty: AUTH is not offered." },
};
const struct option_set credentials_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct credentials_options),
};

static const char *file_of(const struct credentials *c)
{
	const struct credentials_options *o =
	    settings_of(engine_settings(c->engine), &credentials_option_set);

	return o->file;
}

static void see(const char *path, struct stat *ret)
{
	if (!*path || stat(path, ret) < 0)
		memset(ret, 0, sizeof(*ret));
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mode == b->st_mode && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int read_again(struct credentials *c)
{
	const char *path = file_of(c);
	char error[OPTION_ERROR_MAX] = "";
	int r;

	see(path, &c->seen); /* before it is read: a later change is seen the next time */
	r = credentials_load(c, path, error);
	if (r < 0)
		log_error("credentials.unreadable", kv_str("fault", error), kv_err("reason", r));
	else
		log_info("credentials.read", kv_int("credentials", (int64_t)c->all.n));
	return r;
}

static void on_look(struct timer *t)
{
	struct credentials *c = container_of(t, struct credentials, look);
	struct stat now;

	see(file_of(c), &now);
	if (!is_same(&now, &c->seen))
		(void)!read_again(c);
	if (++c->looks >= COUNTED_MS / LOOK_MS) {
		c->looks = 0;
		counted_save(c);
	}
	timer_set(c->loop->timers, t, LOOK_MS);
}

static void credentials_close(void *shared)
{
	struct credentials *c = shared;

	c->pool = check_pool_free(c->pool);
	credentials_fed_end(c);
	credentials_file_end(c);
	map_free(&c->by_name);
	map_free(&c->by_id);
	slow_end(&c->ips);
	slow_end(&c->names);
	pthread_rwlock_destroy(&c->lock);
	pthread_mutex_destroy(&c->proofs);
	explicit_bzero(c->key, sizeof(c->key));
	free(c);
}

static int credentials_open(struct engine *e, void **ret_shared)
{
	struct credentials *c = must_alloc(sizeof(*c));
	int r;

	c->engine = e;
	pthread_rwlock_init(&c->lock, NULL);
	pthread_mutex_init(&c->proofs, NULL);
	map_init(&c->by_name);
	map_init(&c->by_id);
	slow_init(&c->ips);
	slow_init(&c->names);
	random_bytes(c->key, sizeof(c->key));
	c->pool = check_pool_new(c);
	r = *file_of(c) ? read_again(c) : 0;
	credentials_fed_begin(c);
	if (r >= 0)
		counted_load(c);
	if (r < 0) {
		credentials_close(c);
		return r;
	}
	*ret_shared = c;
	return 0;
}

static int credentials_start(struct lane *front, void **ret_state)
{
	struct credentials *c = credentials_of(lane_engine(front));

	c->loop = lane_loop(front);
	timer_init(&c->look, on_look);
	timer_set(c->loop->timers, &c->look, LOOK_MS);
	*ret_state = c;
	return 0;
}

static void credentials_reload(void *state)
{
	(void)!read_again(state);
}

static void credentials_stop(void *state)
{
	struct credentials *c = state;

	timer_stop(c->loop->timers, &c->look);
	counted_save(c);
	c->pool = check_pool_free(c->pool); /* before the lanes that it posts to are gone */
}

const struct part credentials_part = {
	.name = "credentials",
	.front = true,
	.open = credentials_open,
	.start = credentials_start,
	.reload = credentials_reload,
	.stop = credentials_stop,
	.close = credentials_close,
};
