/* control/http/reply.h - the reply of a handler.  Each function returns 0, so that a handler can
 * end with it.
 * Owns: http_reply_json() takes the json; headers and bytes are copied. */
#pragma once
#include "control/http/call.h"

int http_reply_json(struct call *c, unsigned status, json_t *json); /* NULL is a 500 */
int http_reply_empty(struct call *c, unsigned status);
int http_reply_bytes(struct call *c, unsigned status, const char *type, struct slice bytes);
void http_reply_header(struct call *c, const char *name, const char *format, ...) PRINTF(3, 4);
void http_reply_etag(struct call *c, int64_t version);
