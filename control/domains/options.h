/* control/domains/options.h - options of sending domains: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct domains_options {
	char *dns_servers, *spf_include, *return_path_host, *tracking_host;
	int64_t dns_timeout;
};
extern const struct option_set domains_option_set;

static inline const struct domains_options *domains_options(const struct app *app)
{
	return settings_of(app->settings, &domains_option_set);
}
