/* mta/route/fed.c - from a fact to a route, and which route is whose. */
#include "mta/route/fed.h"

#include <stdio.h>

#include "mta/policy/reporting.h"
#include "mta/route/grant.h"
#include "mta/route/inside.h"

enum { HTTPS_PORT = 443 };

/* ---- one --------------------------------------------------------------------------------- */

static bool is_for_tenants(struct slice key)
{
	static const char *const keys[] = { "host", "port", "tls", "auth", "domain", "token_url" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (slice_eq(key, slice_str(keys[i])))
			return true;
	return false;
}

static int read_lines(struct smart_route *r, struct slice text)
{
	int err = 0;

	while (err == 0 && text.n) {
		struct slice line = slice_take(&text, '\n'), key, value;

		if (!slice_cut(line, '=', &key, &value) || !is_for_tenants(slice_trim(key)))
			return E_SYNTAX;
		err = routes_set_key(r, slice_trim(key), slice_trim(value));
	}
	return err;
}

/* What follows an empty line, or nothing. */
static struct slice cut_credentials(struct slice *text)
{
	const char *at = memmem(text->p, text->n, "\n\n", 2);
	struct slice rest = slice_of("", 0);

	if (at) {
		rest = slice_skip(*text, (size_t)(at - text->p) + 2);
		text->n = (size_t)(at - text->p) + 1;
	}
	return rest;
}

/* With an endpoint, a client and its refresh token; without, a user and his secret. */
static int check_credentials(const struct smart_route *r, struct slice text)
{
	struct session_auth a = { 0 };
	struct grant g = { .user = { NULL, 0 } };
	int err;

	if (!r->token_url)
		return smart_auth_read(&a, text);
	err = grant_read(&g, text);
	return err == 0 && !g.refresh.n ? E_SYNTAX : err;
}

static bool has_own_port(const struct smart_route *r)
{
	struct reporting_uri url;

	return r->token_url &&
	       (reporting_url(slice_str(r->token_url), &url) < 0 || url.port != HTTPS_PORT);
}

static const char *fill(struct smart_route *r, struct slice text)
{
	bool nul = memchr(text.p, '\0', text.n);
	struct slice credentials = cut_credentials(&text);

	if (nul || read_lines(r, text) < 0)
		return "a line is not understood";
	if (has_own_port(r))
		return "its token_url has a port";
	if (credentials.n && check_credentials(r, credentials) < 0)
		return "its credentials are not understood";
	if (credentials.n)
		r->secret = must_copy(credentials);
	return routes_finish(r);
}

struct smart_route *smart_fed_route(const struct wire_fact *f, const char **why)
{
	struct smart_route *r;
	char name[64];

	*why = "it is nobody's";
	if (!f->tenant || !f->text.n)
		return NULL;
	r = must_alloc(sizeof(*r));
	atomic_init(&r->refs, 1);
	r->tls = TLS_WORD_VERIFY;
	r->tenant = f->tenant;
	r->id = f->id;
	(void)snprintf(name, sizeof(name), "t%llu/r%llu", (unsigned long long)f->tenant,
		       (unsigned long long)f->id);
	r->name = must_copy(slice_str(name));
	*why = fill(r, f->text);
	return *why ? smart_route_unref(r) : r;
}

/* ---- all --------------------------------------------------------------------------------- */

struct smart_fed *smart_fed_unref(struct smart_fed *f)
{
	if (!f || atomic_fetch_sub(&f->refs, 1) != 1)
		return NULL;
	for (unsigned i = 0; i < f->n; i++)
		f->at[i] = smart_route_unref(f->at[i]);
	free(f);
	return NULL;
}

/* Where the tenant's routes begin. */
static unsigned first_of(const struct smart_fed *f, uint64_t tenant)
{
	unsigned low = 0, high = f->n;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (f->at[middle]->tenant < tenant)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct smart_route *smart_fed_find(const struct smart_fed *f, const struct smart_subject *q)
{
	unsigned first = first_of(f, q->tenant);

	for (unsigned i = first; i < f->n && f->at[i]->tenant == q->tenant; i++)
		if (i - first < FED_ROUTES_MAX && routes_fit(f->at[i], q))
			return f->at[i];
	return NULL;
}

bool smart_fed_has(const struct smart_fed *f, uint64_t tenant, uint64_t id)
{
	for (unsigned i = first_of(f, tenant); i < f->n && f->at[i]->tenant == tenant; i++)
		if (f->at[i]->id == id)
			return true;
	return false;
}

struct smart_route *smart_fed_named(const struct smart_fed *f, struct slice name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (slice_eq(slice_str(f->at[i]->name), name))
			return f->at[i];
	return NULL;
}
