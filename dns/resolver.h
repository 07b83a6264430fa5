/* dns/resolver.h - asynchronous stub resolver with a cache; the door to DNS.
 * The real one speaks UDP and TCP on libev (resolver.c and its siblings); tests/sim/resolver_sim.c
 * answers from a script.
 *
 * Owns:   resolver_new() gives the caller the resolver.  resolver_free() ends it, not from inside a
 *         callback, and drops every query without a call.  An answer belongs to the resolver and is
 *         valid during the callback.
 * Blocks: never.  The callback always comes from the loop, never from inside resolver_ask().
 * Fails:  answers carry 0, E_DNS_NXDOMAIN, E_DNS_NONE (no such record) or E_DNS_TEMP.
 * Limits: one thread; answers up to 64 KiB over TCP, CNAME chains of 8, 64 records of one type
 *         (of MX the best), `pending` questions at a time (more wait in line), a cache of
 *         `cache_entries`.
 * RFC 1034, 1035, 2308 (negative caching), 5452 (random id and port), 6891 (EDNS). */
#pragma once
#include "base/address.h"
#include "base/list.h"

struct ev_loop;
struct resolver;
struct resolver *resolver_free(struct resolver *r);
DEFINE_OWNED(resolver)

enum { DNS_NAME_MAX = 254, DNS_SERVERS_MAX = 8, DNS_RECORDS_MAX = 64 };
enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52,
};

struct resolver_options {
	struct {
		struct ip ip;
		uint16_t port;
		bool trusted; /* to validate, and the way to it; loopback always is */
	} servers[DNS_SERVERS_MAX];
	unsigned n_servers;     /* 0: resolver_options_system() fills them from /etc/resolv.conf */
	uint32_t timeout_ms;    /* one try; default 3000 */
	uint32_t tries;         /* over all servers; default 4 */
	uint32_t cache_entries; /* default 65536 */
	uint32_t pending;       /* default 512 */
	uint32_t ttl_min_s, ttl_max_s, negative_ttl_max_s; /* defaults 5, 86400, 300 */
};
void resolver_options_default(struct resolver_options *o);
int resolver_options_system(struct resolver_options *o, const char *resolv_conf_path) MUST_CHECK;

struct dns_record {
	uint16_t preference; /* MX */
	/* MX, CNAME, NS, PTR: target, lower case, no final dot; "" is the root. */
	struct slice name;
	struct ip ip;      /* A, AAAA */
	struct slice data; /* TXT: the strings joined; TLSA: rdata */
};
struct dns_answer {
	int status;             /* 0, E_DNS_NXDOMAIN, E_DNS_NONE, E_DNS_TEMP */
	uint32_t ttl_s;         /* what is left of the shortest TTL on the way */
	struct slice canonical; /* name after CNAMEs */
	bool authentic;         /* AD bit, only from a loopback or trusted server */
	unsigned n;
	const struct dns_record *records;
};

/* One query; a member of the asker, which may free itself after resolver_cancel(). */
struct dns_query {
	struct list link; /* the resolver's; initialise with dns_query_init */
	void (*done)(struct dns_query *q, const struct dns_answer *a);
	void *state; /* the resolver's */
};
static inline void dns_query_init(struct dns_query *q,
				  void (*done)(struct dns_query *, const struct dns_answer *))
{
	list_init(&q->link);
	q->done = done;
	q->state = NULL;
}

int resolver_new(struct resolver **ret, struct ev_loop *loop,
		 const struct resolver_options *o) MUST_CHECK;
/* E_SYNTAX when name is not a domain name (RFC 1035 lengths; letters, digits, '-', '_'). */
int resolver_ask(struct resolver *r, struct dns_query *q, struct slice name,
		 enum dns_type type) MUST_CHECK;
void resolver_cancel(struct resolver *r, struct dns_query *q); /* harmless when it is not asked */
void resolver_flush(struct resolver *r, struct slice name);    /* forgets one name; empty: all */

struct resolver_stats {
	uint64_t asked, cache_hits, sent, tcp, timeouts;
	uint64_t ignored; /* packets with a wrong id, port or question */
	uint64_t pending, cached;
};
void resolver_stats(const struct resolver *r, struct resolver_stats *ret);
