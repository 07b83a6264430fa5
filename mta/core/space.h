/* mta/core/space.h - says in the log when the spool begins to refuse mail because its disk is full,
 * and when it takes mail again: once per change, "spool.refusing" and "spool.taking".
 * Limits: looks ten times per second; a shorter change is not seen.  "Again" is after a second
 *         without refusing, so that a disk at its edge does not fill the log too. */
#pragma once
#include "mta/core/part.h"

extern const struct part space_part;
