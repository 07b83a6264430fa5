/* control/app/app.h - what all parts of the daemon share: options, secrets, and whether it stops.
 *
 * Owns:    app_open() fills it, app_close() ends it.
 * Threads: read-only once threads run, except `stopping`. */
#pragma once
#include <stdatomic.h>

#include "base/settings.h"
#include "control/app/secrets.h"
#include "control/db/db.h"

struct app {
	struct settings *settings; /* each room's options.h asks for its own */
	struct secrets *secrets;
	uint8_t cursor_key[32], key_pepper[32], session_pepper[32], token_pepper[32],
	    access_key[32];
	char *platform_token; /* NULL: the platform's API answers nobody */
	atomic_bool stopping;
};

/* Reads the option file and the secrets; error (OPTION_ERROR_MAX bytes) says what is wrong. */
int app_open(struct app *app, const struct option_set *const *sets, size_t n, const char *path,
	     char *error) MUST_CHECK;
void app_close(struct app *app);

/* A connection in one of the roles, not yet open. */
enum app_role { APP_API, APP_INGEST, APP_OWNER, APP_BOOTSTRAP };
struct db *app_db(const struct app *app, enum app_role role);
