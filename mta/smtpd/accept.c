/* Messages that are in the spool and wait for the disk: no later reply overtakes theirs. */
#include <stdio.h>

#include "mta/smtpd/session.h"

static void say_accepted(struct smtpd_session *s, const struct smtpd_acceptance *a)
{
	char id[ID_TEXT_MAX], line[128];
	int n;

	if (a->state == ACCEPT_SAFE)
		n = snprintf(line, sizeof(line), "250 2.0.0 queued as %s\r\n",
			     id_format(a->id, id));
	else
		n = snprintf(line, sizeof(line),
			     "451 4.3.0 the disk has failed, try again later\r\n");
	(void)!conn_write(s->conn, slice_of(line, (size_t)n));
	(void)!conn_write(s->conn, buf_data(&a->after));
}

static void say_what_is_safe(struct smtpd_session *s)
{
	struct smtpd_acceptance *a;

	while ((a = list_first(&s->waiting, struct smtpd_acceptance, link)) &&
	       a->state != ACCEPT_WAITS) {
		say_accepted(s, a);
		s->n_waiting--;
		s->behind -= buf_len(&a->after);
		smtpd_acceptance_free(a);
	}
}

static void on_durable(struct durable_wait *w, int err)
{
	struct smtpd_acceptance *a = container_of(w, struct smtpd_acceptance, wait);
	struct smtpd_session *s = a->session;

	a->state = err < 0 ? ACCEPT_LOST : ACCEPT_SAFE;
	if (err == 0)
		a->on->with.service->safe(a->on->with.state, &a->taken);
	if (!s) {
		smtpd_acceptance_free(a);
		return;
	}
	say_what_is_safe(s);
	if (s->life == SMTPD_ENDING && list_empty(&s->waiting))
		smtpd_session_end(s);
	else if (s->life != SMTPD_GONE)
		smtpd_session_run(s);
}

void smtpd_session_accept(struct smtpd_session *s, const struct smtpd_taken *t)
{
	struct list *spare = list_pop(&s->on->spare);
	struct smtpd_acceptance *a =
	    spare ? container_of(spare, struct smtpd_acceptance, link) : must_alloc(sizeof(*a));

	a->on = s->on;
	a->session = s;
	a->taken = *t;
	a->id = s->mail.id;
	a->state = ACCEPT_WAITS;
	list_push(&s->waiting, &a->link);
	s->n_waiting++;
	s->fault = 0;
	durable_wait_init(&a->wait, on_durable);
	lane_wait_durable(s->on->with.lane, &a->wait, t->lsn);
}

void smtpd_acceptance_free(struct smtpd_acceptance *a)
{
	list_remove(&a->link);
	buf_clear(&a->after);
	list_push_front(&a->on->spare, &a->link);
}
