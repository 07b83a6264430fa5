/* mta/reports/sandbox.h - takes from this process all that reading mail does not need.
 *
 * Afterwards it can read from descriptor 0, write to descriptor 1, have memory and end; files,
 * sockets, processes and everything else are refused with EPERM (seccomp).
 * Memory, processor time, size of files, descriptors and processes are bounded (setrlimit), so that
 * a filter that a kernel does not have still leaves little.
 * Fails:  -errno; E_VERSION: a processor that the filter has no row for.  The process must end.
 * Limits: SANDBOX_CPU_S seconds of processor time for the whole life of the process. */
#pragma once
#include "base/base.h"

enum { SANDBOX_CPU_S = 60, SANDBOX_MEMORY = 512 << 20 };
int sandbox_enter(void) MUST_CHECK;
