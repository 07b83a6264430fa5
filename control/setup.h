/* control/setup.h - the options of the whole program, collected from the rooms, and the app made
 * from them.
 * Fails: error (OPTION_ERROR_MAX bytes) says what is wrong. */
#pragma once
#include "base/log.h"
#include "control/app/app.h"

struct setup_log_options {
	char *word, *form;
	enum log_level level; /* derived, as the next */
	enum log_format format;
};
extern const struct option_set setup_log_option_set;

int setup_read(struct settings **ret, const char *path, char *error) MUST_CHECK;
void setup_sample(struct buf *out);
/* Options, secrets, and what the rooms keep of them.  app_close() ends it. */
int setup_open(struct app *app, const char *path, char *error) MUST_CHECK;
