/* control/saml/ask.h - asks the verifying process (reader.h), which lives for one question.
 *
 * Guarantee: whatever becomes of the process, the caller has an answer in time; one that
 *            dies, lies or hangs has answered SAML_BROKEN.
 * Owns:      texts of the answer lie in `room`, which the caller frees with buf_free().
 * Blocks:    for `ms` at most, and until the process has been started and has died.
 * Limits:    no more than SAML_ASK_MOST at once.
 * Fails:     E_FULL: none could be started, or too many are running; E_LIMIT: the question is too
 *            large. */
#pragma once
#include "control/saml/question.h"

enum { SAML_ASK_MS = 6000, SAML_ASK_MOST = 4 };
int saml_ask(const struct saml_question *q, int64_t ms, struct buf *room,
	     struct saml_answer *ret) MUST_CHECK;
