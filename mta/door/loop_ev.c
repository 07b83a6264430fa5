/* mta/door/loop_ev.c - the loop of a thread: libev, timers, what ends a turn. */
#include <signal.h>

#include "base/clock.h"
#include "mta/door/conn_int.h"

/* Guarantee: no callback of a turn sees a time older than the poll it follows. */
static void after_poll(struct ev_loop *ev, struct ev_check *w, int revents)
{
	struct loop *l = w->data;

	(void)ev;
	(void)revents;
	(void)timers_run(l->timers, clock_mono_ms());
}

static void before_poll(struct ev_loop *ev, struct ev_prepare *w, int revents)
{
	struct loop *l = w->data;
	struct loop_state *s = l->state;
	int64_t wait_ms;

	(void)revents;
	/* What ends a turn may list more (a freed conn, a session's next command): some passes, so
	 * that these cost no poll of their own. */
	for (int i = 0; i < 4 && !list_empty(&l->turn_end); i++)
		loop_run_turn_end(l);
	wait_ms = list_empty(&l->turn_end) ? timers_next(l->timers) : 0;
	ev_timer_stop(ev, &s->wake);
	if (wait_ms < 0)
		return;
	ev_timer_set(&s->wake, (double)wait_ms / 1000.0, 0.);
	ev_timer_start(ev, &s->wake);
}

static void woken(struct ev_loop *ev, struct ev_timer *w, int revents)
{
	(void)ev; /* after_poll has fired what is due */
	(void)w;
	(void)revents;
}

void loop_init(struct loop *l)
{
	struct loop_state *s = must_alloc(sizeof(*s));

	/* OpenSSL writes with write(2), which knows no MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	*l = (struct loop){ .ev = ev_loop_new(EVFLAG_AUTO), .state = s };
	if (!l->ev)
		abort();
	l->timers = timers_new(clock_mono_ms());
	list_init(&l->turn_end);
	ev_prepare_init(&s->prepare, before_poll);
	ev_check_init(&s->check, after_poll);
	ev_timer_init(&s->wake, woken, 0., 0.);
	ev_set_priority(&s->check, EV_MAXPRI);
	ev_set_priority(&s->prepare, EV_MINPRI);
	s->prepare.data = s->check.data = l;
	ev_prepare_start(l->ev, &s->prepare);
	ev_check_start(l->ev, &s->check);
}

void loop_run(struct loop *l)
{
	ev_run(l->ev, 0);
}

void loop_stop(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

void loop_end(struct loop *l)
{
	struct block *b;

	while (!list_empty(&l->turn_end)) /* conns at rest */
		loop_run_turn_end(l);
	while ((b = l->state->spare)) {
		l->state->spare = b->next;
		free(b);
	}
	ev_loop_destroy(l->ev);
	(void)timers_free(l->timers);
	free(l->state);
	*l = (struct loop){ 0 };
}

struct block *block_take(struct loop *l)
{
	struct block *b = l->state->spare;

	if (b) {
		l->state->spare = b->next;
		l->state->n_spare--;
	} else {
		b = malloc(sizeof(*b));
		if (!b)
			return NULL;
	}
	b->next = NULL;
	b->start = b->end = 0;
	return b;
}

void block_give(struct loop *l, struct block *b)
{
	if (l->state->n_spare == BLOCKS_SPARE) {
		free(b);
		return;
	}
	b->next = l->state->spare;
	l->state->spare = b;
	l->state->n_spare++;
}
