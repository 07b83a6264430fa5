/* mta/site/ending.h - how a connection came about and how it ended, and who is to blame: this
 * machine, our source, how much we send, TLS, or the host.
 * Owns:    nothing.
 * Threads: the lane's. */
#pragma once
#include "mta/site/channel.h"

/* This machine has too little of something: nobody's fault. */
bool ending_is_shortage(const struct channel *ch, int err);
/* Others of its source that are open, or on their way: whom its greeting may wait for. */
unsigned ending_before(const struct channel *ch);
void ending_look_at_delay(struct channel *ch); /* it is open: was it greeted late? */
/* It is gone, and no longer among its pool's. */
void ending_judge(struct channel *ch, const struct verdict *v);
