/* base/clock.h - the door to time.  The real one is clock_real.c; tests link tests/sim/clock_sim.c,
 * whose time moves only when a script says so.
 * Rule: timers and timeouts use clock_mono_ms.  Times that are stored, compared with stored ones or
 *       shown use clock_wall_ms.  Nothing else in the house asks the system for the time. */
#pragma once
#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_ms(void); /* since 1970-01-01T00:00:00Z */

#define RFC3339_MAX 32
/* 2026-11-20T16:32:38.123Z; buf holds RFC3339_MAX bytes. */
char *clock_rfc3339(int64_t wall_ms, char *buf);
#define RFC5322_DATE_MAX 40
/* Fri, 20 Nov 2026 16:32:38 +0000; RFC 5322 section 3.3, always in UTC and English. */
char *clock_rfc5322(int64_t wall_ms, char *buf);
