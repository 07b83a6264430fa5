/* mta/submit/room.h - is there room for the message in its tenant's queue (mta/tenants/tenancy.h)?
 * For the files of this folder alone.
 *
 * A full queue is a matter of time: the client keeps its mail and comes again.  It is told so
 * before it sends anything (MAIL), and once more when it has sent it all, because only then the
 * number of recipients is known.
 * Owns:    nothing; a reply is good until the next.
 * Threads: the lane's. */
#pragma once
#include "mta/submit/lane.h"

struct slice submit_room_ask(struct submit_lane *on, uint64_t tenant);
/* Takes the room; submit_room_give_back() when the message is not queued after all. */
struct slice submit_room_take(struct submit_lane *on, uint64_t tenant, uint32_t rcpts);
void submit_room_give_back(struct submit_lane *on, uint64_t tenant, uint32_t rcpts);
