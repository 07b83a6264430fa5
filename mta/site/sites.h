/* mta/site/sites.h - what a lane knows of the world it delivers to: ways from domains to sites,
 * their hosts, and the connections to them.
 *
 * The deliver room, which is above, gives this room a small table: struct site_loads says what a
 * connection carries next, and hears what became of it.
 * Owns:    sites, hosts, pools and channels, until the lane ends.
 * Threads: the lane's.  All lanes share struct site_limits (mta/site/limits.h). */
#pragma once
#include "dns/resolver.h"
#include "dns/route.h"
#include "mta/egress/egress.h"
#include "mta/policy/asking.h"
#include "mta/queue/queue.h"
#include "mta/site/limits.h"
#include "mta/site/options.h"
#include "mta/smtp/options.h"
#include "mta/census/census.h"
#include "mta/warmup/warmup.h"

struct channel;
struct tlsrpt;
struct tokens;
enum site_refusal {
	SITE_OTHER,   /* the host */
	SITE_BLOCKED, /* our address: its suspension was seen to */
	SITE_SLOW,    /* how much we send; *ret_named_ms: when to come again, or 0 */
};
struct site_loads {
	/* Hands the channel its next transaction; false: there is none now. */
	bool (*next)(struct site_loads *l, struct channel *ch);
	void (*done)(struct site_loads *l, struct channel *ch, struct txn *t);
	/* The session ended with this reply: what it is about. */
	enum site_refusal (*refused)(struct site_loads *l, struct channel *ch,
				     const struct verdict *v, int64_t *ret_named_ms);
	/* At the lane's end: the session is gone without a verdict. */
	void (*abandon)(struct site_loads *l, struct channel *ch);
};

struct site_counters {
	counter sessions_opened, sessions_failed, sessions_tls, sessions_resumed, sessions_open;
	counter races, races_lost;
	counter route_queries, site_backoffs, source_suspensions, tenant_suspensions, site_walls,
	    provider_walls, provider_troubles;
	counter sites, pools_on_fallback;
};

struct sites {
	struct lane *lane;
	struct loop *loop;
	struct queue *queue;
	struct queue_ways ways; /* given to the queue */
	struct egress *egress;
	struct egress_news news;
	struct limits *limits;
	struct census_all *census;
	struct warmup *warmup;     /* all lanes' (mta/site/warming.h) */
	struct failures *failures; /* mta/site/failures.h */
	struct trace *tracing;     /* mta/site/trace.h; mostly NULL */
	struct site_loads *loads;
	const struct site_options *options;
	const struct dns_options *dns;
	const struct smtp_options *smtp;
	bool stopping, freeing;
	unsigned resumptions;      /* those that the pools have seen (mta/site/limits.h) */
	unsigned warmups;          /* mta/warmup: those that the pools have seen */
	unsigned capped_domains;   /* by the rules of this generation; 0: none was */
	unsigned shape_generation; /* of the shapes that sites and pools have */
	unsigned tenant_changes;   /* those that the pools have seen (tenancy_generation) */
	unsigned source_changes;   /* those that the pools have seen (egress_changes) */

	struct resolver *resolver;
	struct policies *policies; /* the lane's */
	struct tlsrpt *tlsrpt;     /* likewise */
	struct tokens *tokens;     /* likewise */
	struct route_options route_options;
	struct list asking; /* ways that wait to ask DNS */
	unsigned n_asked;

	const struct routes *routes; /* of smart hosts; those in force */
	struct list relays;          /* mta/site/relay.h */
	struct smart_fed *fed;       /* tenants' own routes; those in force */
	struct map fed_relays;       /* those among the relays that are tenants' */

	struct map map, hosts;
	uint32_t n_hosts;
	struct map gates; /* mta/site/gate.h */

	struct tls_context *tls;
	struct {
		unsigned lost;          /* hosts at which IPv6 lost, since it won somewhere */
		int64_t rests_until_ms; /* monotonic: IPv4 goes first until then */
	} race;                         /* mta/site/race.h */
	unsigned n_channels;
	int64_t opening_ms; /* this turn, and how many connections were begun in it */
	unsigned n_begun;
	struct list hungry; /* channels that could take more when the turn's time was over */
	struct turn_end feed;
	int64_t turn_ms, turn_start_us; /* this turn, and when delivering began in it */
	struct site_counters counters;
};
extern const struct part site_part;
struct sites *sites_of(struct lane *l);
/* A rule was written and is durable; those that are about suspensions are in force.  Any thread. */
void sites_rule_changed(struct engine *e, struct slice key, struct slice value);
void sites_end_channels(struct sites *s); /* at the lane's end, before `loads` goes */

static inline int64_t sites_now(const struct sites *s) /* monotonic, the turn's */
{
	return timers_now(s->loop->timers);
}
