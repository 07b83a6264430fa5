/* mta/site/fallback.h - a pool whose sources are all suspended, disabled or failing at a site
 * borrows those of another: the first of the chain that pool.fallback gives which has one that can
 * be used there.
 *
 * The mail stays in its own pool's lines and within that pool's limits; only the addresses are
 * another pool's.  A suspended source of its own is still tried when its time is over; as soon as
 * one is well, the borrowed connections end after the transactions in hand.
 * Guarantee: it comes to an end, because the options refuse chains that lead back.
 * Owns:    nothing; the pool remembers who lends.
 * Threads: the lane's. */
#pragma once
#include "mta/site/pool.h"

/* Decides anew who lends; harmless, and cheap for a pool without a fallback. */
void fallback_look(struct pool *p);
