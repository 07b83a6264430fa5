/* control/auth/throttle.c - the rules, and the keys of their buckets. */
#include "control/auth/throttle.h"

#include <stdio.h>

#include "control/auth/options.h"
#include "control/auth/places.h"
#include "control/http/problem.h"
#include "control/http/reply.h"

enum { KEY_MAX = 128 };

static struct http_brake_rule rule_of(const struct call *c, const char *name)
{
	const struct auth_options *o = auth_options(c->app);

	return (struct http_brake_rule){ name, o->account_burst, o->account_per_hour };
}

static struct slice known_key(const struct call *c, uint32_t org, uint64_t user, char *buf)
{
	char net[PLACE_TEXT_MAX];
	int n = snprintf(buf, KEY_MAX, "%u %llu %s", (unsigned)org, (unsigned long long)user,
			 places_text(c, net));
	return slice_of(buf, (size_t)n);
}

bool throttle_guess(struct call *c, struct slice email)
{
	const struct http_brake_rule rule = rule_of(c, "account");
	struct http_brake_left left;

	return http_brake_take(&rule, email, 1, &left);
}

bool throttle_guess_known(struct call *c, uint32_t org, uint64_t user)
{
	const struct http_brake_rule rule = rule_of(c, "account here");
	struct http_brake_left left;
	char key[KEY_MAX];

	return http_brake_take(&rule, known_key(c, org, user, key), 1, &left);
}

void throttle_right(struct call *c, struct slice email)
{
	const struct http_brake_rule rule = rule_of(c, "account");

	http_brake_give(&rule, email, 1);
}

void throttle_right_known(struct call *c, uint32_t org, uint64_t user)
{
	const struct http_brake_rule rule = rule_of(c, "account here");
	char key[KEY_MAX];

	http_brake_give(&rule, known_key(c, org, user, key), 1);
}

void throttle_lift(struct call *c, struct slice email)
{
	const struct http_brake_rule rule = rule_of(c, "account");

	http_brake_give(&rule, email, rule.burst);
}

int throttle_refuse(struct call *c)
{
	const struct http_brake_rule rule = rule_of(c, "account");

	http_reply_header(c, "Retry-After", "%lld", (long long)(3600 / rule.per_hour + 1));
	return problem(c, 429, "too_many_guesses",
		       "too many wrong passwords for this account: log in where you have logged in "
		       "before, ask an admin for a reset, or try again later");
}

/* The key of an account, at this place when it is known there. */
static struct slice factor_key(const struct call *c, uint32_t org, uint64_t user, bool known,
			       char *buf)
{
	int n;

	if (known)
		return known_key(c, org, user, buf);
	n = snprintf(buf, KEY_MAX, "%u %llu", (unsigned)org, (unsigned long long)user);
	return slice_of(buf, (size_t)n);
}

int throttle_factor(struct call *c, uint32_t org, uint64_t user, bool known)
{
	const struct http_brake_rule rule = rule_of(c, "factor");
	struct http_brake_left left;
	char key[KEY_MAX];

	if (http_brake_take(&rule, factor_key(c, org, user, known, key), 1, &left))
		return 0;
	http_reply_header(c, "Retry-After", "%u", left.wait_s);
	return problem(c, 429, "too_many_guesses",
		       "too many wrong codes for this account: use a recovery code, ask an admin "
		       "to reset your second factor, or try again later");
}

void throttle_factor_right(struct call *c, uint32_t org, uint64_t user, bool known)
{
	const struct http_brake_rule rule = rule_of(c, "factor");
	char key[KEY_MAX];

	http_brake_give(&rule, factor_key(c, org, user, known, key), 1);
}

int throttle_code(struct call *c, uint32_t org, uint64_t user)
{
	const struct http_brake_rule rule = rule_of(c, "codes");
	char key[KEY_MAX];

	return call_limit(c, &rule, factor_key(c, org, user, false, key), 1, "codes by mail");
}

int throttle_session(struct call *c)
{
	const struct http_brake_rule rule = rule_of(c, "password");
	char key[KEY_MAX];
	int n = snprintf(key, sizeof(key), "%u %llu", (unsigned)c->actor.org,
			 (unsigned long long)c->actor.id);
	return call_limit(c, &rule, slice_of(key, (size_t)n), 1, "tries at your password");
}

int throttle_reset(struct call *c, struct slice email)
{
	const struct http_brake_rule rule = rule_of(c, "resets");

	return call_limit(c, &rule, email, 1, "resets of this account");
}

int throttle_signup(struct call *c)
{
	int64_t per_hour = auth_options(c->app)->signup_per_hour;
	const struct http_brake_rule rule = { "signups", per_hour, per_hour };

	return call_limit(c, &rule, http_brake_address(&c->ip), 1, "sign-ups from your address");
}

int throttle_invite(struct call *c)
{
	int64_t per_hour = auth_options(c->app)->invites_per_hour;
	const struct http_brake_rule rule = { "invitations", per_hour, per_hour };
	char key[KEY_MAX];
	int n = snprintf(key, sizeof(key), "%u", (unsigned)c->actor.org);

	return call_limit(c, &rule, slice_of(key, (size_t)n), 1,
			  "invitations and resets in your organisation");
}
