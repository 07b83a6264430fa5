/* mta/daemon.h - what a daemon owes the system: privileges, descriptor limits, the supervisor.
 * Fails: negative errno. */
#pragma once
#include "base/base.h"

int daemon_become(const char *user) MUST_CHECK; /* no-op unless root; E_UNKNOWN: no such user */
int daemon_harden(void) MUST_CHECK;             /* no core dumps, no ptrace: keys are in memory */
int daemon_raise_files(uint64_t wanted) MUST_CHECK; /* as far as the hard limit lets */
/* Tells systemd when it asked to be told (NOTIFY_SOCKET): "READY=1". */
void daemon_notify(const char *state);
