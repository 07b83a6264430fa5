/* control/federation/oidc_party.c - documents and keys of providers, kept. */
#include "control/federation/oidc_party.h"

#include <pthread.h>
#include <stdio.h>

#include "base/clock.h"
#include "control/federation/oidc.h"
#include "control/federation/options.h"
#include "control/http/api.h"

enum { KEPT_MS = 3600 * 1000, FAILED_MS = 5 * 1000 };
enum { WELL_KNOWN_MAX = OIDC_ISSUER_MAX + 40 };

/* ---- what is kept -------------------------------------------------------------------------- */

struct kept {
	uint32_t org;
	char *issuer;
	struct oidc_party party;
	int64_t read_at, keys_at, failed_at, used_at; /* clock_mono_ms(); 0: never */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept all[PARTIES_MAX];

void oidc_party_clear(struct oidc_party *p)
{
	json_decref(p->document);
	json_decref(p->keys);
	*p = (struct oidc_party){ 0 };
}

static struct oidc_party share(const struct oidc_party *p)
{
	return (struct oidc_party){ json_incref(p->document), json_incref(p->keys) };
}

static void forget(struct kept *k)
{
	oidc_party_clear(&k->party);
	free(k->issuer);
	*k = (struct kept){ 0 };
}

/* Under the lock: its row, or the one that was not used for longest. */
static struct kept *find(uint32_t org, const char *issuer)
{
	struct kept *oldest = &all[0];

	for (size_t i = 0; i < PARTIES_MAX; i++) {
		struct kept *k = &all[i];

		if (k->issuer && k->org == org && strcmp(k->issuer, issuer) == 0)
			return k;
		if (k->used_at < oldest->used_at)
			oldest = k;
	}
	forget(oldest);
	oldest->org = org;
	oldest->issuer = must_copy(slice_str(issuer));
	return oldest;
}

static bool is_within(int64_t at, int64_t ms)
{
	return at && clock_mono_ms() - at < ms;
}

/* 1: it is here; 0: it must be asked for; E_TIMEOUT: it failed a moment ago. */
static int look(uint32_t org, const char *issuer, struct oidc_party *ret)
{
	struct kept *k;
	int r = 0;

	pthread_mutex_lock(&lock);
	k = find(org, issuer);
	k->used_at = clock_mono_ms();
	if (is_within(k->read_at, KEPT_MS)) {
		*ret = share(&k->party);
		r = 1;
	} else if (is_within(k->failed_at, FAILED_MS)) {
		r = E_TIMEOUT;
	}
	pthread_mutex_unlock(&lock);
	return r;
}

static void keep(uint32_t org, const char *issuer, const struct oidc_party *p)
{
	int64_t now = clock_mono_ms();
	struct kept *k;

	pthread_mutex_lock(&lock);
	k = find(org, issuer);
	k->used_at = now;
	if (p) {
		oidc_party_clear(&k->party);
		k->party = share(p);
		k->read_at = k->keys_at = now;
	} else {
		k->failed_at = now;
	}
	pthread_mutex_unlock(&lock);
}

/* Takes the right to ask for the keys again. */
static bool may_renew(const struct app *app, uint32_t org, const char *issuer)
{
	struct kept *k;
	bool may;

	pthread_mutex_lock(&lock);
	k = find(org, issuer);
	may = !is_within(k->keys_at, federation_options(app)->key_wait);
	if (may)
		k->keys_at = clock_mono_ms();
	pthread_mutex_unlock(&lock);
	return may;
}

/* ---- what it says -------------------------------------------------------------------------- */

static const char *text(const json_t *document, const char *name)
{
	const char *s = json_string_value(json_object_get(document, name));

	return s ? s : "";
}

static bool is_endpoint(const char *issuer, const char *url)
{
	size_t scheme = strncmp(issuer, "https://", 8) == 0 ? 8 : 7;

	if (strlen(url) > PARTY_URL_MAX || strncmp(issuer, url, scheme) != 0)
		return false;
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p > '~' || strchr("\"#<>\\", *p))
			return false;
	return true;
}

static const char *fault_of(const json_t *document, const char *issuer)
{
	if (strcmp(text(document, "issuer"), issuer) != 0)
		return "its document is another issuer's";
	if (!is_endpoint(issuer, text(document, "authorization_endpoint")) ||
	    !is_endpoint(issuer, text(document, "token_endpoint")) ||
	    !is_endpoint(issuer, text(document, "jwks_uri")))
		return "its document lacks an endpoint, or has one that cannot be used";
	if (*text(document, "userinfo_endpoint") &&
	    !is_endpoint(issuer, text(document, "userinfo_endpoint")))
		return "its userinfo endpoint cannot be used";
	return NULL;
}

static int ask(const struct app *app, uint32_t org, const char *url, char *why, json_t **ret)
{
	const struct federation_request q = { .org = org, .url = url };

	return federation_fetch_json(app, &q, why, ret);
}

static int read_party(const struct app *app, uint32_t org, const char *issuer, struct oidc_party *p,
		      char *why)
{
	size_t n = strlen(issuer);
	char url[WELL_KNOWN_MAX];
	const char *fault;
	int r;

	n -= n > 0 && issuer[n - 1] == '/';
	(void)snprintf(url, sizeof(url), "%.*s/.well-known/openid-configuration", (int)n, issuer);
	r = ask(app, org, url, why, &p->document);
	if (r < 0)
		return r;
	fault = fault_of(p->document, issuer);
	if (fault) {
		slice_copy(why, FEDERATION_WHY_MAX, slice_str(fault));
		return E_DENIED;
	}
	return ask(app, org, text(p->document, "jwks_uri"), why, &p->keys);
}

int oidc_party_read(const struct app *app, uint32_t org, const char *issuer, struct oidc_party *ret,
		    char why[FEDERATION_WHY_MAX])
{
	struct oidc_party p = { 0 };
	int r = look(org, issuer, ret);

	if (r != 0) {
		slice_copy(why, FEDERATION_WHY_MAX, SLICE("it failed a moment ago"));
		return r < 0 ? r : 0;
	}
	r = read_party(app, org, issuer, &p, why);
	if (r != E_FULL)
		keep(org, issuer, r >= 0 ? &p : NULL);
	if (r < 0)
		oidc_party_clear(&p);
	else
		*ret = p;
	return r;
}

int oidc_party_renew(const struct app *app, uint32_t org, const char *issuer, struct oidc_party *p,
		     char why[FEDERATION_WHY_MAX])
{
	json_t *keys = NULL;
	int r;

	if (!may_renew(app, org, issuer)) {
		slice_copy(why, FEDERATION_WHY_MAX, SLICE("no key of its set has signed it"));
		return E_UNKNOWN;
	}
	r = ask(app, org, text(p->document, "jwks_uri"), why, &keys);
	if (r < 0)
		return r;
	json_decref(p->keys);
	p->keys = keys;
	keep(org, issuer, p);
	return 0;
}

const char *oidc_party_endpoint(const struct oidc_party *p, const char *name)
{
	return text(p->document, name);
}

bool oidc_party_says(const struct oidc_party *p, const char *name)
{
	return json_is_true(json_object_get(p->document, name));
}

bool oidc_party_lists(const struct oidc_party *p, const char *list, const char *word, bool absent)
{
	const json_t *words = json_object_get(p->document, list);

	for (size_t i = 0; i < json_array_size(words); i++)
		if (slice_eq(api_text_of(json_array_get(words, i)), slice_str(word)))
			return true;
	return !json_is_array(words) && absent;
}
