/* control/auth/alarm.c - counting failed logins, and telling. */
#include "control/auth/alarm.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/auth/audit.h"
#include "control/auth/options.h"
#include "control/auth/profile.h"
#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/mail/mail.h"

enum { ADMINS_TOLD = 20 };

static atomic_uint_fast64_t failures[ALARM_KINDS], alarms;
static const char *const names[ALARM_KINDS] = {
	[ALARM_PASSWORD] = "password",
	[ALARM_CODE] = "code",
	[ALARM_THROTTLED] = "throttled",
};

void alarm_count(enum alarm_kind kind)
{
	(void)atomic_fetch_add(&failures[kind], 1);
}

void alarm_metrics(struct buf *out)
{
	buf_put(out, SLICE("# TYPE postern_auth_failures_total counter\n"));
	for (unsigned i = 0; i < ALARM_KINDS; i++)
		buf_putf(out, "postern_auth_failures_total{kind=\"%s\"} %llu\n", names[i],
			 (unsigned long long)atomic_load(&failures[i]));
	buf_putf(out,
		 "# TYPE postern_auth_alarms_total counter\n"
		 "postern_auth_alarms_total %llu\n",
		 (unsigned long long)atomic_load(&alarms));
}

enum { TO_EMAIL, TO_LANGUAGE };

static int tell_admins(struct call *c, uint32_t org, int64_t n)
{
	char count[24], time[RFC3339_MAX], ip[IP_TEXT_MAX];
	OWNED(db_result) res = NULL;
	int r;

	if (!mail_on(c->app))
		return 0;
	r = db_run(c->db, &res, sql_auth_alarm_admins, p_int(org), p_int(ADMINS_TOLD),
		   p_int(PROFILE_MAIL_BIT(MAIL_GUESSING)));
	(void)snprintf(count, sizeof(count), "%lld", (long long)n);
	(void)clock_rfc3339(clock_wall_ms(), time);
	for (unsigned i = 0; r >= 0 && i < db_rows(res); i++) {
		const struct mail_to to = { .org = org,
					    .address = db_text(res, i, TO_EMAIL),
					    .language = db_text(res, i, TO_LANGUAGE) };
		r = mail_write(c->app, c->db, MAIL_GUESSING, &to,
			       json_pack("{s:s, s:s, s:s}", "count", count, "time", time, "place",
					 c->ip.family ? ip_format(&c->ip, ip) : "?"));
	}
	return r < 0 ? r : 0;
}

static int raise(struct call *c, uint32_t org, int64_t n, const char *why)
{
	char id[ID_OUT_MAX];
	int r = tell_admins(c, org, n);

	(void)atomic_fetch_add(&alarms, 1);
	log_warn("auth.alarm", kv_str("org", ids_out(ID_ORG, org, id)), kv_str("why", why),
		 kv_int("failures", n));
	return r < 0 ? r
		     : audit_put_in(c, org, "login.alarm", id,
				    json_pack("{s:s, s:I}", "why", why, "failures", (json_int_t)n));
}

enum { COUNTED, COUNTED_TELL };

/* Counts one more within the hour; raises the alarm at `most` unless it was raised lately. */
static int count_in(struct call *c, uint32_t org, int64_t most, const char *why)
{
	OWNED(db_result) res = NULL;
	int r =
	    db_run(c->db, &res, sql_auth_alarm_count, p_int(org), p_int(most), p_bool(most <= 1));

	if (r <= 0 || !db_bool(res, 0, COUNTED_TELL))
		return r < 0 ? r : 0;
	return raise(c, org, db_int(res, 0, COUNTED), why);
}

int alarm_failure(struct call *c, uint32_t org, enum alarm_kind kind)
{
	return count_in(c, org, auth_options(c->app)->alarm_failures, names[kind]);
}

struct alarm_about {
	struct call *c;
	uint32_t org;
};

static int used_up(struct db *db UNUSED, void *arg)
{
	struct alarm_about *a = arg;

	return count_in(a->c, a->org, 1, names[ALARM_THROTTLED]);
}

int alarm_throttled(struct call *c, uint32_t org)
{
	const struct http_brake_rule rule = { "alarms", 1, 1 };
	struct alarm_about a = { c, org };
	struct http_brake_left left;
	char key[24];
	int n = snprintf(key, sizeof(key), "%u", (unsigned)org);

	if (!http_brake_take(&rule, slice_of(key, (size_t)n), 1, &left))
		return 0;
	return db_tx(c->db, org, used_up, &a);
}
