/* control/app/app.c - reads options and secrets into one struct. */
#include "control/app/app.h"

#include <sodium.h>
#include <stdio.h>

#include "control/app/options.h"
#include "control/db/options.h"

int app_open(struct app *app, const struct option_set *const *sets, size_t n, const char *path,
	     char *error)
{
	const char *file;
	int r;

	memset(app, 0, sizeof(*app));
	if (sodium_init() < 0)
		return -ENOSYS;
	r = settings_read(&app->settings, sets, n, path, error);
	if (r < 0)
		return r;
	file = app_options(app)->secrets_file;
	r = secrets_read(&app->secrets, file);
	if (r < 0) {
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "secrets.key_file %s: %s; other users must not be able to read it, "
			       "and --make-secrets writes the first one",
			       file, err_text(r));
		return r;
	}
	secrets_derive(app->secrets, "cursor", app->cursor_key);
	secrets_derive(app->secrets, "api key", app->key_pepper);
	secrets_derive(app->secrets, "session", app->session_pepper);
	secrets_derive(app->secrets, "mailed token", app->token_pepper);
	secrets_derive(app->secrets, "access token", app->access_key);
	return 0;
}

void app_close(struct app *app)
{
	app->secrets = secrets_free(app->secrets);
	free(app->platform_token);
	app->settings = settings_free(app->settings);
}

struct db *app_db(const struct app *app, enum app_role role)
{
	const struct db_options *o = settings_of(app->settings, &db_option_set);
	const struct {
		const char *user;
		int64_t timeout;
	} rows[] = {
		[APP_API] = { o->api_user, o->statement_timeout },
		[APP_INGEST] = { o->ingest_user, 0 },
		[APP_OWNER] = { o->owner_user, 0 },
		[APP_BOOTSTRAP] = { o->bootstrap_user, 0 },
	};
	struct db_account account = { .conninfo = o->conninfo,
				      .user = rows[role].user,
				      .statement_timeout_ms = rows[role].timeout };

	return db_new(&account);
}
