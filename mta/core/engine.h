/* mta/core/engine.h - the engine as its parts see it: the log, the options, the lanes.
 *
 * Threads: any.  The front desk (main thread: link, admin socket, signals) is a lane of its own,
 *          engine_front(). */
#pragma once
#include "base/settings.h"
#include "mta/core/lane.h"
#include "spool/spool.h"

struct engine;
struct part;

struct spool *engine_spool(struct engine *e);
/* The options in force: never changed, replaced by a reload; valid until the engine ends. */
const struct settings *engine_settings(struct engine *e);
unsigned engine_lanes(const struct engine *e);
struct lane *engine_lane(struct engine *e, unsigned i);
struct lane *engine_front(struct engine *e);
bool engine_stopping(const struct engine *e); /* SIGTERM came: take no new work */

/* What a part shares between the lanes; NULL when it made nothing.  For start() and for questions;
 * whoever needs it often keeps it. */
void *engine_shared(struct engine *e, const struct part *p);
const struct part *engine_part(const struct engine *e, unsigned i); /* NULL past the last */
unsigned engine_part_index(const struct engine *e, const struct part *p);

/* Calls run(l, text) on every lane's thread; text is copied, cut to 255 bytes. */
void engine_tell_lanes(struct engine *e, void (*run)(struct lane *l, struct slice text),
		       struct slice text);
/* What the lanes share has changed: changed() of every part, on every lane. */
void engine_changed(struct engine *e);
/* Reads the configuration again, as SIGHUP does, on the front desk.  text holds OPTION_ERROR_MAX;
 * it gets an option that takes effect only at a restart, or "".  E_SYNTAX: the text says what is
 * wrong, and the engine goes on as before.  E_DENIED: this program does not read one again. */
int engine_read_again(struct engine *e, char *text) MUST_CHECK;
/* The log can no longer be written: the process must end. */
void engine_fatal(struct engine *e, int err);
