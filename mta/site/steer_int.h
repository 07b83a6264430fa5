/* mta/site/steer_int.h - what steer.c and steer_told.c share.  Names: steer_ */
#pragma once
#include "mta/site/channel.h"
#include "mta/site/kin.h"

struct adapt_bounds steer_bounds(const struct pool *p);

static inline bool steer_is_held(const struct steer *s)
{
	return s && atomic_load_explicit(&s->troubled, memory_order_relaxed);
}

/* The shape may have been another one when the channel was opened. */
static inline struct steer *steer_of(const struct channel *ch)
{
	return ch->pool->shape.v[SHAPE_ADAPTIVE] ? ch->steer : NULL;
}
