/* tests/engine_parts.h - what an engine of a test is made of: the parts of mta/parts.c that deliver
 * what the spool holds.  The ways in are left out, and so is the watch on the real disk's space; a
 * part that is new in mta/parts.c is here at once.  Option sets are mta_option_sets.
 * Owns: the list, which is the same at every call. */
#pragma once
#include "mta/parts.h"

const struct part *const *engine_parts_delivering(unsigned *ret_n);
