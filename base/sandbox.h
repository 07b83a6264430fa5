/* base/sandbox.h - takes from this process all that reading what strangers wrote does not need.
 *
 * Afterwards it can read from descriptor 0, write to descriptor 1, have memory and end; files,
 * sockets, processes and everything else are refused with EPERM (seccomp).
 * Memory, processor time, size of files, descriptors and processes are bounded (setrlimit), so that
 * a filter that a kernel does not have still leaves little.
 * Fails:  -errno; E_VERSION: a processor that the filter has no row for.  The process must end.
 * Limits: the processor time is that of the whole life of the process.  Memory is not bounded under
 *         the address sanitizer. */
#pragma once
#include "base/base.h"

int sandbox_enter(unsigned cpu_s, size_t memory) MUST_CHECK;
