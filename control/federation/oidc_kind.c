/* control/federation/oidc_kind.c - configurations of OpenID Connect, checked; the presets. */
#include <stdio.h>

#include "control/auth/options.h"
#include "control/federation/oidc.h"
#include "control/http/api.h"
#include "control/http/problem.h"

/* Google: https://developers.google.com/identity/openid-connect/openid-connect.
 * Microsoft: the issuer names the tenant, and `email` is whatever the tenant's admin wrote; only
 * the optional claim xms_edov says that the owner of the domain stands for it. */
static const struct preset {
	const char *name, *before, *after; /* the issuer, around its tenant */
	bool tenant;
	const char *verified_claim;
} presets[] = {
	{ "google", "https://accounts.google.com", "", false, "email_verified" },
	{ "microsoft", "https://login.microsoftonline.com/", "/v2.0", true, "xms_edov" },
};

static const struct preset *preset_of(const json_t *config)
{
	const char *name = federation_config_text(config, "preset");

	for (size_t i = 0; i < ARRAY_LEN(presets); i++)
		if (strcmp(presets[i].name, name) == 0)
			return &presets[i];
	return NULL;
}

const char *oidc_issuer(const json_t *config, char *buf)
{
	const struct preset *p = preset_of(config);

	if (p)
		(void)snprintf(buf, OIDC_ISSUER_MAX + 1, "%s%s%s", p->before,
			       federation_config_text(config, "tenant"), p->after);
	else
		(void)snprintf(buf, OIDC_ISSUER_MAX + 1, "%s",
			       federation_config_text(config, "issuer"));
	return buf;
}

const char *oidc_verified_claim(const json_t *config)
{
	const struct preset *p = preset_of(config);

	return p ? p->verified_claim : "email_verified";
}

const char *oidc_redirect_uri(const struct app *app, uint32_t org, uint64_t provider, char *buf)
{
	char start[FEDERATION_START_MAX];

	*buf = '\0';
	if (*auth_options(app)->api_url)
		(void)snprintf(buf, OIDC_URI_MAX, "%s%s/callback", auth_options(app)->api_url,
			       federation_start(&oidc_kind, org, provider, start));
	return buf;
}

/* ---- the configuration --------------------------------------------------------------------- */

/* clang-format off */
static const struct federation_member members[] = {
	{"preset",        CONFIG_LINE, false, 1, 20},
	{"tenant",        CONFIG_LINE, false, 36, 36},
	{"issuer",        CONFIG_URL,  false, 9, OIDC_ISSUER_MAX},
	{"client_id",     CONFIG_LINE, true,  1, 255},
	{"scopes",        CONFIG_LINE, false, 6, 300},
	{"prompt",        CONFIG_LINE, false, 0, 20},
	{"max_age",       CONFIG_INT,  false, 0, 30 * 86400},
	{"token_auth",    CONFIG_LINE, false, 1, 20},
	{"hosted_domain", CONFIG_LINE, false, 1, 253},
};
/* clang-format on */

/* Directory (tenant) id: its name, or "common", would let in the people of every tenant. */
static bool is_uuid(const char *s)
{
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-'
			 : !((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
	}
	return s[36] == '\0';
}

static bool has_word(const char *list, const char *word)
{
	struct slice rest = slice_str(list);

	while (rest.n)
		if (slice_eq(slice_take(&rest, ' '), slice_str(word)))
			return true;
	return false;
}

static void check_party(struct call *c, const json_t *config)
{
	const struct preset *p = preset_of(config);
	bool issuer = json_object_get(config, "issuer"), tenant = json_object_get(config, "tenant");

	if (json_object_get(config, "preset") && !p)
		problem_add(c, "/config/preset", "unknown_preset", "must be google or microsoft");
	else if (p && issuer)
		problem_add(c, "/config/issuer", "not_needed", "is known from the preset");
	else if (!p && !issuer)
		problem_add(c, "/config/issuer", "required", "is required without a preset");
	if (tenant != (p && p->tenant))
		problem_add(c, "/config/tenant", tenant ? "not_needed" : "required",
			    tenant ? "belongs to the preset microsoft alone"
				   : "is required: the id of the directory, 36 letters");
	else if (tenant && !is_uuid(federation_config_text(config, "tenant")))
		problem_add(c, "/config/tenant", "invalid_tenant",
			    "must be the id of one directory in small letters, not its name");
}

static void check_issuer(struct call *c, const json_t *config)
{
	const char *s = federation_config_text(config, "issuer");

	for (; *s; s++)
		if (*s <= ' ' || *s > '~' || strchr("?#\\@\"<>", *s)) {
			problem_add(c, "/config/issuer", "invalid_issuer",
				    "must be a URL without a user, a query or a fragment");
			return;
		}
}

static void check_token_auth(struct call *c, const json_t *config)
{
	const char *s = federation_config_text(config, "token_auth");

	if (*s && strcmp(s, "client_secret_basic") && strcmp(s, "client_secret_post"))
		problem_add(c, "/config/token_auth", "unknown_token_auth",
			    "must be client_secret_basic or client_secret_post");
}

static void check(struct call *c, json_t *config)
{
	const char *prompt, *scopes;

	federation_config_check(c, config, members, ARRAY_LEN(members));
	if (problem_count(c))
		return;
	check_party(c, config);
	check_issuer(c, config);
	check_token_auth(c, config);
	if (!json_object_get(config, "scopes"))
		(void)json_object_set_new(config, "scopes", json_string("openid email profile"));
	if (!json_object_get(config, "prompt"))
		(void)json_object_set_new(config, "prompt", json_string("select_account"));
	scopes = federation_config_text(config, "scopes");
	prompt = federation_config_text(config, "prompt");
	if (!has_word(scopes, "openid"))
		problem_add(c, "/config/scopes", "openid_needed", "must have openid among them");
	if (*prompt && strcmp(prompt, "select_account") && strcmp(prompt, "login") &&
	    strcmp(prompt, "consent"))
		problem_add(c, "/config/prompt", "unknown_prompt",
			    "must be select_account, login, consent or empty");
}

static bool same_party(const json_t *before, const json_t *after)
{
	char a[OIDC_ISSUER_MAX + 1], b[OIDC_ISSUER_MAX + 1];

	return strcmp(oidc_issuer(before, a), oidc_issuer(after, b)) == 0;
}

static void show(const struct call *c, uint64_t provider, json_t *shown)
{
	char uri[OIDC_URI_MAX];

	(void)json_object_set_new(
	    shown, "redirect_uri",
	    json_string(oidc_redirect_uri(c->app, c->actor.org, provider, uri)));
}

const struct federation_kind oidc_kind = {
	.name = "oidc",
	.code = FEDERATION_OIDC,
	.secret_needed = false,
	.check = check,
	.same_party = same_party,
	.show = show,
};
