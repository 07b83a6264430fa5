/* mta/door/turn.c - what is listed for the end of a turn. */
#include "mta/door/conn.h"

void loop_run_turn_end(struct loop *l)
{
	struct list now;
	struct turn_end *t;

	/* Only what is listed at the start: an entry that lists itself again waits for the next
	 * call, so that one busy object cannot hold the loop. */
	if (list_empty(&l->turn_end))
		return;
	list_push(&l->turn_end, &now);
	list_remove(&l->turn_end);
	while ((t = list_first(&now, struct turn_end, link))) {
		list_remove(&t->link);
		t->run(t);
	}
}
