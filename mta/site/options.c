/* mta/site/options.c - rows of the options of sites. */
#include "mta/site/options.h"

#define AT(member) offsetof(struct site_options, member)
enum { SEC = 1000, MINUTE = 60 * 1000, DAYS = 24 * 3600 * 1000 };

static const struct option rows[] = {
	{ "site.connections", T_INT, AT(connections), 1, 100000, "20", true,
	  "Most connections at a time to one site (the set of MX hosts of a domain), over "
	  "all lanes." },
	{ "site.connections_start", T_INT, AT(connections_start), 1, 100000, "2", true,
	  "Connections with which a site begins; success raises them to site.connections." },
	{ "site.connections_kept", T_INT, AT(connections_kept), 0, 1000, "1", true,
	  "How many of site.connections never carry bulk mail; at most a quarter." },
	{ "site.messages", T_INT, AT(messages), 1, 1000000, "100", true,
	  "Most messages per connection." },
	{ "site.rate", T_INT, AT(rate), 0, 1000000, "0", true,
	  "Most messages per second to one site; 0: no limit." },
	{ "site.idle", T_DURATION, AT(idle), 0, 5 * MINUTE, "5s", true,
	  "How long a connection without work is kept open." },
	{ "site.backoff_min", T_DURATION, AT(backoff_min), 10, DAYS, "30s", true,
	  "First pause of a site when none of its hosts can be reached; it doubles up to "
	  "site.backoff_max." },
	{ "site.backoff_max", T_DURATION, AT(backoff_max), 10, DAYS, "30m", true,
	  "Longest pause of a site." },
	{ "host.bad", T_DURATION, AT(host_bad), 10, DAYS, "5m", true,
	  "How long an address is not used after it failed." },
	{ "race.delay", T_DURATION, AT(race_delay), 0, MINUTE, "250ms", true,
	  "How long a connection to an address of one family may take before one to the other "
	  "family is tried beside it; 0: it is not." },
	{ "race.remember", T_DURATION, AT(race_remember), SEC, DAYS, "10m", true,
	  "How long an address, or IPv6 as a whole, that was slower is not tried first." },
	{ "lane.sessions", T_INT, AT(lane_sessions), 1, 100000, "5000", true,
	  "Most delivery connections at a time, per lane." },
};

const struct option_set site_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct site_options),
};
