/* control/saml/verify.h - a SAML response judged (SAML 2.0 core, bindings 3.5, profiles 4.1), and
 * what an identity provider says of itself (metadata).  Only for the verifying process (reader.h).
 *
 * Guarantee: every text of a sign-in is read from bytes that a signature covers which a given
 *            certificate made (signed.h), never from the document as it came.
 * Owns:      texts of the answer lie in `room`; saml_verify_free() empties it.
 * Limits:    the dates of the signing certificate are not looked at: the organisation trusts the
 *            certificates that it gave until it takes them back.  Metadata's own signature is not
 *            looked at either: a member pastes it. */
#pragma once
#include "control/saml/question.h"

enum { SAML_SKEW_S = 120 };

struct saml_room {
	struct buf document, response, assertion;
	char subject[SAML_TEXT_MAX + 1], format[SAML_TEXT_MAX + 1], email[SAML_TEXT_MAX + 1],
	    name[SAML_TEXT_MAX + 1], session[SAML_TEXT_MAX + 1], id[SAML_TEXT_MAX + 1],
	    entity[SAML_URL_MAX + 1], sso[SAML_URL_MAX + 1];
	struct buf certificates[SAML_CERTIFICATES_MAX];
};
void saml_verify(const struct saml_question *q, struct saml_room *room, struct saml_answer *ret);
void saml_verify_free(struct saml_room *room);
