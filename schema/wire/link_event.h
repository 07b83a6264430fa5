/* schema/wire/link_event.h - the array of events inside a frame EVENTS; private to schema/wire.
 * `at` is the member events.n of a struct link_frame: the frame is found from there. */
#pragma once
#include "schema/wire/cursor.h"
#include "schema/wire/pack.h"

void link_events_put(struct packer *p, const void *at);
int link_events_get(struct cursor *c, void *at) MUST_CHECK;
