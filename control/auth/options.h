/* control/auth/options.h - options of accounts and logins: control.conf(5). */
#pragma once
#include "control/app/app.h"

struct auth_options {
	char *admin_token_file, *api_url;
	bool signup;
	char *signup_verification;
	int64_t session_life, session_idle, proof_life, password_memory;
	int64_t account_burst, account_per_hour, invites_per_hour, signup_per_hour, alarm_failures;
};
extern const struct option_set auth_option_set;

static inline const struct auth_options *auth_options(const struct app *app)
{
	return settings_of(app->settings, &auth_option_set);
}
