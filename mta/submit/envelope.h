/* mta/submit/envelope.h - parameters of MAIL and RCPT at submission, and the keywords that offer
 * them; for the files of this folder alone.
 *
 *	DSN            RET, ENVID; NOTIFY, ORCPT                         RFC 3461
 *	FUTURERELEASE  HOLDFOR, HOLDUNTIL; up to submission.hold_max     RFC 4865
 *	REQUIRETLS     REQUIRETLS, under TLS alone                       RFC 8689
 *
 * Guarantee: what one MAIL or RCPT said holds for that one.
 * Limits:    an ENVID of WIRE_ENVID_MAX bytes, an ORCPT of WIRE_ORCPT_MAX. */
#pragma once
#include "mta/submit/lane.h"

enum { SUBMIT_KEYWORDS = 3, SUBMIT_PARAMS = 7 };
extern const struct smtpd_keyword submit_keywords[SUBMIT_KEYWORDS];
extern const struct smtpd_param submit_params[SUBMIT_PARAMS];

void submit_envelope_path(void *state, struct smtpd_session *s, enum smtpd_verb verb);
