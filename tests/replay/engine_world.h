/* tests/replay/engine_world.h - a whole engine in a world of scripts: simulated time, chance, disk,
 * DNS and mail hosts.  One lane; days pass in milliseconds.  Restarting keeps the disk and the
 * time. */
#pragma once
#include "mta/engine_run.h"
#include "tests/sim/clock_sim.h"
#include "tests/sim/conn_sim.h"
#include "tests/sim/disk_sim.h"
#include "tests/sim/random_sim.h"
#include "tests/sim/resolver_sim.h"

struct world {
	struct disk_sim *disk;
	struct engine *engine;
	const char *config;
	uint64_t next_id;
	const char *pool; /* of what is submitted from now on; NULL: the default */
	struct slice sign_domain; /* of the messages submitted from now on */
	uint64_t tenant;          /* likewise; 1 at first */
};
void world_start(struct world *w, const char *config); /* everything new */
void world_restart(struct world *w); /* engine and spool anew over the same disk */
void world_end(struct world *w);
void world_run(struct world *w, int64_t ms); /* lets that much time pass */
/* A raw message of `origin` to the recipients, queued and durable. */
struct id128 world_submit(struct world *w, const char *const *rcpts, unsigned n, int64_t life_ms,
			  const char *origin, uint64_t campaign);
/* The same, of a class; the message's Subject is the campaign's number. */
struct id128 world_submit_as(struct world *w, enum job_class class, const char *const *rcpts,
			     unsigned n, int64_t life_ms, const char *origin, uint64_t campaign);
void world_rule(struct world *w, const char *key, const char *value);
struct books world_books(struct world *w);
uint64_t world_counter(struct world *w, size_t offset); /* of struct metrics, lane 0 */
#define COUNTER(w, name) world_counter(w, offsetof(struct metrics, name))
