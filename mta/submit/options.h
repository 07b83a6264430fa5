/* mta/submit/options.h - the options of submission, and what is derived from them.
 * Owns:   the settings own the struct they were read into (base/settings.h).
 * Fails:  derive: E_SYNTAX, with what is expected.
 * Limits: those of mta/config/entries.h. */
#pragma once
#include "base/settings.h"
#include "mta/config/entries.h"

struct submit_options {
	/* rows */
	char *listen, *listen_tls, *proxy_from, *networks, *tenants; /* lists */
	int64_t max_size, max_rcpts, max_sessions, max_sessions_client, timeout, expire_after,
	    hold_max;
	char *tls_cert, *tls_key;
	/* made from the rows */
	struct net_list nets;
	struct tenant_net {
		struct ip_net net;
		uint64_t tenant;
	} bound[NETS_MAX]; /* the networks that speak for one tenant */
	unsigned n_bound;
	struct net_list proxies;
	struct listener_list listeners, listeners_tls;
};
extern const struct option_set submit_option_set;
