/* control/engine/route_secret.h - the password or token of an organisation's smart host, sealed in
 * the database and opened for the engine alone.
 * Fails: as control/app/secrets.h. */
#pragma once
#include "control/app/app.h"

int route_secret_seal(struct app *app, uint32_t org, uint64_t route, struct slice plain,
		      int *ret_id, struct buf *out) MUST_CHECK;
/* Appends. */
int route_secret_open(struct app *app, uint32_t org, uint64_t route, int seal_id,
		      struct slice sealed, struct buf *out) MUST_CHECK;
