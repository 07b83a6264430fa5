/* BDAT (RFC 3030), without BINARYMIME: a message in chunks that are counted, not ended by a dot.
 *
 *	bdat = "BDAT" SP 1*20DIGIT [ SP "LAST" ]
 *
 * A chunk that is refused is still read, because its bytes would be commands otherwise; one whose
 * length cannot be read, or is beyond any message, ends the session. */
#include "mta/smtpd/session.h"

enum { PAST = 2 }; /* chunks may be so many times the largest message, to be read past */

static int parse(struct slice arg, uint64_t *ret_n, bool *ret_last)
{
	struct slice count = slice_take(&arg, ' '), last = slice_trim(arg);

	if (count.n > 20 || slice_u64(count, UINT64_MAX, ret_n) < 0)
		return E_SYNTAX;
	*ret_last = slice_eq_nocase(last, SLICE("LAST"));
	return last.n && !*ret_last ? E_SYNTAX : 0;
}

static struct slice why_not(const struct smtpd_session *s)
{
	if (!smtpd_session_service(s)->chunking || !s->esmtp)
		return SLICE("502 5.5.1 CHUNKING is not offered\r\n");
	if (s->life == SMTPD_STRANGER)
		return SLICE("503 5.5.1 send EHLO first\r\n");
	if (s->life == SMTPD_IDLE)
		return SLICE("503 5.5.1 send MAIL first\r\n");
	return s->mail.n_rcpts ? SMTPD_GO_ON : SLICE("554 5.5.1 no valid recipients\r\n");
}

/* A chunk that was no part of a message leaves everything as it was. */
static void end_refused(struct smtpd_session *s)
{
	struct slice refusal = s->chunk.refusal;

	smtpd_session_become(s, s->chunk.back);
	smtpd_session_refuse(s, refusal);
}

static void end_chunk(struct smtpd_session *s)
{
	struct slice refusal;

	if (s->chunk.refusal.n) {
		end_refused(s);
		return;
	}
	if (s->chunk.last) {
		smtpd_body_end_raw(&s->body, &s->mail.message);
		smtpd_session_end_body(s);
		return;
	}
	refusal = smtpd_session_no_room(s);
	if (!refusal.n) {
		smtpd_session_become(s, SMTPD_CHUNKS);
		smtpd_session_say(s, SLICE("250 2.0.0 chunk received\r\n"));
		return;
	}
	count_add(&smtpd_session_counters(s)->refused, 1);
	smtpd_session_become(s, SMTPD_IDLE);
	smtpd_session_refuse(s, refusal);
}

static void begin_chunk(struct smtpd_session *s, uint64_t n, bool last)
{
	struct smtpd_chunk *c = &s->chunk;

	*c =
	    (struct smtpd_chunk){ .left = n, .last = last, .refusal = why_not(s), .back = s->life };
	if (s->life != SMTPD_CHUNKS)
		s->body_ms = timers_now(s->on->loop->timers);
	if (c->refusal.n || s->life == SMTPD_CHUNKS)
		smtpd_session_become(s, SMTPD_CHUNK);
	else
		smtpd_session_begin_message(s, SMTPD_CHUNK);
	if (!c->left)
		end_chunk(s);
}

void smtpd_session_bdat(struct smtpd_session *s, struct slice arg)
{
	uint64_t n, most = (uint64_t)smtpd_session_settings(s)->max_size * PAST;
	bool last;

	if (parse(arg, &n, &last) < 0)
		smtpd_session_bye(
		    s, SLICE("501 5.5.4 expected BDAT size [LAST]; closing the connection\r\n"));
	else if (n > most)
		smtpd_session_bye(s,
				  SLICE("552 5.3.4 message too big, closing the connection\r\n"));
	else
		begin_chunk(s, n, last);
}

bool smtpd_session_hear_chunk(struct smtpd_session *s)
{
	struct slice in = conn_input(s->conn);
	size_t n = (size_t)MIN_OF((uint64_t)in.n, s->chunk.left);

	if (!in.n)
		return false;
	if (!s->chunk.refusal.n)
		smtpd_body_feed_raw(&s->body, slice_of(in.p, n), &s->mail.message);
	conn_consume(s->conn, n);
	s->chunk.left -= n;
	smtpd_session_charge(s);
	if (!s->chunk.left)
		end_chunk(s);
	return s->life != SMTPD_GONE;
}
