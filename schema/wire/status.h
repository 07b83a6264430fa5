/* schema/wire/status.h - an enhanced mail system status code (RFC 3463) as one value: 5.7.1.
 * Owns:   nothing.
 * Fails:  never.
 * Limits: subject and detail are 0 to 999 in the RFC; whoever parses one sees to that. */
#pragma once
#include "base/base.h"

struct status {
	uint16_t class; /* 2 success, 4 for now, 5 for good; 0: no status at all */
	uint16_t subject;
	uint16_t detail;
};
#define STATUS(c, s, d) ((struct status){ (c), (s), (d) })

enum { STATUS_TEXT_MAX = 24 };
/* "5.7.1"; "" for none.  buf holds STATUS_TEXT_MAX bytes and is given back. */
const char *status_format(struct status s, char *buf);

static inline bool status_given(struct status s)
{
	return s.class != 0;
}
static inline bool status_eq(struct status a, struct status b)
{
	return a.class == b.class && a.subject == b.subject && a.detail == b.detail;
}
