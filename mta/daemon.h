/* mta/daemon.h - the process and the system: user, rights, descriptor limit, the supervisor.
 * Blocks: daemon_become() on the user database.
 * Fails:  negative errno. */
#pragma once
#include "base/base.h"

int daemon_become(const char *user) MUST_CHECK; /* no-op unless root; E_UNKNOWN: no such user */
int daemon_harden(void) MUST_CHECK;             /* no core dumps, no ptrace: keys are in memory */
int daemon_raise_files(uint64_t wanted) MUST_CHECK; /* up to the hard limit */
/* Tells systemd, if it asked to be told (NOTIFY_SOCKET), such as "READY=1". */
void daemon_notify(const char *state);
