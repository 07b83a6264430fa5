/* mta/submit/auth.h - names and passwords of submission (mta/credentials): who a session is, and
 * whether it still is; for the files of this folder alone.
 *
 * Guarantee: whether a name is somebody's cannot be told from the answer or its time.
 * Guarantee: a credential that was taken away sends nothing more, in sessions that are open too:
 *            not even the message that is coming in.
 * Threads: the lane's. */
#pragma once
#include "mta/submit/lane.h"

bool submit_auth_offered(void *state, const struct smtpd_session *s);
void submit_auth_judge(void *state, struct smtpd_session *s, struct slice name,
		       struct slice password);
void submit_auth_end(void *state, struct smtpd_session *s);
/* May this session send a message now?  count: it has sent one. */
struct slice submit_auth_may_send(struct submit_lane *on, struct smtpd_session *s, bool count);
