/* control/setup.c - every room's option set, in the order of the sample file. */
#include "control/mail/options.h"
#include "control/setup.h"

#include <sodium.h>

#include "control/app/options.h"
#include "control/auth/gate.h"
#include "control/auth/options.h"
#include "control/db/options.h"
#include "control/domains/options.h"
#include "control/engine/options.h"
#include "control/federation/options.h"
#include "control/http/ids.h"
#include "control/http/options.h"
#include "control/http/tls_options.h"
#include "control/tracking/options.h"

static const struct option log_rows[] = {
	{ "log.level", T_STR, offsetof(struct setup_log_options, word), 0, 8, "info", true,
	  "error, warn, info or debug" },
	{ "log.format", T_STR, offsetof(struct setup_log_options, form), 0, 8, "logfmt", true,
	  "Form of the log, one event per line: logfmt or json." },
};

static int derive_log(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct setup_log_options *o = options;

	if (log_level_parse(slice_str(o->word), &o->level) < 0)
		return option_bad(f, "log.level", slice_str(o->word), "error, warn, info or debug");
	if (log_format_parse(slice_str(o->form), &o->format) < 0)
		return option_bad(f, "log.format", slice_str(o->form), "logfmt or json");
	return 0;
}

const struct option_set setup_log_option_set = {
	.rows = log_rows,
	.n = ARRAY_LEN(log_rows),
	.size = sizeof(struct setup_log_options),
	.derive = derive_log,
};

static const struct option_set *const sets[] = {
	&db_option_set,   &http_option_set,       &http_tls_option_set,  &auth_option_set,
	&app_option_set,  &domains_option_set,    &tracking_option_set,  &carrier_option_set,
	&mail_option_set, &federation_option_set, &setup_log_option_set,
};

int setup_read(struct settings **ret, const char *path, char *error)
{
	return settings_read(ret, sets, ARRAY_LEN(sets), path, error);
}

void setup_sample(struct buf *out)
{
	settings_sample(sets, ARRAY_LEN(sets), out);
}

int setup_open(struct app *app, const char *path, char *error)
{
	uint8_t ids[32];
	int r = app_open(app, sets, ARRAY_LEN(sets), path, error);

	if (r < 0)
		return r;
	secrets_derive(app->secrets, "ids", ids);
	ids_init(ids);
	sodium_memzero(ids, sizeof(ids));
	return auth_read_token(app, error);
}
