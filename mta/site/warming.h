/* mta/site/warming.h - new sources at a site (mta/warmup): a source whose plan of the day is used
 * up is passed over, and the other sources of the pool send what it would have sent.
 *
 * Without any plan every pair is NULL, and a message costs a look at that.
 * Owns:    nothing.
 * Threads: the lane's. */
#pragma once
#include "mta/site/channel.h"
#include "mta/warmup/warmup.h"

void warming_begin(struct pool *p);   /* its turns are new */
void warming_look_at(struct pool *p); /* its provider may be another one */
void warming_look(struct sites *s);   /* plans may be other ones, or a new date has come */
/* Of a channel whose source has a plan: it may send one more now.  Else the pool looks again when
 * it may. */
bool warming_may_send(struct channel *ch);
/* Until the source may send again, in milliseconds, a minute at most; 0: it does not rest. */
int64_t warming_left_ms(const struct pool *p, unsigned turn);
/* In words, of the first that rests; "" when none does. */
void warming_explain(const struct pool *p, char *text, size_t cap);
