/* mta/site/site.h - sites (sets of MX hosts) and their addresses, as one lane sees them.  RFC 5321
 * section 5.1: hosts by preference, all addresses of a host, the next one when one fails.
 * Owns:    a site owns its pools and a reference to its route; struct sites owns sites and hosts.
 * Threads: the lane's, except struct site_limits.
 * Limits:  a site stays known until the lane ends (about 900 bytes and its name); above HOSTS_MAX
 *          addresses, those without a connection are forgotten. */
#pragma once
#include "dns/route.h"
#include "mta/policy/facts.h"
#include "mta/shape/shapes.h"
#include "mta/site/habits.h"
#include "mta/site/reach.h"
#include "mta/site/shun.h"
#include "mta/site/sites.h"
#include "mta/site/tickets.h"
#include "mta/smtp/verdict.h"

enum { HOSTS_MAX = 65536 };

struct relay;
struct host {
	struct map_link link;
	struct ip ip;
	const struct relay *relay; /* whose it is; NULL: domains' */
	char ip_text[IP_TEXT_MAX];
	size_t ip_text_n;
	int64_t bad_until_ms;  /* monotonic */
	int64_t slow_until_ms; /* likewise: it lost a race (mta/site/race.h) */
	unsigned channels;
	int64_t greets_ms; /* at its quickest; 0: not known */
	/* Monotonic; a handshake failed: no TLS until then, unless TLS must be used. */
	int64_t clear_until_ms;
	struct tickets tickets;
	struct habits habits;
	struct host_cut *cuts; /* mta/site/pair.h */
	struct shun *shunned;
	struct reach reach;
};

/* Neighbours of a site: REQUIRETLS for domains that are signed, and not; TLS-Required: No. */
enum { SITE_REQUIRES_UNSIGNED, SITE_REQUIRES_SIGNED, SITE_OPTIONAL, SITE_ASKING };

struct pool;
struct site {
	struct map_link link;
	struct sites *sites;
	struct route *route;        /* latest answer with this set of hosts */
	struct policy_facts *facts; /* of this route */
	/* What the messages ask for that go there; `base` is the site of those that ask nothing
	 * (NULL: this is it), and its neighbours are known to it. */
	enum policy_asked asked;
	bool named_securely; /* of POLICY_ASKED_TLS: the domains' MX records are signed */
	struct site *base, *asking[SITE_ASKING];
	struct relay *relay; /* it is a smart host (mta/site/relay.h); NULL */
	struct site_limits *shared;
	struct site_limits *provider; /* NULL: it belongs to none */
	struct shape shape;           /* of nobody in particular */
	char *domain; /* the domain that sets it apart (mta/site/shaping.h); NULL: it serves any */
	struct list pools;
	int64_t backoff_until_ms; /* monotonic: no connection before */
	int64_t backoff_ms;       /* length of the last pause, 0 after success */
	struct chore deferring;   /* tries are recorded, a slice at a time */
	unsigned to_defer;        /* so many more in each pool */
	int64_t problem_ms;       /* wall clock */
	char problem[256];
	char problem_ip[IP_TEXT_MAX], problem_source[IP_TEXT_MAX]; /* may be empty */
	uint16_t problem_code;                                     /* of the session that met it */
	struct status problem_status;
	int64_t session_ms;     /* wall clock: when its last session was ready; 0: none was */
	struct tls_result last; /* of that session */
	enum policy_applied last_applied;
	unsigned turn; /* round-robin over addresses */
	char name[];
};
/* The site that serves the domain by these facts' route; it keeps a reference of its own.  Domains
 * with the same hosts are one site, except where a shape or a policy sets them apart
 * (mta/site/shaping.h, policy_facts_apart()). */
struct site *site_get(struct sites *s, struct policy_facts *facts, struct slice domain);
/* That of a smart host. */
struct site *site_smart(struct sites *s, struct policy_facts *facts, struct relay *relay);
/* How its connections must travel, where the shape says `shaped`. */
enum tls_word site_word(const struct site *s, int64_t shaped);
/* Its neighbour for messages that ask for this, of domains that are signed or not. */
struct site *site_asked(struct site *s, enum policy_asked asked, bool named_securely);
static inline struct site *site_base(struct site *s)
{
	return s->base ? s->base : s;
}
/* What a session to the route's host `i` must insist on. */
struct policy_demand site_demand(const struct site *s, unsigned i, enum tls_word word);
void site_reshape(struct site *s); /* the shapes changed, or its best host */
void site_end_channels(struct site *s);
void site_free(struct site *s);
void site_free_hosts(struct sites *s);
/* Hosts of equal preference, the best first; start with zeros. */
struct site_group {
	unsigned first, end;
};
bool site_next_group(const struct site *s, struct site_group *g);
/* Which addresses are meant, besides that they are not bad. */
struct site_fit {
	bool (*may)(const struct site_fit *f, const struct host *h);
	void *arg;
	int64_t now_ms;
	int family; /* the one that is allowed; 0: any */
	int first;  /* of two allowed families the one that is meant; 0: any */
	bool quick; /* none that lost a race lately */
	enum tls_word word;
};
/* The next address of the group to try.  NULL: there is none. */
struct host *site_pick(struct site *s, const struct site_group *g, const struct site_fit *f,
		       const struct route_host **ret_mx);
bool site_has(struct site *s, const struct site_fit *f);
void site_host_failed(struct site *s, struct host *h, const struct verdict *v, const char *source);
/* The same, but only this site cannot use it: it is not as the site's policy demands. */
void site_host_refused(struct site *s, struct host *h, const struct verdict *v, const char *source);
/* When policies refuse every host: that is the problem. */
void site_blame_policy(struct site *s, enum tls_word word);
/* What those who wait are deferred with when the site backs off. */
void site_problem(struct site *s, const struct verdict *v, const char *whose);
void site_host_well(struct site *s, struct host *h);
void site_forgive_hosts(struct site *s); /* every address may be tried again now */
/* No host can be reached: pauses, and defers some recipients so that their try is recorded. */
void site_back_off(struct site *s);
