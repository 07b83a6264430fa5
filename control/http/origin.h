/* control/http/origin.h - origins of web pages, as browsers write them in the header Origin
 * (RFC 6454, the URL standard's serialization): scheme://host[:port].
 *
 * Each origin has one form that is taken, so that comparing bytes compares origins: small letters,
 * no path, no port that the scheme has anyway, addresses in their shortest form.  https of any
 * host, http of this machine only (localhost, 127.0.0.0/8, [::1]).
 * Limits: a host name is at most 253 bytes. */
#pragma once
#include "base/base.h"

enum { ORIGIN_HOST_MAX = 253, ORIGIN_MAX = 8 + ORIGIN_HOST_MAX + 6 };

struct origin {
	struct slice scheme, host; /* of the text; an IPv6 address in its brackets */
	uint16_t port;             /* 0: the scheme's own */
};
/* NULL, or what is wrong with it, as what follows "this". */
const char *origin_parse(struct slice s, struct origin *ret) MUST_CHECK;
