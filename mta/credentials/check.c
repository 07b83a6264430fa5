/* mta/credentials/check.c - threads that compute hashes, because one takes longer than a loop may
 * wait.  They begin with the first question. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "base/list.h"
#include "base/crypted.h"
#include "mta/credentials/inside.h"

enum { THREADS = 2, WAITING_MAX = 256 };

struct credential_check {
	struct note note;
	struct list link; /* waits, or is with its lane */
	struct check_pool *pool;
	struct lane *lane;
	struct credential *cred; /* with a reference; NULL: nobody's */
	void (*done)(void *arg, bool ok);
	void *arg;
	bool ok;
	char hash[CRYPTED_HASH_MAX + 1];
	size_t password_n;
	char password[CRYPTED_PASSWORD_MAX + 1];
};
struct check_pool {
	struct credentials *credentials;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t came;
	struct list waiting, others; /* others: at work, or on their way back */
	unsigned n_waiting, n_threads;
	bool ending;
	pthread_t threads[THREADS];
};

static void check_free(struct credential_check *k)
{
	credential_unref(k->cred);
	explicit_bzero(k->password, sizeof(k->password));
	free(k);
}

/* On the lane. */
static void come_back(struct note *n, struct lane *l)
{
	struct credential_check *k = container_of(n, struct credential_check, note);

	(void)l;
	pthread_mutex_lock(&k->pool->lock);
	list_remove(&k->link);
	pthread_mutex_unlock(&k->pool->lock);
	if (k->done)
		k->done(k->arg, k->ok);
	check_free(k);
}

static void work(struct check_pool *p, struct credential_check *k)
{
	struct slice password = slice_of(k->password, k->password_n);

	/* Many sessions of one client begin together: the first one's answer is good for all. */
	k->ok = k->cred && credential_proved(p->credentials, k->cred, password);
	if (k->ok)
		return;
	k->ok = crypted_matches(password, k->hash) && k->cred;
	if (k->ok)
		credentials_keep_proof(p->credentials, k->cred, password);
	explicit_bzero(k->password, sizeof(k->password));
}

static void *thread(void *arg)
{
	struct check_pool *p = arg;
	struct list *l;

	pthread_mutex_lock(&p->lock);
	while (!p->ending) {
		l = list_pop(&p->waiting);
		if (!l) {
			pthread_cond_wait(&p->came, &p->lock);
			continue;
		}
		struct credential_check *k = container_of(l, struct credential_check, link);

		p->n_waiting--;
		list_push(&p->others, &k->link);
		pthread_mutex_unlock(&p->lock);
		work(p, k);
		lane_post(k->lane, &k->note);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* With the lock.  Signals are for the main thread. */
static int start_threads(struct check_pool *p)
{
	sigset_t all, old;
	int r = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (r == 0 && p->n_threads < THREADS) {
		r = -pthread_create(&p->threads[p->n_threads], NULL, thread, p);
		p->n_threads += r == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return p->n_threads ? 0 : r;
}

struct check_pool *check_pool_new(struct credentials *c)
{
	struct check_pool *p = must_alloc(sizeof(*p));

	p->credentials = c;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->came, NULL);
	list_init(&p->waiting);
	list_init(&p->others);
	return p;
}

struct check_pool *check_pool_free(struct check_pool *p)
{
	struct list *l;

	if (!p)
		return NULL;
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->came);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	while ((l = list_pop(&p->waiting)) || (l = list_pop(&p->others)))
		check_free(container_of(l, struct credential_check, link));
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->came);
	free(p);
	return NULL;
}

static int enqueue(struct check_pool *p, struct credential_check *k)
{
	int r;

	pthread_mutex_lock(&p->lock);
	r = p->n_waiting >= WAITING_MAX ? E_FULL : start_threads(p);
	if (r == 0) {
		p->n_waiting++;
		list_push(&p->waiting, &k->link);
		pthread_cond_signal(&p->came);
	}
	pthread_mutex_unlock(&p->lock);
	return r;
}

int credential_check(struct credentials *c, struct lane *lane, struct credential *cred,
		     struct slice name, struct slice password, void (*done)(void *arg, bool ok),
		     void *arg, struct credential_check **ret)
{
	struct credential_check *k;
	int r;

	if (password.n > CRYPTED_PASSWORD_MAX)
		return E_LIMIT;
	k = must_alloc(sizeof(*k));
	list_init(&k->link);
	k->note.run = come_back;
	k->pool = credentials_pool(c);
	k->lane = lane;
	k->done = done;
	k->arg = arg;
	k->cred = cred ? credential_ref(cred) : NULL;
	k->password_n = slice_copy(k->password, sizeof(k->password), password);
	r = 0;
	if (cred)
		(void)snprintf(k->hash, sizeof(k->hash), "%s", cred->hash);
	else
		r = credentials_any_hash(c, name, k->hash);
	if (r == 0)
		r = enqueue(k->pool, k);
	if (r < 0)
		check_free(k);
	else
		*ret = k;
	return r;
}

void credential_check_cancel(struct credential_check *k)
{
	if (k)
		k->done = NULL;
}
