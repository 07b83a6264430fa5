/* mta/submit/lane.h - submission on one lane; for the files of this folder alone. */
#pragma once
#include "mta/config/host.h"
#include "mta/credentials/credentials.h"
#include "mta/senders/senders.h"
#include "mta/smtpd/sasl.h"
#include "mta/smtpd/smtpd.h"
#include "mta/submit/options.h"
#include "mta/submit/submit.h"
#include "mta/tenants/tenancy.h"
#include "schema/wire/dsn.h"

/* RFC 5322 section 2.1.1, and RFC 5321 section 4.5.3.1.6 with the CRLF.  Refused, as Exim's own
 * configuration does; breaking the line, as Postfix does, would change what was signed. */
enum { SUBMIT_LINE_MAX = 998 };

struct submit_counters {
	struct smtpd_counters smtpd;
	counter foreign, suppressed, auth, auth_failed, auth_slowed, auth_revoked, over_limit,
	    queue_full;
};
struct submit_lane {
	struct engine *engine;
	struct senders *senders;
	struct credentials *credentials;
	struct tenancy *tenancy;
	struct smtpd_server *server;
	struct lane *lane;
	const struct submit_options *options;
	const struct host_options *host;
	struct smtpd_settings settings; /* what the server needs of the options */
	struct submit_counters counters;
	char reply[512]; /* the last refusal that names something */
	struct buf own_fields, field_values, content_meta, job_meta;
};

/* What a message asks of us: its fields, and the parameters of its MAIL. */
struct submit_asked {
	struct slice stream, campaign, pool, tag, metadata, send_at, engaged;
	int64_t not_before_ms; /* wall clock; 0: at once */
};

/* What the last MAIL and the last RCPT asked for (envelope.h). */
struct submit_envelope {
	int64_t not_before_ms; /* wall clock; 0: at once */
	bool said_ret, return_headers, return_full, require_tls, said_notify;
	struct wire_dsn rcpt;
	uint8_t envid_n;
	char envid[WIRE_ENVID_MAX + 1];
	char orcpt[WIRE_ORCPT_MAX];
};

/* What a session is to submission: the own bytes of a struct smtpd_session. */
struct submit_session {
	struct submit_lane *lane;
	struct credential *cred;        /* who it is; NULL: nobody that we know */
	struct credential_check *check; /* of a password */
	struct credential *asked;       /* whose it would be; NULL: nobody's */
	char name[SASL_NAME_MAX + 1];
	struct submit_envelope envelope;
};

/* message.c: what the service does; state is the struct submit_lane. */
struct slice submit_message_rcpt(void *state, struct smtpd_session *s, const struct mailbox *to);
int submit_message_begin(void *state, struct smtpd_session *s);
struct slice submit_message_take(void *state, struct smtpd_session *s, struct smtpd_taken *ret);
