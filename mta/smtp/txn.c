/* The messages in hand: what may go on the wire, who still waits for a verdict, giving back. */
#include "mta/smtp/session_int.h"

enum { ADDRESS_MAX = 512 };

/* The last check before an address becomes part of a command. */
static bool address_ok(struct slice a, bool utf8)
{
	if (a.n > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned char c = (unsigned char)a.p[i];

		if (c < 0x20 || c == 0x7f || c == '<' || c == '>' || (c >= 0x80 && !utf8))
			return false;
	}
	return true;
}

bool txn_name_ok(const char *name)
{
	struct slice s = slice_str(name);

	return s.n && s.n <= 255 && address_ok(s, false) && !memchr(s.p, ' ', s.n);
}

int txn_check(const struct txn *t)
{
	if (!address_ok(t->mail_from, t->utf8) || !t->n_rcpts || t->n_rcpts > UINT16_MAX)
		return E_SYNTAX;
	for (unsigned i = 0; i < t->n_rcpts; i++)
		if (!t->rcpts[i].address.n || !address_ok(t->rcpts[i].address, t->utf8))
			return E_SYNTAX;
	return 0;
}

uint64_t txn_size(const struct txn *t)
{
	return (uint64_t)t->head.n + t->message.n;
}

void flight_start(struct session *s, struct txn *t)
{
	struct flight *f = &s->flights[(s->oldest + s->n_flights) % 2];

	*f = (struct flight){ .txn = t, .next = S_MAIL };
	s->n_flights++;
	t->sent_data = t->answered = t->pipelined = t->lock_step = false;
	t->chunked = t->no_chunks = false;
	t->rcpts_taken = 0;
	if (s->n_flights == 1)
		transcript_begin(&s->transcript);
	t->began_ms = timers_now(s->loop->timers);
	for (unsigned i = 0; i < t->n_rcpts; i++) {
		t->rcpts[i].verdict.kind = VERDICT_NONE;
		t->rcpts[i].again = AGAIN_NO;
	}
}

void flight_judge(struct flight *f, const struct verdict *v)
{
	for (unsigned i = 0; i < f->txn->n_rcpts; i++)
		if (f->txn->rcpts[i].verdict.kind == VERDICT_NONE)
			verdict_copy(&f->txn->rcpts[i].verdict, v);
}

bool flight_over(const struct flight *f)
{
	return f->txn && f->next == S_MAX && !f->pending;
}

static void give_back(struct session *s)
{
	struct txn *t = TAKE(s->flights[s->oldest].txn);

	s->oldest ^= 1;
	s->n_flights--;
	s->owes_ready = true;
	s->user->done(s->user, t);
}

void flight_give_back(struct session *s)
{
	while (s->life < SESSION_FREED && s->n_flights && flight_over(flight_at(s, 0))) {
		s->sent++;
		give_back(s);
	}
}

void flight_give_back_all(struct session *s)
{
	struct verdict v;

	if (s->end.kind == VERDICT_DEFERRED)
		verdict_copy(&v, &s->end);
	else /* the session ended for a reason that does not concern these */
		verdict_set(&v, VERDICT_DEFERRED, STATUS(4, 4, 2), false,
			    "the connection ended before its turn");
	while (s->life < SESSION_FREED && s->n_flights) {
		chunk_ended(s, flight_at(s, 0));
		again_ended(s, flight_at(s, 0));
		flight_judge(flight_at(s, 0), &v);
		give_back(s);
	}
}
