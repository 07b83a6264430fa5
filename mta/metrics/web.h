/* mta/metrics/web.h - the head of a request: RFC 9112, without a body.
 *
 *	request-line = method SP request-target SP "HTTP/1." DIGIT
 *	field-line   = field-name ":" OWS field-value
 *
 * Owns:   nothing; the path points into the input.
 * Fails:  with the status that the client is to get: 400, 431, 505.
 * Limits: WEB_HEAD_MAX bytes; a head that is not whole within them is refused. */
#pragma once
#include "base/base.h"

enum { WEB_HEAD_MAX = 8192 };

struct web_request {
	enum { WEB_GET, WEB_HEAD, WEB_OTHER } method;
	struct slice path; /* without a query */
};
/* Positive: the head's length, and *ret; 0: more input is needed; negative: -status.  What it says
 * of the beginning of an input it also says of the whole. */
int web_parse(struct slice in, struct web_request *ret) MUST_CHECK;
/* "404 Not Found" */
const char *web_status(int status);
