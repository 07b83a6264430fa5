/* control/engine/route_secret.c - sealed for one route of one organisation. */
#include "control/engine/route_secret.h"

#include <inttypes.h>
#include <stdio.h>

enum { ABOUT_MAX = 64 };

static struct slice about(char *text, uint32_t org, uint64_t route)
{
	(void)snprintf(text, ABOUT_MAX, "smtp_routes %" PRIu32 "/%" PRIu64, org, route);
	return slice_str(text);
}

int route_secret_seal(struct app *app, uint32_t org, uint64_t route, struct slice plain,
		      int *ret_id, struct buf *out)
{
	char text[ABOUT_MAX];

	return secrets_seal(app->secrets, about(text, org, route), plain, ret_id, out);
}

int route_secret_open(struct app *app, uint32_t org, uint64_t route, int seal_id,
		      struct slice sealed, struct buf *out)
{
	char text[ABOUT_MAX];

	return secrets_open(app->secrets, seal_id, about(text, org, route), sealed, out);
}
