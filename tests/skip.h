/* tests/skip.h - a case that this machine cannot run: it ends there, and its program prints a line
 * "SKIP reason", which script/test shows and counts.  Include it behind cmocka.h. */
#pragma once
#include <stdio.h>

#define SKIP_CASE(reason)                                                                          \
	do {                                                                                       \
		(void)printf("\nSKIP %s\n", reason);                                               \
		(void)fflush(stdout);                                                              \
		skip();                                                                            \
	} while (0)

/* In main(): the whole program is left out where the thread sanitizer watches, because a process in
 * a sandbox may not make the calls that it needs. */
#ifdef __SANITIZE_THREAD__
#define SKIP_UNDER_THREAD_SANITIZER                                                                \
	do {                                                                                       \
		(void)puts("SKIP the thread sanitizer does not work in a sandbox");                \
		return 0;                                                                          \
	} while (0)
#else
#define SKIP_UNDER_THREAD_SANITIZER                                                                \
	do {                                                                                       \
	} while (0)
#endif
