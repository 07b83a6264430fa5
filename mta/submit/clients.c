/* Counts of who is here: the process's, because the kernel spreads one client's connections over
 * the lanes. */
#include <pthread.h>

#include "base/hash.h"
#include "base/map.h"
#include "mta/submit/session.h"

struct client_count {
	struct map_link link;
	struct ip ip;
	int64_t n;
};
static struct {
	pthread_mutex_t lock;
	struct map by_ip;
	int64_t all;
	struct list lanes; /* struct submit_lane */
} clients = { .lock = PTHREAD_MUTEX_INITIALIZER, .lanes = LIST_INIT(clients.lanes) };

void clients_join(struct submit_lane *on)
{
	pthread_mutex_lock(&clients.lock);
	list_push(&clients.lanes, &on->link);
	pthread_mutex_unlock(&clients.lock);
}

void clients_part(struct submit_lane *on)
{
	pthread_mutex_lock(&clients.lock);
	list_remove(&on->link);
	pthread_mutex_unlock(&clients.lock);
}

static struct client_count *find_client(const struct ip *ip, uint64_t hash)
{
	for (struct map_link *l = map_find(&clients.by_ip, hash); l; l = map_find_next(l)) {
		struct client_count *c = container_of(l, struct client_count, link);
		if (ip_eq(&c->ip, ip))
			return c;
	}
	return NULL;
}

static uint64_t hash_ip(const struct ip *ip)
{
	return hash_keyed(slice_of(ip->bytes, sizeof(ip->bytes)));
}

static bool enter_locked(const struct ip *ip, int64_t max, int64_t max_client)
{
	uint64_t hash = hash_ip(ip);
	struct client_count *c = find_client(ip, hash);

	if (clients.all >= max || (c && c->n >= max_client))
		return false;
	if (!c) {
		c = must_alloc(sizeof(*c));
		c->ip = *ip;
		map_insert(&clients.by_ip, &c->link, hash);
	}
	c->n++;
	clients.all++;
	return true;
}

bool clients_enter(const struct ip *ip, int64_t max, int64_t max_client)
{
	bool ok;

	pthread_mutex_lock(&clients.lock);
	ok = enter_locked(ip, max, max_client);
	pthread_mutex_unlock(&clients.lock);
	return ok;
}

void clients_leave(const struct ip *ip)
{
	uint64_t hash = hash_ip(ip);
	struct client_count *c;

	pthread_mutex_lock(&clients.lock);
	c = find_client(ip, hash);
	clients.all--;
	if (c && --c->n == 0) {
		map_remove(&clients.by_ip, &c->link);
		free(c);
	}
	pthread_mutex_unlock(&clients.lock);
}

static void add_stats(struct submit_stats *sum, struct submit_lane *on)
{
	sum->sessions += atomic_load_explicit(&on->stats.sessions, memory_order_relaxed);
	sum->sessions_open += atomic_load_explicit(&on->stats.sessions_open, memory_order_relaxed);
	sum->messages += atomic_load_explicit(&on->stats.messages, memory_order_relaxed);
	sum->recipients += atomic_load_explicit(&on->stats.recipients, memory_order_relaxed);
	sum->bytes += atomic_load_explicit(&on->stats.bytes, memory_order_relaxed);
	sum->refused += atomic_load_explicit(&on->stats.refused, memory_order_relaxed);
	sum->tls += atomic_load_explicit(&on->stats.tls, memory_order_relaxed);
}

struct submit_stats submit_stats_now(void)
{
	struct submit_stats sum = { 0 };
	struct submit_lane *on;

	pthread_mutex_lock(&clients.lock);
	list_each(&clients.lanes, on, struct submit_lane, link)
		add_stats(&sum, on);
	pthread_mutex_unlock(&clients.lock);
	return sum;
}
