/* spool/repair_places.h - finds the damaged places of a log, and turns each into a record that says
 * "lost".  For repair.c only.
 * Owns:   nothing.
 * Blocks: on the disk.
 * Fails:  as spool/repair.h says. */
#pragma once
#include "spool/folder.h"
#include "spool/repair.h"

/* Walks all segments; with o->apply it changes them.  *ret: the counts of places and records. */
int repair_places(const struct folder *f, const struct spool_repair_options *o,
		  struct spool_repair *ret) MUST_CHECK;
