/* Laws.  Of a file of routes that is taken, each route has a host, a port and somebody who is
 * meant; with AUTH it verifies certificates; names are unique; and the route that is found is the
 * first that fits by itself.  Of a file of credentials that is taken, user and secret lie in it, on
 * one line each, without NUL.  As a fact, a text makes a route of its tenant that reads no file, or
 * none; what follows an empty line are its credentials, and with a token_url they are a grant. */
#include "mta/route/fed.h"
#include "mta/route/grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_route(const struct routes *all, unsigned i)
{
	const struct smart_route *r = all->at[i];
	unsigned meant = 0;

	for (unsigned k = 0; k < SMART_LISTS; k++)
		meant += r->n[k];
	assert(r->host && *r->host && r->port && meant);
	assert((r->auth == AUTH_NONE) == !r->credentials);
	assert(r->auth == AUTH_NONE || r->tls == TLS_WORD_VERIFY);
	assert(!r->tls_at_once || r->tls >= TLS_WORD_ENCRYPT);
	assert(routes_named(all, slice_str(r->name)) == r);
}

static void check_found(const struct routes *all, struct slice domain)
{
	const struct smart_subject q = { domain, SLICE("default"), SLICE("bulk"), 7 };
	struct smart_route *found = routes_find(all, &q);

	for (unsigned i = 0; i < all->n; i++) {
		const struct routes alone = { 1, { all->at[i] } };

		if (all->at[i] == found)
			return;
		assert(!routes_find(&alone, &q));
	}
	assert(!found);
}

static void check_credentials(struct slice text)
{
	struct session_auth a = { 0 };

	if (smart_auth_read(&a, text) < 0)
		return;
	assert(a.user.n && a.secret.n && a.secret.n <= AUTH_SECRET_MAX);
	assert(a.user.p >= text.p && a.secret.p + a.secret.n <= text.p + text.n);
	assert(!memchr(a.user.p, '\n', a.user.n) && !memchr(a.secret.p, '\n', a.secret.n));
	assert(!memchr(a.user.p, '\0', a.user.n) && !memchr(a.secret.p, '\0', a.secret.n));
}

static void check_grant(const struct smart_route *r)
{
	struct grant *g;
	int err = grant_new(&g, r);

	assert(err == 0 && g->user.n && g->client_id.n && g->refresh.n);
	assert(r->auth == AUTH_XOAUTH2);
	(void)grant_free(g);
}

static void check_fact(struct slice text)
{
	const struct wire_fact f = {
		.kind = WIRE_FACT_SMART_ROUTE, .tenant = 7, .id = 9, .text = text
	};
	const char *why = NULL;
	struct smart_route *r = smart_fed_route(&f, &why);
	struct smart_auth *a = NULL;
	int err;

	assert(!r == (why != NULL));
	if (!r)
		return;
	assert(r->tenant == 7 && r->id == 9 && strcmp(r->name, "t7/r9") == 0);
	assert(!r->credentials && !r->token_file && !r->mx && r->host && r->port);
	assert(!r->n[SMART_TENANTS] && !r->n[SMART_POOLS] && !r->n[SMART_STREAMS]);
	assert((r->auth == AUTH_NONE) == !r->secret);
	assert(r->auth == AUTH_NONE || r->tls == TLS_WORD_VERIFY);
	err = smart_auth_new(&a, r);
	assert(err == 0 && (r->auth == AUTH_NONE) == !a);
	(void)smart_auth_free(a);
	if (r->token_url)
		check_grant(r);
	(void)smart_route_unref(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct routes all;
	struct slice text = slice_of(data, size), last = text;
	char error[OPTION_ERROR_MAX] = "";

	if (size > 65536)
		return 0;
	check_credentials(text);
	check_fact(text);
	if (routes_parse(&all, text, "f", error) < 0) {
		assert(*error);
	} else {
		for (unsigned i = 0; i < all.n; i++)
			check_route(&all, i);
		while (memchr(last.p, '\n', last.n))
			(void)slice_take(&last, '\n');
		check_found(&all, last);
		check_found(&all, SLICE("a.example.com"));
	}
	routes_clear(&all);
	return 0;
}
