/* tests/replay/engine_world.h - a whole engine in a world of scripts: simulated time, chance,
 * disk, DNS and mail hosts.  It has one lane; days pass in milliseconds.  A restart keeps disk
 * and time. */
#pragma once
#include "mta/core/engine_run.h"
#include "mta/inspect/why.h"
#include "schema/wire/dsn.h"
#include "tests/sim/clock_sim.h"
#include "tests/sim/conn_sim.h"
#include "tests/sim/disk_sim.h"
#include "tests/sim/fetch_sim.h"
#include "tests/sim/random_sim.h"
#include "tests/sim/resolver_sim.h"

struct world {
	struct disk_sim *disk;
	struct engine *engine;
	const char *config;
	uint64_t next_id;
	const char *pool;         /* of what is submitted from now on; NULL: the default */
	const char *stream;       /* likewise; NULL: none */
	struct slice sign_domain; /* of the messages submitted from now on */
	uint64_t tenant;          /* likewise; 1 at first */
	struct wire_dsn dsn;      /* likewise, of each recipient */
	const char *envid;        /* likewise; NULL: none */
	bool return_headers;      /* likewise: RET=HDRS */
	bool return_full;         /* likewise: RET=FULL */
	int64_t not_before_ms;    /* likewise; wall clock, 0: at once */
	bool asks_for_all;        /* likewise: with 8BITMIME and SMTPUTF8 */
	bool require_tls;         /* likewise: with REQUIRETLS */
	bool engaged;             /* likewise: its recipients read our mail */
	const char *head;         /* likewise: more lines of the header; NULL: none */
	const char *raw;          /* likewise: the message, with 8BITMIME; NULL: a short one */
};
void world_start(struct world *w, const char *config); /* everything new */
void world_restart(struct world *w); /* engine and spool anew over the same disk */
/* The same over another disk; what is not there was lost. */
void world_restart_on(struct world *w, struct disk_sim *disk);
void world_end(struct world *w);
void world_reload(struct world *w, const char *config); /* as SIGHUP does */
void world_run(struct world *w, int64_t ms);            /* lets that much time pass */
/* A raw message of `origin` to the recipients, queued and durable. */
struct id128 world_submit(struct world *w, const char *const *rcpts, unsigned n, int64_t life_ms,
			  const char *origin, uint64_t campaign);
/* The same, of a class; the message's Subject is the campaign's number. */
struct id128 world_submit_as(struct world *w, enum job_class class, const char *const *rcpts,
			     unsigned n, int64_t life_ms, const char *origin, uint64_t campaign);
void world_rule(struct world *w, const char *key, const char *value);
struct books world_books(struct world *w);
/* The reasons why what the selector names waits; how many. */
int world_why(struct world *w, const char *selector,
	      int (*each)(void *arg, const struct why_reason *r), void *arg);
/* A counter of the engine by its name, without "postern_" and "_total". */
uint64_t world_counter(struct world *w, const char *name);
#define COUNTER(w, name) world_counter(w, #name)

/* ---- what most of the tests start from --------------------------------------------------- */

#define CONFIG                                                                                     \
	"hostname = out.test\nlanes = 1\nroute.allow = 127.0.0.0/8\nretry.schedule = 10m, 1h\n"    \
	"retry.jitter = 0\nhost.bad = 5m\nsite.backoff_min = 1m\nsite.backoff_max = 10m\n"
enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
static const int64_t DAY = 24 * HOUR;

static const char decent[] = "say 220 mx.test\nserve\n";
static const char full[] = "say 220 mx.test\nreply RCPT 452 4.2.2 mailbox full\nserve\n";
static const char refuses[] = "refuse\n";

static const char *const one_rcpt[] = { "u@one.test" };
static const char *const two_rcpt[] = { "u@two.test" };

/* The mail host at ip, port 25, from now on plays this script (tests/sim/conn_sim.h). */
void world_host(const char *ip, const char *script);
void world_domain(const char *name, const char *mx);
/* one.test at 127.0.1.1; two.test there and, as second choice, at 127.0.1.2. */
void world_names(void);
/* All of it: everything new, these names, and the script at 127.0.1.1. */
void world_open(struct world *w, const char *config, const char *script);
/* Place of the first message of a campaign in the order of arrival; -1: it did not arrive. */
int world_place_of(unsigned campaign);
