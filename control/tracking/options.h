/* control/tracking/options.h - options of links in mail: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct tracking_options {
	char *public_url; /* without a slash at the end */
	int64_t waiting_max;
};
extern const struct option_set tracking_option_set;

static inline const struct tracking_options *tracking_options(const struct app *app)
{
	return settings_of(app->settings, &tracking_option_set);
}
