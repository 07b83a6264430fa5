/* control/app/options.h - options of the whole daemon: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct app_options {
	char *secrets_file, *data_dir;
};
extern const struct option_set app_option_set;

static inline const struct app_options *app_options(const struct app *app)
{
	return settings_of(app->settings, &app_option_set);
}
