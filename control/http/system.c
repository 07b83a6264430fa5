/* control/http/system.c - answers to monitoring (alive, ready, counters); the API's document. */
#include "control/db/migrate.h"
#include "control/http/openapi.h"
#include "control/http/private.h"
#include "control/http/routes.h"

static int get_health(struct call *c)
{
	return http_reply_json(c, 200, json_pack("{s:s}", "status", "ok"));
}

static int get_ready(struct call *c)
{
	int r = migrate_check(c->db);

	if (r == E_UNKNOWN)
		return problem(
		    c, 503, "not_migrated",
		    "the tables of the database are not up to date: run postern-control --migrate");
	if (r == E_VERSION || r == E_CONFLICT)
		return problem(c, 503, "wrong_schema",
			       "the tables of the database belong to another version of "
			       "postern-control: run that version");
	return r < 0 ? r : http_reply_json(c, 200, json_pack("{s:s}", "status", "ready"));
}

static int get_metrics(struct call *c)
{
	struct buf out = { 0 };
	int r;

	http_metrics_text(&out, c->request->server);
	c->request->server->gate->metrics(&out);
	r = http_reply_bytes(c, 200, "text/plain; version=0.0.4", buf_data(&out));
	buf_free(&out);
	return r;
}

static int get_openapi(struct call *c)
{
	return http_reply_bytes(c, 200, "application/json", slice_of(openapi_json, openapi_json_n));
}

/* clang-format off */
const struct http_route http_system_routes[] = {
	{"GET", "/health",          AUTH_NONE, 0, ROUTE_NO_TX | ROUTE_AT_ONCE, 0, get_health },
	{"GET", "/ready",           AUTH_NONE, 0, ROUTE_NO_TX, 0, get_ready  },
	{"GET", "/metrics",         AUTH_NONE, 0, ROUTE_NO_TX, 0, get_metrics},
	{"GET", "/v1/openapi.json", AUTH_NONE, 0, ROUTE_NO_TX, 0, get_openapi},
};
/* clang-format on */
const size_t http_system_routes_n = ARRAY_LEN(http_system_routes);
