/* control/engine/subject.c - job ids there and back; what bounces say. */
#include "control/engine/subject.h"

#include "message/refusal.h"

static const uint64_t MESSAGE_BIT = 1ULL << 63;

struct id128 subject_job_of_piece(uint64_t campaign, uint64_t first_seq)
{
	return (struct id128){ campaign, first_seq };
}

struct id128 subject_job_of_message(uint64_t message)
{
	return (struct id128){ MESSAGE_BIT | message, 1 };
}

struct id128 subject_content_of_campaign(uint64_t campaign, uint64_t version)
{
	return (struct id128){ campaign, version };
}

bool subject_of_event(const struct link_event *e, uint64_t *ret_campaign, uint64_t *ret_seq)
{
	if (e->tenant == 0 || e->tenant > INT32_MAX || e->job.hi == 0)
		return false;
	if (e->job.hi & MESSAGE_BIT) {
		*ret_campaign = 0;
		*ret_seq = e->job.hi & ~MESSAGE_BIT;
		return true;
	}
	if (e->campaign != e->job.hi || e->job.lo > INT64_MAX - UINT32_MAX)
		return false;
	*ret_campaign = e->campaign;
	*ret_seq = e->kind == LINK_ACCEPTED ? e->job.lo : e->job.lo + e->row;
	return true;
}

bool subject_has_outcome(const struct link_event *e)
{
	return e->kind >= LINK_DELIVERED && e->kind <= LINK_DEFERRED;
}

bool subject_has_no_mailbox(const struct link_event *e)
{
	return e->kind == LINK_BOUNCED && refusal_says_gone(e->code, e->dsn, e->text);
}
