/* control/engine/options.h - options of the link to an engine: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct carrier_options {
	char *socket, *name;
	char *pool; /* "" is the engine's default */
	char *lost; /* "again" or "end" */
};
extern const struct option_set carrier_option_set;

static inline const struct carrier_options *carrier_options(const struct app *app)
{
	return settings_of(app->settings, &carrier_option_set);
}
