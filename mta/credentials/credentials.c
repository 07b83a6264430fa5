/* mta/credentials/credentials.c - the table of credentials, and the part that keeps it as its file
 * is. */
#include "mta/credentials/credentials.h"

#include <fcntl.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/crypted.h"
#include "base/random.h"
#include "mta/credentials/inside.h"
#include "mta/credentials/slow.h"

enum { LOOK_MS = 500, PROOF_MS = 10 * 60 * 1000 };

struct credentials_options {
	char *file;
};
struct credential_list {
	struct credential **at; /* a reference each */
	size_t n, cap;
};
struct credentials {
	struct engine *engine;
	pthread_rwlock_t lock; /* of the table; the front desk alone writes */
	struct map by_name;
	struct credential_list all;
	_Atomic bool any;
	pthread_mutex_t proofs; /* lock of every credential's proof */
	uint8_t key[32];
	struct check_pool *pool;
	struct slow ips, names;

	/* The front desk's alone */
	struct loop *loop;
	struct timer look;
	struct stat seen; /* of the file that was read last, or that was refused */
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

static struct credential *find_locked(const struct credentials *c, struct slice name)
{
	for (struct map_link *l = map_find(&c->by_name, hash_keyed(name)); l;
	     l = map_find_next(l)) {
		struct credential *cred = container_of(l, struct credential, link);
		if (slice_eq(cred->name, name))
			return cred;
	}
	return NULL;
}

struct credential *credential_find(struct credentials *c, struct slice name)
{
	struct credential *cred;

	pthread_rwlock_rdlock(&c->lock);
	cred = find_locked(c, name);
	if (cred)
		credential_ref(cred);
	pthread_rwlock_unlock(&c->lock);
	return cred;
}

bool credential_holds(struct credentials *c, struct credential **held)
{
	struct credential *now;

	if (!atomic_load_explicit(&(*held)->gone, memory_order_relaxed))
		return true;
	now = credential_find(c, (*held)->name);
	if (now && strcmp(now->hash, (*held)->hash) == 0) {
		credential_unref(*held);
		*held = now;
		return true;
	}
	credential_unref(now);
	return false;
}

int credentials_any_hash(struct credentials *c, struct slice name, char *ret)
{
	int r = E_UNKNOWN;

	pthread_rwlock_rdlock(&c->lock);
	if (c->all.n) {
		const struct credential *some = c->all.at[hash_keyed(name) % c->all.n];
		(void)snprintf(ret, CRYPTED_HASH_MAX + 1, "%s", some->hash);
		r = 0;
	}
	pthread_rwlock_unlock(&c->lock);
	return r;
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

/* ---- the file ---------------------------------------------------------------------------- */

static void list_free(struct credential_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		credential_unref(l->at[i]);
	free(l->at);
	*l = (struct credential_list){ 0 };
}

static void list_add(struct credential_list *l, struct credential *c)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->at = must_resize(l->at, l->cap * sizeof(struct credential *));
	}
	l->at[l->n++] = c;
}

/* What is as it was stays the same, with its proof; what this name has sent stays its own. */
static void add_line(struct credentials *c, struct credential_list *l, struct credential *fresh)
{
	struct credential *old = find_locked(c, fresh->name);

	if (old && strcmp(old->text, fresh->text) == 0) {
		credential_unref(fresh);
		fresh = credential_ref(old);
	} else {
		fresh->quota = old ? quota_ref(old->quota) : quota_new();
	}
	list_add(l, fresh);
}

static int read_lines(struct credentials *c, struct slice rest, struct credential_list *l,
		      const char *path, char *error)
{
	struct credential *fresh = NULL;
	const char *why = "there are too many";
	unsigned long number = 0;
	int r = 0;

	while (r >= 0 && rest.n) {
		number++;
		r = credential_line(slice_take(&rest, '\n'), &fresh, &why);
		if (r > 0)
			add_line(c, l, fresh);
		if (l->n > CREDENTIALS_MAX)
			r = E_LIMIT;
	}
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s:%lu: %s", path, number, why);
	return r < 0 ? r : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct credential *x = *(struct credential *const *)a,
				*y = *(struct credential *const *)b;
	int r = memcmp(x->name.p, y->name.p, MIN_OF(x->name.n, y->name.n));

	return r ? r : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

static int check_names(struct credential_list *l, const char *path, char *error)
{
	if (l->n)
		qsort(l->at, l->n, sizeof(struct credential *), by_name);
	for (size_t i = 1; i < l->n; i++) {
		const struct slice *name = &l->at[i]->name;
		if (!slice_eq(l->at[i - 1]->name, *name))
			continue;
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: the name \"%.*s\" stands there twice",
			       path, (int)MIN_OF(name->n, (size_t)100), name->p);
		return E_CONFLICT;
	}
	return 0;
}

/* Sessions that hold one that is gone ask again by its name, and wait for the lock then. */
static void put_in_force(struct credentials *c, struct credential_list *fresh)
{
	struct credential_list old = c->all;

	pthread_rwlock_wrlock(&c->lock);
	for (size_t i = 0; i < old.n; i++) {
		atomic_store(&old.at[i]->gone, true);
		map_remove(&c->by_name, &old.at[i]->link);
	}
	for (size_t i = 0; i < fresh->n; i++) {
		atomic_store(&fresh->at[i]->gone, false);
		map_insert(&c->by_name, &fresh->at[i]->link, hash_keyed(fresh->at[i]->name));
	}
	c->all = *fresh;
	atomic_store(&c->any, fresh->n > 0);
	pthread_rwlock_unlock(&c->lock);
	*fresh = (struct credential_list){ 0 };
	list_free(&old);
}

static int read_text(const char *path, struct buf *text, char *error)
{
	struct stat st;
	int r = stat(path, &st) < 0 ? -errno : 0;

	if (r == 0 && (st.st_mode & 07)) {
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "%s: everybody on this machine may read or change it: chmod o= it",
			       path);
		return E_DENIED;
	}
	if (r == 0)
		r = file_read(path, CREDENTIALS_FILE_MAX, text);
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	return r;
}

/* path "": there is no file, and nobody. */
static int load(struct credentials *c, const char *path, char *error)
{
	struct credential_list fresh = { 0 };
	struct buf text = { 0 };
	int r = *path ? read_text(path, &text, error) : 0;

	if (r >= 0)
		r = read_lines(c, buf_data(&text), &fresh, path, error);
	if (r >= 0)
		r = check_names(&fresh, path, error);
	if (r >= 0)
		put_in_force(c, &fresh);
	list_free(&fresh);
	if (text.cap)
		explicit_bzero(text.p, text.cap);
	buf_free(&text);
	return r < 0 ? r : 0;
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
	r = load(c, path, error);
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
	timer_set(c->loop->timers, t, LOOK_MS);
}

static void credentials_close(void *shared)
{
	struct credentials *c = shared;

	c->pool = check_pool_free(c->pool);
	for (size_t i = 0; i < c->all.n; i++)
		map_remove(&c->by_name, &c->all.at[i]->link);
	list_free(&c->all);
	map_free(&c->by_name);
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
	slow_init(&c->ips);
	slow_init(&c->names);
	random_bytes(c->key, sizeof(c->key));
	c->pool = check_pool_new(c);
	r = *file_of(c) ? read_again(c) : 0;
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
