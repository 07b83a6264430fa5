/* control/engine/options.h - options of the link to an engine: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct engine_options {
	char *socket, *name;
	char *pool; /* "" is the engine's default */
};
extern const struct option_set engine_option_set;

static inline const struct engine_options *engine_options(const struct app *app)
{
	return settings_of(app->settings, &engine_option_set);
}
