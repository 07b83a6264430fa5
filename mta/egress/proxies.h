/* mta/egress/proxies.h - entries of the option proxies.
 *
 *	proxy = name SP ( "socks5" / "haproxy" ) SP address ":" port [ SP file ]
 *
 * The file has one line, "user:password", for SOCKS5 (RFC 1929).
 * Owns:   proxies_read() gives the caller the texts; proxies_clear() frees them.
 * Blocks: on the file.
 * Fails:  E_SYNTAX; E_DENIED: others than its owner may read the file; -errno of the file. */
#pragma once
#include "mta/door/detour.h"

int proxies_read(struct slice s, struct proxy *ret) MUST_CHECK;
void proxies_clear(struct proxy *p);
