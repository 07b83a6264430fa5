/* control/engine/subject.h - what an event of the engine is about, found by the id of its job.  A
 * campaign's job has the id (campaign, first seq of the piece), a single message's job has
 * (top bit + message, 1). */
#pragma once
#include "schema/wire/link.h"

struct id128 subject_job_of_piece(uint64_t campaign, uint64_t first_seq);
struct id128 subject_job_of_message(uint64_t message);
struct id128 subject_content_of_campaign(uint64_t campaign, uint64_t version);

/* A recipient (campaign, seq), a piece (campaign, first seq) for an acceptance, or a single message
 * (0, its id); false: the event is not ours. */
bool subject_of_event(const struct link_event *e, uint64_t *ret_campaign, uint64_t *ret_seq);
/* Was a recipient tried, or did it come to an end?  An acceptance is not an outcome. */
bool subject_has_outcome(const struct link_event *e);
/* Does this bounce say that there is no such mailbox or domain (message/refusal.h)?  Then the
 * address is suppressed and its contact is bounced. */
bool subject_has_no_mailbox(const struct link_event *e);
