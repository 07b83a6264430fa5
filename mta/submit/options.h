/* mta/submit/options.h - options of the submission listener. */
#pragma once
#include "mta/config/entries.h"
#include "mta/config/host.h"
#include "mta/core/engine.h"

struct submit_options {
	char *listen_list, *network_list, *tls_cert, *tls_key;
	int64_t max_size, max_rcpts, max_sessions, max_sessions_client, timeout, expire_after;
	struct listener_list listeners;
	struct net_list nets;
};
extern const struct option_set submit_option_set;

static inline const struct submit_options *submit_options(struct engine *e)
{
	return settings_of(engine_settings(e), &submit_option_set);
}
