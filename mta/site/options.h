/* mta/site/options.h - options of sites: resolving, routes, connections, pauses. */
#pragma once
#include "base/settings.h"
#include "mta/config/entries.h"

enum { DNS_SERVERS_LISTED_MAX = 8 };

struct dns_options {
	char *server_list, *trusted_list;
	int64_t timeout, tries, cache, pending;
	bool ipv4, ipv6;
	char *allow_list, *own_name_list, *own_ip_list;
	/* From the lists. */
	struct listener_list servers;
	struct net_list allowed, trusted;
	const char *own_names[NETS_MAX + 1]; /* and the host's */
	char *own_name_texts[NETS_MAX];
	unsigned n_own_names, n_own_name_texts;
	struct ip own_ips[NETS_MAX];
	unsigned n_own_ips;
};
extern const struct option_set dns_option_set;

struct site_options {
	int64_t connections, connections_start, connections_kept, messages, rate, idle;
	int64_t backoff_min, backoff_max, host_bad;
	int64_t race_delay, race_remember;
	int64_t lane_sessions;
};
extern const struct option_set site_option_set;
