/* mta/egress/probe.h - is a proxy there, and does it take us: a connection to it, and for SOCKS5
 * the talk up to where a host would be named; or, does a connection to a host come about.  No mail
 * is risked on it.
 * Owns:    probe_start() gives the caller the probe; probe_free() ends it at any time.
 * Blocks:  never; done() comes once, from the loop, after PROBE_MS at the latest.  Not from inside
 *          probe_start() or probe_connect().
 * Threads: the lane's. */
#pragma once
#include "mta/door/conn.h"
#include "mta/door/detour.h"

enum { PROBE_MS = 10000 };
struct probe;
struct probe_user {
	void (*done)(struct probe_user *u, int err); /* 0: it is well; free the probe now */
};
struct probe *probe_start(struct loop *l, const struct proxy *proxy, struct probe_user *u);
struct probe *probe_connect(struct loop *l, const struct conn_target *to, struct probe_user *u);
struct probe *probe_free(struct probe *p); /* takes NULL, gives NULL */
