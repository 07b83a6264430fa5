/* control/app/app.c - options and secrets into one struct. */
#include <sodium.h>
#include <stdio.h>

#include "base/file.h"
#include "base/log.h"
#include "control/app/app.h"
#include "control/http/ids.h"

enum { TOKEN_LEAST = 24, TOKEN_FILE_MAX = 4096 };

static int read_proxies(struct app *app)
{
	struct slice entry;
	size_t pos = 0;

	while (option_list_next(app->config.trusted_proxies, &pos, &entry)) {
		if (app->n_proxies == PROXIES_MAX)
			return E_LIMIT;
		int r = ip_net_parse(entry, &app->proxies[app->n_proxies++]);
		if (r < 0)
			return r;
	}
	return 0;
}

static void derive(struct app *app)
{
	uint8_t ids[32];

	secrets_derive(app->secrets, "ids", ids);
	ids_init(ids);
	sodium_memzero(ids, sizeof(ids));
	secrets_derive(app->secrets, "cursor", app->cursor_key);
	secrets_derive(app->secrets, "api key", app->key_pepper);
	secrets_derive(app->secrets, "session", app->session_pepper);
	secrets_derive(app->secrets, "mailed token", app->token_pepper);
}

static int read_platform_token(struct app *app)
{
	struct buf text = { 0 };
	int r = 0;

	if (!app->config.admin_token_file || !app->config.admin_token_file[0])
		return 0;
	r = file_read(app->config.admin_token_file, TOKEN_FILE_MAX, &text);
	if (r >= 0)
		app->platform_token = must_copy(buf_data(&text));
	buf_free(&text);
	if (r < 0)
		return r;
	app->platform_token[strcspn(app->platform_token, " \t\r\n")] = '\0';
	return strlen(app->platform_token) < TOKEN_LEAST ? E_SYNTAX : 0;
}

/* Options that take one of a few words. */
static int check_words(const struct config *c, char *error)
{
	enum log_level level;

	if (log_level_parse(slice_str(c->log_level), &level) < 0) {
		(void)snprintf(error, OPTION_ERROR_MAX, "log.level: error, warn, info or debug");
		return E_SYNTAX;
	}
	if (strcmp(c->signup_verification, "none") && strcmp(c->signup_verification, "operator")) {
		(void)snprintf(error, OPTION_ERROR_MAX, "signup.verification: none or operator");
		return E_SYNTAX;
	}
	return 0;
}

int app_open(struct app *app, const char *path, char *error)
{
	int r;

	memset(app, 0, sizeof(*app));
	if (sodium_init() < 0)
		return -ENOSYS;
	options_defaults(config_options, config_options_n, &app->config);
	r = options_read(config_options, config_options_n, &app->config, path, error);
	if (r >= 0)
		r = check_words(&app->config, error);
	if (r < 0)
		return r;
	r = read_proxies(app);
	if (r < 0) {
		(void)snprintf(error, OPTION_ERROR_MAX, "http.trusted_proxies: not a network");
		return r;
	}
	r = secrets_read(&app->secrets, app->config.secrets_file);
	if (r < 0) {
		(void)snprintf(error, OPTION_ERROR_MAX, "secrets.key_file %s: %s",
			       app->config.secrets_file, err_text(r));
		return r;
	}
	r = read_platform_token(app);
	if (r < 0) {
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "http.admin.token_file: %s (%d characters at least)", err_text(r),
			       TOKEN_LEAST);
		return r;
	}
	derive(app);
	return 0;
}

void app_close(struct app *app)
{
	app->secrets = secrets_free(app->secrets);
	free(app->platform_token);
	options_free(config_options, config_options_n, &app->config);
}

struct db *app_db(const struct app *app, enum app_role role)
{
	const struct config *c = &app->config;
	const struct {
		const char *user;
		int64_t timeout;
	} rows[] = {
		[APP_API] = { c->db_api_user, c->db_statement_timeout },
		[APP_INGEST] = { c->db_ingest_user, 0 },
		[APP_OWNER] = { c->db_owner_user, 0 },
		[APP_BOOTSTRAP] = { c->db_bootstrap_user, 0 },
	};
	struct db_options o = { .conninfo = c->db_conninfo,
				.user = rows[role].user,
				.statement_timeout_ms = rows[role].timeout };

	return db_new(&o);
}
