/* control/http/tls_options.h - options of TLS: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct http_tls_options {
	char *certificate, *key, *clients, *listeners;
	unsigned on; /* derived: enum http_route_listener, or-ed; 0 without a certificate */
};
extern const struct option_set http_tls_option_set;

static inline const struct http_tls_options *http_tls_options(const struct app *app)
{
	return settings_of(app->settings, &http_tls_option_set);
}
