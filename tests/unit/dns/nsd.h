/* tests/unit/dns/nsd.h - a real authoritative server (NSD) on a loopback port, with zones as text.
 * Owns: nsd_start() starts a process in a folder under /tmp; nsd_stop() ends both. */
#pragma once
#include "dns/resolver.h"

struct nsd_zone {
	const char *name, *text;
};
struct nsd {
	int pid;
	uint16_t port;
	char dir[64];
};
/* Ends the test when NSD cannot be started. */
void nsd_start(struct nsd *d, const struct nsd_zone *zones, unsigned n);
void nsd_stop(struct nsd *d);
bool nsd_has_ipv6(void); /* then it listens on ::1 as well */
void nsd_options(const struct nsd *d, struct resolver_options *o);
