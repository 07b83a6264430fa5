/* base/random_real.c - chance as the kernel gives it. */
#include "base/random.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static void fill(unsigned char *p, size_t n)
{
	while (n > 0) {
		ssize_t r = getrandom(p, n, 0);
		if (r < 0)
			abort();
		p += r;
		n -= (size_t)r;
	}
}

void random_bytes(void *dst, size_t n)
{
	static _Thread_local unsigned char pool[512];
	static _Thread_local size_t left;
	static _Thread_local pid_t owner; /* a forked child must not repeat its parent's bytes */

	if (n > sizeof(pool)) {
		fill(dst, n);
		return;
	}
	if (left < n || owner != getpid()) {
		fill(pool, sizeof(pool));
		left = sizeof(pool);
		owner = getpid();
	}
	left -= n;
	memcpy(dst, pool + left, n);
	memset(pool + left, 0, n);
}
