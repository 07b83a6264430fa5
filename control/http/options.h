/* control/http/options.h - options of the HTTP server: control.conf(5). */
#pragma once
#include "base/address.h"
#include "control/app/app.h"

enum { PROXIES_MAX = 16 };
struct http_options {
	char *api_listen, *public_listen, *admin_listen;
	char *trusted_proxies, *api_origins;
	int64_t workers, queue, connections, per_address, timeout, upload_max;
	int64_t head_timeout, body_timeout, body_rate;
	bool cookie_secure;
	int64_t brake_burst, brake_per_minute, wrong_burst, wrong_per_minute;
	int64_t caller_burst, caller_per_minute, address_burst, address_per_minute;
	int64_t org_burst, org_per_minute;
	/* derived */
	struct ip_net proxies[PROXIES_MAX];
	unsigned n_proxies;
};
extern const struct option_set http_option_set;

static inline const struct http_options *http_options(const struct app *app)
{
	return settings_of(app->settings, &http_option_set);
}
