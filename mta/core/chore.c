/* mta/core/chore.c - the chores of a lane take turns. */
#include "mta/core/chore.h"

#include "mta/core/lane_int.h"

static void on_timer(struct timer *t)
{
	struct chores *all = container_of(t, struct chores, timer);
	struct lane *l = container_of(all, struct lane, chores);
	struct chore *c;
	struct list *at;

	if (list_empty(&all->now)) {
		list_push(&all->next, &all->now); /* takes the place of its head */
		list_remove(&all->next);
	}
	at = list_pop(&all->now);
	c = at ? container_of(at, struct chore, link) : NULL;
	if (c && c->step(c))
		chore_begin(l, c);
	if (!list_empty(&all->now))
		timer_set(l->loop.timers, t, 0);
	else if (!list_empty(&all->next))
		timer_set(l->loop.timers, t, CHORE_PAUSE_MS);
}

void chore_begin(struct lane *l, struct chore *c)
{
	struct chores *all = &l->chores;

	if (chore_waits(c))
		return;
	list_push(&all->next, &c->link);
	if (!timer_running(&all->timer))
		timer_set(l->loop.timers, &all->timer, 0);
}

void lane_chores_open(struct lane *l)
{
	list_init(&l->chores.now);
	list_init(&l->chores.next);
	timer_init(&l->chores.timer, on_timer);
}

void lane_chores_close(struct lane *l)
{
	timer_stop(l->loop.timers, &l->chores.timer);
}
