/* control/engine/subject.c - job ids there and back; what bounces say. */
#include "control/engine/subject.h"

#include <sodium.h>

#include "base/random.h"

static const uint64_t MESSAGE_BIT = 1ULL << 63, DRAWN_BIT = 1ULL << 62, SUBMITTED_BIT = 1ULL << 63;
enum { ROW_ANY = 0xffff }; /* all recipients of the job */

uint64_t subject_draw_number(void)
{
	return DRAWN_BIT | random_u64() >> 2;
}

struct id128 subject_job_of_piece(uint64_t number, uint64_t first_seq)
{
	return (struct id128){ number, first_seq };
}

struct id128 subject_job_of_message(uint64_t message)
{
	return (struct id128){ MESSAGE_BIT | message, 1 };
}

/* The engine keeps ids with nothing in their first half for itself. */
struct id128 subject_content(struct slice meta, struct slice bytes)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	uint64_t meta_n = meta.n;
	crypto_hash_sha256_state state;
	struct id128 id;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)&meta_n, sizeof(meta_n));
	crypto_hash_sha256_update(&state, (const uint8_t *)meta.p, meta.n);
	crypto_hash_sha256_update(&state, (const uint8_t *)bytes.p, bytes.n);
	crypto_hash_sha256_final(&state, hash);
	memcpy(&id, hash, sizeof(id));
	id.hi |= 1;
	return id;
}

bool subject_of_event(const struct link_event *e, uint64_t *ret_number, uint64_t *ret_seq)
{
	if (e->tenant == 0 || e->tenant > INT32_MAX)
		return false;
	if (subject_is_submitted(e)) {
		*ret_number = 0;
		*ret_seq = e->job.lo | SUBMITTED_BIT;
		return true;
	}
	if (e->job.hi & MESSAGE_BIT) {
		*ret_number = 0;
		*ret_seq = e->job.hi & ~MESSAGE_BIT;
		return true;
	}
	if (e->campaign != e->job.hi || e->job.lo > INT64_MAX - UINT32_MAX)
		return false;
	*ret_number = e->campaign;
	*ret_seq = e->kind == LINK_ACCEPTED ? e->job.lo : e->job.lo + e->row;
	return true;
}

bool subject_is_submitted(const struct link_event *e)
{
	return e->job.hi == 0;
}

bool subject_is_late(const struct link_event *e)
{
	return e->kind >= LINK_RETURNED && e->kind <= LINK_RETURNED_OTHER;
}

/* The event's own campaign is empty once the job has left the log: the job tells. */
bool subject_of_late(const struct link_event *e, uint64_t *ret_number, uint64_t *ret_seq,
		     bool *ret_any)
{
	struct link_event outcome = *e;

	outcome.kind = LINK_DELIVERED;
	if (!e->campaign && !(e->job.hi & MESSAGE_BIT))
		outcome.campaign = e->job.hi;
	*ret_any = e->row == ROW_ANY;
	if (*ret_any)
		outcome.row = 0;
	return subject_of_event(&outcome, ret_number, ret_seq);
}

bool subject_has_outcome(const struct link_event *e)
{
	return e->kind >= LINK_DELIVERED && e->kind <= LINK_DEFERRED;
}

static bool quotes(const struct link_event *e, struct slice why)
{
	return e->kind == LINK_CANCELLED && e->text.n >= why.n &&
	       slice_eq(slice_skip(e->text, e->text.n - why.n), why);
}

bool subject_was_deleted(const struct link_event *e)
{
	return quotes(e, SLICE(SUBJECT_CONTACT_DELETED));
}

bool subject_was_changed(const struct link_event *e)
{
	return quotes(e, SLICE(SUBJECT_CONTACT_CHANGED));
}

bool subject_has_no_mailbox(const struct link_event *e)
{
	if ((e->kind != LINK_BOUNCED && e->kind != LINK_RETURNED) ||
	    (e->flags & LINK_EVENT_SIMULATED))
		return false;
	return (e->flags & LINK_EVENT_HARD) ||
	       (slice_eq(e->dsn, SLICE("5.2.1")) && slice_eq(e->class, SLICE("inactive-mailbox")));
}
