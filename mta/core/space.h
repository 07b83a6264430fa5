/* mta/core/space.h - says in the log when the spool begins to refuse mail because its disk is full,
 * and when it takes mail again: once per change, "spool.refusing" and "spool.taking".
 * Limits: looks once per second; a shorter change is not seen. */
#pragma once
#include "mta/core/part.h"

extern const struct part space_part;
