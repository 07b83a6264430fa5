/* The sessions of a service, counted per address under one lock. */
#include "mta/smtpd/clients.h"

#include "base/hash.h"

struct smtpd_client {
	struct map_link link;
	struct ip ip;
	int64_t n;
};

static struct smtpd_client *find_client(struct smtpd_clients *clients, const struct ip *ip,
					uint64_t hash)
{
	for (struct map_link *l = map_find(&clients->by_ip, hash); l; l = map_find_next(l)) {
		struct smtpd_client *c = container_of(l, struct smtpd_client, link);
		if (ip_eq(&c->ip, ip))
			return c;
	}
	return NULL;
}

static uint64_t hash_ip(const struct ip *ip)
{
	return hash_keyed(slice_of(ip->bytes, sizeof(ip->bytes)));
}

static bool enter_locked(struct smtpd_clients *clients, const struct ip *ip, int64_t max,
			 int64_t max_client)
{
	uint64_t hash = hash_ip(ip);
	struct smtpd_client *c = find_client(clients, ip, hash);

	if (clients->all >= max || (c && c->n >= max_client))
		return false;
	if (!c) {
		c = must_alloc(sizeof(*c));
		c->ip = *ip;
		map_insert(&clients->by_ip, &c->link, hash);
	}
	c->n++;
	clients->all++;
	return true;
}

bool smtpd_clients_enter(struct smtpd_clients *c, const struct ip *ip, int64_t max,
			 int64_t max_client)
{
	bool ok;

	pthread_mutex_lock(&c->lock);
	ok = enter_locked(c, ip, max, max_client);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

void smtpd_clients_leave(struct smtpd_clients *clients, const struct ip *ip)
{
	struct smtpd_client *c;

	pthread_mutex_lock(&clients->lock);
	c = find_client(clients, ip, hash_ip(ip));
	clients->all--;
	if (c && --c->n == 0) {
		map_remove(&clients->by_ip, &c->link);
		free(c);
	}
	pthread_mutex_unlock(&clients->lock);
}
