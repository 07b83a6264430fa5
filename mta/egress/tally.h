/* mta/egress/tally.h - a number for each entry that was ever in force, so that lanes can count what
 * left from it however often the entries around it change.
 * Owns:    copies of the entries.
 * Threads: any; a lock is taken.
 * Limits:  TALLY_MAX entries; all later ones share the last number. */
#pragma once
#include "mta/egress/entry.h"

enum { TALLY_MAX = 2048 };

struct tally;
struct tally *tally_new(void);
struct tally *tally_free(struct tally *t); /* takes NULL, gives NULL */
unsigned tally_number(struct tally *t, const struct egress_source *entry);
