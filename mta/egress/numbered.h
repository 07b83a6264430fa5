/* mta/egress/numbered.h - a number for each entry that was ever in force, so that lanes can count
 * what left from it however often the entries around it change.
 * Owns:    copies of the entries.
 * Threads: any; a lock is taken.
 * Limits:  NUMBERED_MAX entries; all later ones share the last number. */
#pragma once
#include "mta/egress/entry.h"

enum { NUMBERED_MAX = 2048 };

struct numbered;
struct numbered *numbered_new(void);
struct numbered *numbered_free(struct numbered *t); /* takes NULL, gives NULL */
unsigned numbered_number(struct numbered *t, const struct egress_source *entry);
