/* control/auth/warn.c - mails that warn. */
#include "control/auth/warn.h"

#include "base/clock.h"
#include "control/auth/device.h"
#include "control/auth/places.h"
#include "control/auth/profile.h"
#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/mail/mail.h"

/* Where the call comes from, in the words of the mail. */
static json_t *circumstances(const struct call *c, json_t *detail)
{
	char ip[IP_TEXT_MAX], time[RFC3339_MAX], device[DEVICE_TEXT_MAX];
	struct slice agent = call_header(c, "User-Agent");
	json_t *all = detail ? detail : json_object();

	(void)json_object_set_new(all, "device", json_string(device_text(agent, device)));
	(void)json_object_set_new(all, "place",
				  json_string(c->ip.family ? ip_format(&c->ip, ip) : "?"));
	(void)json_object_set_new(all, "time", json_string(clock_rfc3339(clock_wall_ms(), time)));
	return all;
}

enum { TO_EMAIL, TO_LANGUAGE };

int warn_person(struct call *c, uint32_t org, uint64_t user, enum mail_kind kind,
		struct slice address, json_t *detail)
{
	OWNED(db_result) res = NULL;
	int r;

	if (!mail_on(c->app)) {
		json_decref(detail);
		return 0;
	}
	r = db_run(c->db, &res, sql_auth_token_mail, p_int(org), p_int(user), p_null());
	if (r <= 0) {
		json_decref(detail);
		return r < 0 ? r : E_UNKNOWN;
	}
	const struct mail_to to = { .org = org,
				    .address = address.n ? address : db_text(res, 0, TO_EMAIL),
				    .language = db_text(res, 0, TO_LANGUAGE) };
	return mail_write(c->app, c->db, kind, &to, circumstances(c, detail));
}

int warn_new_device(struct call *c, uint32_t org, uint64_t user)
{
	char net[PLACE_TEXT_MAX];
	OWNED(db_result) res = NULL;
	int r;

	if (!mail_on(c->app) || !places_text(c, net)[0])
		return 0;
	r = db_run(c->db, &res, sql_auth_place_strange, p_int(org), p_int(user), p_str(net),
		   p_int(PROFILE_MAIL_BIT(MAIL_NEW_DEVICE)));
	if (r < 0 || !db_bool(res, 0, 0))
		return r < 0 ? r : 0;
	return warn_person(c, org, user, MAIL_NEW_DEVICE, SLICE(""), NULL);
}
