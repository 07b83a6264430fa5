/* control/engine/subject.h - what an event of the engine is about, found by the id of its job.  A
 * campaign's job has the id (number, first seq of the piece), a single message's job has
 * (top bit + message, 1).  The number is drawn by chance when a campaign begins, so that no
 * restored database uses an id again (docs/decisions/0033-identity.md). */
#pragma once
#include "schema/wire/link.h"

/* Never one that an older program has given: those were small. */
uint64_t subject_draw_number(void);
struct id128 subject_job_of_piece(uint64_t number, uint64_t first_seq);
struct id128 subject_job_of_message(uint64_t message);
/* A content is named by its bytes. */
struct id128 subject_content(struct slice meta, struct slice bytes);

/* A recipient (number, seq), a piece (number, first seq) for an acceptance, a single message (0,
 * its id), or mail that an application submitted to the engine (0, the top bit and its job's
 * number); false: the event is not ours.  Whose the number is: control/engine/numbers.h. */
bool subject_of_event(const struct link_event *e, uint64_t *ret_number, uint64_t *ret_seq);
/* An application submitted it over SMTP: there is no row of ours. */
bool subject_is_submitted(const struct link_event *e);
/* Was a recipient tried, or did it come to an end?  An acceptance is not an outcome. */
bool subject_has_outcome(const struct link_event *e);
/* What came back as mail, LINK_RETURNED to LINK_RETURNED_OTHER: of a recipient, or a report about a
 * domain. */
bool subject_is_late(const struct link_event *e);
/* As subject_of_event(), for what came back about a recipient.  *ret_any: about one of the piece,
 * whose first seq is given, or of the message; which one, the notice may say.  Of submitted mail
 * e->row says which recipient. */
bool subject_of_late(const struct link_event *e, uint64_t *ret_number, uint64_t *ret_seq,
		     bool *ret_any);
/* The reasons that an order to cancel gives when a contact was deleted, or wants no mail or has
 * another address since; the event quotes it. */
#define SUBJECT_CONTACT_DELETED "contact deleted"
#define SUBJECT_CONTACT_CHANGED "contact changed"
bool subject_was_deleted(const struct link_event *e);
bool subject_was_changed(const struct link_event *e);
/* Does this bounce say, at once or later by mail, that there is no such mailbox or domain?  Then
 * the address is suppressed and its contact is bounced.  The engine's rules say so (message/judge),
 * and one more is taken: 5.2.1, when they call the mailbox inactive. */
bool subject_has_no_mailbox(const struct link_event *e);
