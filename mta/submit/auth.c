/* mta/submit/auth.c - AUTH at submission. */
#include "mta/submit/auth.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"

#define WRONG SLICE("535 5.7.8 authentication credentials are not valid\r\n")

bool submit_auth_offered(void *state, const struct smtpd_session *s)
{
	const struct submit_lane *on = state;

	(void)s;
	return credentials_any(on->credentials);
}

/* ---- judging ----------------------------------------------------------------------------- */

static void log_auth(struct smtpd_session *s, const char *event, struct slice name)
{
	char ip[IP_TEXT_MAX];

	log_info(event, kv_slice("name", name),
		 kv_str("client", ip_format(smtpd_session_peer(s), ip)));
}

/* Takes the reference. */
static void welcome(struct submit_lane *on, struct smtpd_session *s, struct credential *cred)
{
	struct submit_session *own = smtpd_session_own(s);

	own->cred = cred;
	count_add(&on->counters.auth, 1);
	credentials_right(on->credentials, smtpd_session_peer(s), cred->name);
	log_auth(s, "submission.auth", cred->name);
	smtpd_session_auth_answer(s, SLICE("235 2.7.0 authentication successful\r\n"));
}

static void refuse(struct submit_lane *on, struct smtpd_session *s, struct slice name)
{
	count_add(&on->counters.auth_failed, 1);
	credentials_wrong(on->credentials, smtpd_session_peer(s), name);
	log_auth(s, "submission.auth-failed", name);
	smtpd_session_auth_answer(s, WRONG);
}

/* Nothing is looked at: a password that is right now would tell a guesser so. */
static void slow_down(struct submit_lane *on, struct smtpd_session *s, struct slice name,
		      int64_t wait_ms)
{
	count_add(&on->counters.auth_slowed, 1);
	log_auth(s, "submission.auth-slowed", name);
	(void)snprintf(on->reply, sizeof(on->reply),
		       "454 4.7.0 too many wrong passwords, try again in %lld seconds\r\n",
		       (long long)(wait_ms / 1000 + 1));
	smtpd_session_auth_answer(s, slice_str(on->reply));
}

static void on_checked(void *arg, bool ok)
{
	struct smtpd_session *s = arg;
	struct submit_session *own = smtpd_session_own(s);
	struct credential *cred = TAKE(own->asked);

	own->check = NULL;
	if (ok && credential_holds(own->lane->credentials, &cred))
		welcome(own->lane, s, cred);
	else {
		refuse(own->lane, s, slice_str(own->name));
		credential_unref(cred);
	}
}

/* On another thread; the answer comes later. */
static void ask(struct submit_lane *on, struct smtpd_session *s, struct credential *cred,
		struct slice name, struct slice password)
{
	struct submit_session *own = smtpd_session_own(s);
	int r;

	own->lane = on;
	own->asked = cred;
	slice_copy(own->name, sizeof(own->name), name);
	r = credential_check(on->credentials, on->lane, cred, name, password, on_checked, s,
			     &own->check);
	if (r == 0)
		return;
	own->asked = credential_unref(cred);
	if (r != E_FULL) {
		refuse(on, s, name);
		return;
	}
	count_add(&on->counters.auth_slowed, 1);
	smtpd_session_auth_answer(
	    s, SLICE("454 4.7.0 too many passwords are being checked, try again later\r\n"));
}

void submit_auth_judge(void *state, struct smtpd_session *s, struct slice name,
		       struct slice password)
{
	struct submit_lane *on = state;
	struct credential *cred;
	int64_t wait = credentials_wait_ip(on->credentials, smtpd_session_peer(s));

	if (wait) {
		slow_down(on, s, name, wait);
		return;
	}
	cred = credential_find(on->credentials, name);
	if (cred && !credential_may_from(cred, smtpd_session_peer(s)))
		cred = credential_unref(cred); /* from here it is nobody's */
	if (cred && credential_proved(on->credentials, cred, password)) {
		welcome(on, s, cred);
		return;
	}
	wait = credentials_wait_name(on->credentials, name);
	if (wait) {
		credential_unref(cred);
		slow_down(on, s, name, wait);
		return;
	}
	ask(on, s, cred, name, password);
}

void submit_auth_end(void *state, struct smtpd_session *s)
{
	struct submit_session *own = smtpd_session_own(s);

	(void)state;
	credential_check_cancel(own->check);
	own->check = NULL;
	own->asked = credential_unref(own->asked);
	own->cred = credential_unref(own->cred);
}

/* ---- sending ----------------------------------------------------------------------------- */

static struct slice must_authenticate(const struct submit_lane *on, struct smtpd_session *s)
{
	if (net_list_has(&on->options->nets, smtpd_session_peer(s)))
		return SMTPD_GO_ON;
	return conn_is_tls(smtpd_session_conn(s))
		   ? SLICE("530 5.7.0 authentication is required\r\n")
		   : SLICE("530 5.7.0 send STARTTLS first, then authenticate\r\n");
}

static struct slice over_quota(struct submit_lane *on, const struct credential *c, int64_t wait_ms)
{
	int n;

	count_add(&on->counters.over_limit, 1);
	log_info("submission.over-limit", kv_slice("name", c->name));
	n = snprintf(on->reply, sizeof(on->reply),
		     "450 4.7.1 this name may send %llu messages an hour and %llu a day (0: any "
		     "number); try again in %lld minutes\r\n",
		     (unsigned long long)c->limits.hour, (unsigned long long)c->limits.day,
		     (long long)(wait_ms / 60000 + 1));
	return slice_of(on->reply, (size_t)n);
}

struct slice submit_auth_may_send(struct submit_lane *on, struct smtpd_session *s, bool count)
{
	struct submit_session *own = smtpd_session_own(s);
	int64_t wait;

	if (!own->cred)
		return must_authenticate(on, s);
	if (!credential_holds(on->credentials, &own->cred) ||
	    !credential_may_from(own->cred, smtpd_session_peer(s))) {
		count_add(&on->counters.auth_revoked, 1);
		log_auth(s, "submission.revoked", own->cred->name);
		return SLICE("421 4.7.0 this name or its password was taken away\r\n");
	}
	wait = quota_ask(own->cred->quota, &own->cred->limits, clock_wall_ms(), count);
	return wait ? over_quota(on, own->cred, wait) : SMTPD_GO_ON;
}
