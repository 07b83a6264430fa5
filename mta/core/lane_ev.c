/* mta/core/lane_ev.c - the loop under a lane: libev. */
#include "mta/core/lane_int.h"

static void on_wake(struct ev_loop *ev, ev_async *w, int revents)
{
	(void)ev, (void)revents;
	lane_look_in(container_of(w, struct lane, wake));
}

void lane_loop_open(struct lane *l)
{
	loop_init(&l->loop);
	ev_async_init(&l->wake, on_wake);
	ev_async_start(l->loop.ev, &l->wake);
}

void lane_loop_wake(struct lane *l)
{
	ev_async_send(l->loop.ev, &l->wake);
}

void lane_loop_run(struct lane *l)
{
	loop_run(&l->loop);
}

void lane_loop_stop(struct lane *l)
{
	loop_stop(&l->loop);
}

void lane_loop_close(struct lane *l)
{
	ev_async_stop(l->loop.ev, &l->wake);
	loop_end(&l->loop);
}
