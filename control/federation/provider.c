/* control/federation/provider.c - a provider read, with its secret. */
#include "control/federation/provider.h"

#include <inttypes.h>
#include <stdio.h>

#include "control/federation/statements.h"

enum { ABOUT_MAX = 64, HANDLE_MAX = 64 };

static struct slice about(char *text, uint32_t org, uint64_t id)
{
	(void)snprintf(text, ABOUT_MAX, "identity_providers %" PRIu32 "/%" PRIu64, org, id);
	return slice_str(text);
}

int federation_provider_seal(struct call *c, uint64_t id, struct slice secret, int *ret_seal,
			     struct buf *out)
{
	char text[ABOUT_MAX];

	return secrets_seal(c->app->secrets, about(text, c->actor.org, id), secret, ret_seal, out);
}

struct federation_provider *federation_provider_free(struct federation_provider *p)
{
	if (!p)
		return NULL;
	json_decref(p->config);
	if (p->secret.p)
		explicit_bzero(p->secret.p, p->secret.cap);
	buf_free(&p->secret);
	free(p);
	return NULL;
}

enum { P_CONFIG, P_SECRET, P_SEAL };

int federation_provider_read(struct call *c, uint32_t org, uint64_t id,
			     enum federation_kind_code kind, struct federation_provider **ret)
{
	OWNED(db_result) res = NULL;
	OWNED(federation_provider) p = NULL;
	char text[ABOUT_MAX];
	struct slice config;
	int r =
	    db_run(c->db, &res, sql_federation_provider_active, p_int(org), p_int(id), p_int(kind));

	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	config = db_text(res, 0, P_CONFIG);
	p = must_alloc(sizeof(*p));
	p->org = org;
	p->id = id;
	p->kind = federation_kind_of(kind);
	p->config = json_loadb(config.p, config.n, 0, NULL);
	if (!p->kind || !p->config)
		return E_SYNTAX;
	if (db_int(res, 0, P_SEAL)) {
		r = secrets_open(c->app->secrets, (int)db_int(res, 0, P_SEAL), about(text, org, id),
				 db_bytes(res, 0, P_SECRET), &p->secret);
		if (r < 0)
			return r;
	}
	*ret = TAKE(p);
	return 0;
}

int federation_provider_org(struct call *c, struct slice text, uint32_t *ret)
{
	OWNED(db_result) res = NULL;
	char name[HANDLE_MAX];
	uint64_t id = 0;
	int r = ids_in(ID_ORG, text, &id);

	if (r < 0 && text.n < sizeof(name)) {
		slice_copy(name, sizeof(name), text);
		for (char *p = name; *p; p++)
			*p = ascii_lower(*p);
		r = db_run(c->db, &res, "SELECT lookup_org($1)", p_str(name));
		if (r >= 0)
			id = (uint64_t)db_int(res, 0, 0);
	}
	if (r < 0 || id == 0 || id > INT32_MAX)
		return r < 0 && r != E_UNKNOWN ? r : E_UNKNOWN;
	*ret = (uint32_t)id;
	return 0;
}
