/* control/auth/options.c - the option rows of accounts and logins. */
#include "control/auth/options.h"

#define AT(member) offsetof(struct auth_options, member)
#define SEC(n) ((int64_t)(n)*1000)
#define MIN(n) SEC((n)*60)
#define DAY(n) SEC((n)*86400LL)
#define MIB(n) ((int64_t)(n) << 20)

/* clang-format off */
static const struct option rows[] = {
	{"http.admin.token_file", T_STR, AT(admin_token_file), 0, 0, "", false,
	 "File with the bearer token of the platform's API; empty: that API refuses every request"},
	{"api.url", T_STR, AT(api_url), 0, 0, "", false,
	 "URL that the API has for its clients, https://host without a path; empty: no OAuth metadata, no SAML"},
	{"signup.allowed", T_BOOL, AT(signup), 0, 0, "no", false,
	 "Anybody may create an organisation at /v1/auth/signup; if not, only the platform's API"},
	{"signup.verification", T_STR, AT(signup_verification), 0, 16, "none", false,
	 "none: a new organisation works at once; mail: after a code sent to its address; operator: when resumed"},
	{"signup.per_hour", T_INT, AT(signup_per_hour), 1, 1000000, "20", false,
	 "Organisations that one client address may create in an hour, and at once"},
	{"auth.account_burst", T_INT, AT(account_burst), 1, 1000000, "10", false,
	 "Wrong passwords for one account that are looked at, from all unknown addresses together"},
	{"auth.account_per_hour", T_INT, AT(account_per_hour), 1, 1000000, "12", false,
	 "The same per hour in the long run"},
	{"auth.alarm_failures", T_INT, AT(alarm_failures), 1, 1000000000, "30", false,
	 "Failed logins of an organisation within an hour that are told to its admins"},
	{"auth.invites_per_hour", T_INT, AT(invites_per_hour), 1, 1000000, "100", false,
	 "Invitations and resets that one organisation may make in an hour, and at once"},
	{"auth.session_life", T_DURATION, AT(session_life), MIN(1), DAY(90), "14d", false,
	 "How long a session lasts after the login"},
	{"auth.session_idle", T_DURATION, AT(session_idle), MIN(1), DAY(90), "2d", false,
	 "How long a session lasts without being used"},
	{"auth.proof_life", T_DURATION, AT(proof_life), MIN(1), DAY(1), "10m", false,
	 "How long after a login, or a proof at /v1/me/proof, a person may change their second factor"},
	{"auth.password_memory", T_SIZE, AT(password_memory), MIB(8), MIB(1024), "64M", false,
	 "Memory used to hash one password (argon2id)"},
};
/* clang-format on */

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	const struct auth_options *o = options;
	struct slice url = slice_str(o->api_url);

	if (url.n &&
	    ((!slice_strip(&url, SLICE("https://")) && !slice_strip(&url, SLICE("http://"))) ||
	     !url.n || memchr(url.p, '/', url.n)))
		return option_bad(f, "api.url", slice_str(o->api_url),
				  "https://host without a path");
	if (strcmp(o->signup_verification, "none") && strcmp(o->signup_verification, "mail") &&
	    strcmp(o->signup_verification, "operator"))
		return option_bad(f, "signup.verification", slice_str(o->signup_verification),
				  "none, mail or operator");
	return 0;
}

const struct option_set auth_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct auth_options),
	.derive = derive,
};
