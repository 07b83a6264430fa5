/* mta/parts.h - what the engine is made of: its parts and its option sets, each in order. */
#pragma once
#include "mta/core/engine_run.h"

extern const struct part *const mta_parts[];
extern const unsigned mta_parts_n;
extern const struct option_set *const mta_option_sets[];
extern const size_t mta_option_sets_n;
