/* control/federation/options.h - options of signing in at another party: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct federation_options {
	bool http_loopback;
	char *private_hosts, *ca_file;
	int64_t timeout, fetches, key_wait;
};
extern const struct option_set federation_option_set;

static inline const struct federation_options *federation_options(const struct app *app)
{
	return settings_of(app->settings, &federation_option_set);
}
