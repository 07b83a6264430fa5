/* mta/site.h - sites (sets of MX hosts) and their addresses, as one lane sees them.
 * RFC 5321 section 5.1: hosts by preference, all addresses of a host, the next when one fails.
 *
 * Limits: a site stays known until the lane ends (about 900 bytes and its name); addresses past
 *         HOSTS_MAX that no connection uses are forgotten. */
#pragma once
#include "mta/smtp/verdict.h"
#include "mta/work_int.h"

enum { HOSTS_MAX = 65536 };

struct host {
	struct map_link link;
	struct ip ip;
	char ip_text[IP_TEXT_MAX];
	size_t ip_text_n;
	int64_t bad_until_ms; /* monotonic */
	unsigned channels;
	/* Monotonic; a handshake failed: in the clear until then, where policy may. */
	int64_t clear_until_ms;
	struct tls_session *tls; /* latest ticket */
};

struct pool;
struct site {
	struct map_link link;
	struct work *work;
	struct route *route; /* latest answer with this set of hosts */
	struct site_limits *shared;
	struct list pools;
	int64_t backoff_until_ms; /* monotonic: no connection before */
	int64_t backoff_ms;       /* length of the last one, 0 after success */
	int64_t problem_ms;       /* wall clock */
	char problem[256];
	uint16_t problem_code, problem_dsn[3]; /* as the session that met it says */
	unsigned turn;                         /* round-robin over addresses */
	char name[];
};
void site_init(struct work *w);
void site_free_all(struct work *w);
struct site *site_get(struct work *w, struct route *route); /* keeps a reference of its own */
/* Next address to try: best preference first, addresses passed over while bad.  NULL: all are
 * bad. */
struct host *site_pick(struct site *s, const struct route_host **ret_mx);
void site_host_failed(struct site *s, struct host *h, const struct verdict *v);
/* What those who wait are deferred with when the site backs off. */
void site_problem(struct site *s, const struct verdict *v, const char *whose);
void site_host_well(struct site *s, struct host *h);
void site_forgive_hosts(struct site *s); /* every address may be tried again now */
/* Nothing can be reached: pause, and defer some of those who wait, so that their try is on
 * record. */
void site_back_off(struct site *s);

/* The route of a domain: asks DNS when needed, then serves the domain's list. */
void domain_route(struct work *w, struct domain *d);
void domain_forget_route(struct domain *d);                 /* takes its question back */
bool domain_route_usable(struct domain *d, int64_t now_ms); /* asks again when it grows old */
