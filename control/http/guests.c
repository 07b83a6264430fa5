/* control/http/guests.c - the places of a listener, in the order in which guests began to wait. */
#include "control/http/guests.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/list.h"

enum { NETS = 1024, STEP = 64 * 1024 };

struct http_guest {
	struct list order; /* among those that wait, the longest first */
	struct list net;   /* in its slot of nets[] */
	struct http_guests *of;
	struct ip ip; /* of its network; family 0: not counted */
	int fd;
	enum http_guest_stage stage;
	bool gone;
	int64_t since, until; /* of its stage */
	int64_t last;         /* when it was put at the end, and the bytes at that time */
	uint64_t bytes;
};

struct http_guests {
	pthread_mutex_t lock;
	struct http_guest_rules rules;
	struct http_guest_counts counts;
	struct list waiting;
	struct list nets[NETS];
};

struct http_guests *http_guests_new(const struct http_guest_rules *rules)
{
	struct http_guests *g = must_alloc(sizeof(*g));

	g->rules = *rules;
	(void)pthread_mutex_init(&g->lock, NULL);
	list_init(&g->waiting);
	for (unsigned i = 0; i < NETS; i++)
		list_init(&g->nets[i]);
	return g;
}

struct http_guests *http_guests_free(struct http_guests *g)
{
	if (!g)
		return NULL;
	(void)pthread_mutex_destroy(&g->lock);
	free(g);
	return NULL;
}

static struct ip network_of(const struct ip *ip)
{
	struct ip net = *ip;

	if (net.family == AF_INET6)
		memset(net.bytes + 8, 0, 8);
	return net;
}

static struct list *slot_of(struct http_guests *g, const struct ip *net)
{
	return &g->nets[hash_keyed(slice_of((const char *)net, sizeof(*net))) % NETS];
}

/* ---- going, under the lock ---------------------------------------------------------------- */

/* Only where the peer waits for an answer to what it began: bytes on a kept connection would be
 * taken for the answer to its next request. */
static void say(const struct http_guest *guest, const char *status)
{
	char text[128];
	int n = snprintf(text, sizeof(text),
			 "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
	if (guest->stage == GUEST_HEAD || guest->stage == GUEST_BODY)
		(void)!send(guest->fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void send_away(struct http_guest *guest, const char *status)
{
	say(guest, status);
	(void)shutdown(guest->fd, SHUT_RDWR);
	guest->gone = true;
	guest->of->counts.here--;
	list_remove(&guest->order);
	list_remove(&guest->net);
}

static void crowd_out(struct http_guest *guest)
{
	guest->of->counts.crowded++;
	send_away(guest, "503 Service Unavailable");
}

/* The longest waiting of one network, or none, and how many of it there are. */
static struct http_guest *first_of(struct http_guests *g, const struct ip *net, unsigned *ret_n)
{
	struct http_guest *it, *first = NULL;

	*ret_n = 0;
	list_each(slot_of(g, net), it, struct http_guest, net) {
		if (!ip_eq(&it->ip, net))
			continue;
		++*ret_n;
		if (it->stage != GUEST_BUSY && (!first || it->last < first->last))
			first = it;
	}
	return first;
}

/* Room for one more.  When every other one is busy, the new one goes. */
static void make_room(struct http_guests *g, struct http_guest *guest)
{
	struct http_guest *first;
	unsigned n;

	if (guest->ip.family) {
		first = first_of(g, &guest->ip, &n);
		if (n > g->rules.most_per_address)
			crowd_out(first);
	}
	if (!guest->gone && g->counts.here > g->rules.most)
		crowd_out(list_first(&g->waiting, struct http_guest, order));
}

/* ---- the life of a guest ------------------------------------------------------------------ */

static int64_t time_for(const struct http_guest_rules *r, enum http_guest_stage stage,
			uint64_t bytes)
{
	switch (stage) {
	case GUEST_HEAD:
		return r->head_ms;
	case GUEST_KEPT:
		return r->kept_ms;
	case GUEST_BODY:
	case GUEST_REPLY:
		return r->body_ms + (int64_t)(bytes * 1000 / (uint64_t)r->rate);
	case GUEST_BUSY:
		break;
	}
	return 0;
}

/* A new stage puts it at the end; so does a good piece of a body, for that is no trickle. */
static void set_stage(struct http_guest *guest, enum http_guest_stage stage, uint64_t bytes,
		      int64_t now)
{
	bool fresh = stage != guest->stage || !guest->since;

	if (fresh || bytes >= guest->bytes + STEP) {
		guest->bytes = fresh ? 0 : bytes;
		guest->last = now;
		list_remove(&guest->order);
		if (stage != GUEST_BUSY)
			list_push(&guest->of->waiting, &guest->order);
	}
	if (fresh)
		guest->since = now;
	guest->stage = stage;
	guest->until = guest->since + time_for(&guest->of->rules, stage, bytes);
}

struct http_guest *http_guests_enter(struct http_guests *g, int fd, const struct ip *ip,
				     bool shared, int64_t now_ms)
{
	struct http_guest *guest = must_alloc(sizeof(*guest));

	guest->of = g;
	guest->fd = fd;
	list_init(&guest->order);
	list_init(&guest->net);
	(void)pthread_mutex_lock(&g->lock);
	g->counts.here++;
	if (!shared && ip->family) {
		guest->ip = network_of(ip);
		list_push(slot_of(g, &guest->ip), &guest->net);
	}
	set_stage(guest, GUEST_HEAD, 0, now_ms);
	make_room(g, guest);
	(void)pthread_mutex_unlock(&g->lock);
	return guest;
}

void http_guest_leave(struct http_guest *guest)
{
	struct http_guests *g;

	if (!guest)
		return;
	g = guest->of;
	(void)pthread_mutex_lock(&g->lock);
	if (!guest->gone)
		g->counts.here--;
	list_remove(&guest->order);
	list_remove(&guest->net);
	(void)pthread_mutex_unlock(&g->lock);
	free(guest);
}

void http_guest_stage(struct http_guest *guest, enum http_guest_stage stage, uint64_t bytes,
		      int64_t now_ms)
{
	if (!guest)
		return;
	(void)pthread_mutex_lock(&guest->of->lock);
	if (!guest->gone)
		set_stage(guest, stage, bytes, now_ms);
	(void)pthread_mutex_unlock(&guest->of->lock);
}

unsigned http_guests_sweep(struct http_guests *g, int64_t now_ms)
{
	struct http_guest *guest;
	unsigned n = 0;

	(void)pthread_mutex_lock(&g->lock);
	list_each(&g->waiting, guest, struct http_guest, order) {
		if (now_ms < guest->until)
			continue;
		g->counts.late++;
		send_away(guest, "408 Request Timeout");
		n++;
	}
	(void)pthread_mutex_unlock(&g->lock);
	return n;
}

struct http_guest_counts http_guests_counts(struct http_guests *g)
{
	struct http_guest_counts counts;

	(void)pthread_mutex_lock(&g->lock);
	counts = g->counts;
	(void)pthread_mutex_unlock(&g->lock);
	return counts;
}
