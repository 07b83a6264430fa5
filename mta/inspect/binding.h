/* mta/inspect/binding.h - what recipients that are looked at one after the other wait for; for the
 * files of this folder alone.
 * Owns:    binding_new() gives the caller what was seen.
 * Threads: the lane's; binding_free() any.
 * Limits:  BINDING_PLACES sites and pools are counted, the rest only noticed. */
#pragma once
#include "mta/inspect/tell.h"
#include "mta/inspect/walk.h"

enum { BINDING_PLACES = 64 };

struct binding;
struct binding *binding_new(void);
struct binding *binding_free(struct binding *w);
/* One more, which the walk came by. */
void binding_note(struct binding *w, struct walk *walk, rcpt_ref ref);
/* The orders and how many wait for what; and what binds where they wait. */
void binding_tell_who(struct binding *w, struct teller *t);
void binding_tell_where(struct binding *w, struct teller *t);
