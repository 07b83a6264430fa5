/* schema/wire/value.h - one value read from msgpack, and the arena that decoded trees live in; used
 * by rows and by link frames.
 *
 * Owns:   wire_arena_new() gives the caller the arena; wire_arena_free() ends it and every tree in
 *         it.  Strings stay in the bytes they were read from.
 * Fails:  E_SYNTAX (also for extension types and integers past int64_t), E_LIMIT for nesting.
 * Limits: the arena takes at most 40 bytes for each byte that is read. */
#pragma once
#include "base/value.h"

struct wire_arena;
struct wire_arena *wire_arena_new(void);
struct wire_arena *wire_arena_free(struct wire_arena *a);
DEFINE_OWNED(wire_arena)
void *wire_arena_take(struct wire_arena *a, size_t n) MUST_CHECK; /* NULL: no memory */
/* Reads the value at the front of *in, which is then what follows it. */
int wire_value_get(struct wire_arena *a, struct slice *in, struct value *ret) MUST_CHECK;
