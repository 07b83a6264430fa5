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
