/* control/federation/enter.c - /v1/auth/federation: which providers an organisation has, and a
 * token exchanged for a session. */
#include "control/federation/journey.h"
#include "control/federation/provider.h"
#include "control/federation/routes.h"
#include "control/federation/statements.h"
#include "control/http/api.h"
#include "control/http/body.h"
#include "control/http/reply.h"

enum { S_ID, S_KIND, S_NAME };

struct ways_looking {
	struct call *c;
	uint32_t org;
	json_t *data;
	bool passwords;
};

static void append(struct ways_looking *k, const struct db_result *res, unsigned i)
{
	const struct federation_kind *kind = federation_kind_of(db_int(res, i, S_KIND));
	uint64_t id = (uint64_t)db_int(res, i, S_ID);
	char start[FEDERATION_START_MAX];

	if (kind)
		(void)json_array_append_new(
		    k->data, json_pack("{so ss so ss}", "id", api_id(ID_PROVIDER, id), "kind",
				       kind->name, "name", api_text(db_text(res, i, S_NAME)),
				       "start", federation_start(kind, k->org, id, start)));
}

static int look(struct db *db, void *arg)
{
	struct ways_looking *k = arg;
	OWNED(db_result) res = NULL;
	OWNED(db_result) rules = NULL;
	int r = db_run(db, &res, sql_federation_providers_shown, p_int(k->org));

	if (r >= 0)
		r = db_run(db, &rules, sql_federation_sign_in_passwords, p_int(k->org));
	if (r < 0)
		return r;
	(void)json_array_clear(k->data);
	for (unsigned i = 0; i < db_rows(res); i++)
		append(k, res, i);
	k->passwords = db_rows(rules) == 0 || db_bool(rules, 0, 0);
	return 0;
}

/* An organisation that is not there has no providers, like many that are. */
static int get_ways(struct call *c)
{
	struct ways_looking k = { .c = c, .passwords = true };
	int r = federation_provider_org(c, call_param(c, 0), &k.org);

	if (r < 0 && r != E_UNKNOWN)
		return r;
	k.data = json_array();
	r = r < 0 ? 0 : db_tx(c->db, k.org, look, &k);
	if (r < 0) {
		json_decref(k.data);
		return r;
	}
	return http_reply_json(c, 200,
			       json_pack("{so sb}", "data", k.data, "passwords", (int)k.passwords));
}

struct exchange_body {
	struct slice token;
};
static const struct body_field exchange_fields[] = {
	{ "token", BODY_LINE, offsetof(struct exchange_body, token), BODY_REQUIRED, 1, TOKEN_MAX,
	  0 },
};

static int post_exchange(struct call *c)
{
	struct exchange_body b = { 0 };
	struct body_seen seen;
	int r = http_body_read(c, exchange_fields, ARRAY_LEN(exchange_fields), &b, &seen);

	return r < 0 ? r : journey_claim(c, b.token, federation_arrived);
}

/* clang-format off */
const struct http_route federation_enter_routes[] = {
	{"GET",  "/v1/auth/federation/{org_name}",    AUTH_NONE, 0, ROUTE_NO_TX,                0, get_ways     },
	{"POST", "/v1/auth/federation/exchange", AUTH_NONE, 0, ROUTE_BRAKED | ROUTE_NO_TX, 0, post_exchange},
};
/* clang-format on */
const size_t federation_enter_routes_n = ARRAY_LEN(federation_enter_routes);
