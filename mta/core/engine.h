/* mta/core/engine.h - the engine as its parts see it: the spool, the options, the lanes.
 *
 * The front desk is the main thread, which has a lane of its own: engine_front().  Link, admin
 * socket and signals are there.
 * Owns:    nothing; everything here is valid until the engine ends.
 * Threads: any. */
#pragma once
#include "base/settings.h"
#include "mta/core/lane.h"
#include "spool/spool.h"

struct engine;
struct part;

struct spool *engine_spool(struct engine *e);
/* The options in force.  They never change; a reload replaces them. */
const struct settings *engine_settings(struct engine *e);
unsigned engine_lanes(const struct engine *e); /* also while parts are opened */
struct lane *engine_lane(struct engine *e, unsigned i);
struct lane *engine_front(struct engine *e);
bool engine_stopping(const struct engine *e); /* SIGTERM came: begin nothing new */

/* What the part's open() gave, or NULL.  This is a search: keep the result if you need it often. */
void *engine_shared(struct engine *e, const struct part *p);
const struct part *engine_part(const struct engine *e, unsigned i); /* NULL past the last */
unsigned engine_part_index(const struct engine *e, const struct part *p);

/* Calls run(l, text) on every lane's thread; text is copied, cut to 255 bytes. */
void engine_tell_lanes(struct engine *e, void (*run)(struct lane *l, struct slice text),
		       struct slice text);
/* Calls changed() of every part on every lane, because something that lanes share has changed. */
void engine_changed(struct engine *e);
/* Reads the configuration again, as SIGHUP does, on the front desk.  text holds OPTION_ERROR_MAX;
 * it gets an option that takes effect only at a restart, or "".  E_SYNTAX: the text says what is
 * wrong, and the engine goes on as before.  E_DENIED: this program does not read one again. */
int engine_read_again(struct engine *e, char *text) MUST_CHECK;
/* The log can no longer be written: the process must end. */
void engine_fatal(struct engine *e, int err);
