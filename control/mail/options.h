/* control/mail/options.h - options of the platform's own mail: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct mail_texts;
struct mail_options {
	char *from, *reply_to, *texts_dir, *service, *console, *pool;
	struct mail_texts *texts; /* the shipped ones and the operator's */
};
extern const struct option_set mail_option_set;

static inline const struct mail_options *mail_options(const struct app *app)
{
	return settings_of(app->settings, &mail_option_set);
}
