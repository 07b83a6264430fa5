/* control/domains/options.h - options of sending domains: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct domains_options {
	char *dns_servers, *spf_include, *return_path_host, *tracking_host;
	char *return_path; /* the operator's own */
	int64_t dns_timeout, degraded_grace;
};
enum { RETURN_PATH_MAX = 330 };
extern const struct option_set domains_option_set;

static inline const struct domains_options *domains_options(const struct app *app)
{
	return settings_of(app->settings, &domains_option_set);
}

/* Where bounces of mail go whose sender's domain does not take them: an address; "" when the
 * operator has none. */
void domains_return_path(const struct app *app, char ret[RETURN_PATH_MAX]);
