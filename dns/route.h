/* dns/route.h - from a recipient domain to the hosts that take its mail.
 * RFC 5321 section 5.1 (MX, implicit MX, loop to ourselves), RFC 7505 (null MX).  The order of
 * addresses (RFC 6724) is left to the caller.
 *
 * Owns:   a finished route never changes; references are counted by route_ref() and route_unref().
 * Blocks: never.
 * Limits: 32 hosts and 16 addresses per host; the rest is dropped. */
#pragma once
#include "dns/resolver.h"

enum { ROUTE_HOSTS_MAX = 32, ROUTE_IPS_MAX = 16 };
struct route_host {
	uint16_t preference;
	char name[DNS_NAME_MAX];
	char canonical[DNS_NAME_MAX]; /* where its aliases lead; its name when it is none */
	bool secure;                  /* every answer with its addresses was authentic */
	unsigned n_ips;
	struct ip ips[ROUTE_IPS_MAX];
};
enum route_status {
	ROUTE_OK,
	ROUTE_TEMP,      /* DNS gave no usable answer: defer, 4.4.3 */
	ROUTE_NO_DOMAIN, /* NXDOMAIN, or neither MX nor address: bounce, 5.1.2 */
	ROUTE_NULL_MX,   /* RFC 7505: bounce, 5.1.10 */
	ROUTE_LOOP,      /* the best MX is ourselves: bounce, 5.4.6 */
	/* every address is special (loopback, private...) and not allowed: 5.4.4 */
	ROUTE_FORBIDDEN,
};
struct route {
	enum route_status status;
	char domain[DNS_NAME_MAX];
	char site[DNS_NAME_MAX]; /* the name of its set of MX hosts: same set, same site */
	bool implicit;           /* no MX record: the domain's own address */
	bool secure;             /* the answer about its MX records was authentic */
	uint32_t ttl_s;
	unsigned n_hosts;
	struct route_host *hosts; /* lowest preference first; equal ones in random order */
};

struct route_options {
	bool ipv4, ipv6;
	/* Special addresses (ip_is_special) are refused unless they lie in one of these. */
	const struct ip_net *allowed;
	unsigned n_allowed;
	/* We are an MX of the domain when a host has one of these names or addresses.  Hosts at its
	 * preference and above are then dropped; when none is left, it is ROUTE_LOOP. */
	const char *const *own_names;
	unsigned n_own_names;
	const struct ip *own_ips;
	unsigned n_own_ips;
};

struct route_query {
	void (*done)(struct route_query *q,
		     struct route *route); /* the callee owns one reference */
	void *state;                       /* route.c's; NULL when it is not asked */
	bool host_only; /* the name is a host: its MX records are not asked for */
};
/* done() comes from the loop, never from inside route_ask(); *o must live until then.  E_SYNTAX
 * when domain is not a domain name (an address literal is not one). */
int route_ask(struct resolver *r, const struct route_options *o, struct route_query *q,
	      struct slice domain) MUST_CHECK;
void route_cancel(struct resolver *r, struct route_query *q); /* harmless when it is not asked */
/* References may be taken and given back on any thread. */
struct route *route_ref(struct route *route);
struct route *route_unref(struct route *route); /* takes NULL, gives NULL */
