/* control/http/multipart.h - the parts of a form (multipart/form-data, RFC 7578 and RFC 2046
 * section 5.1.1), as they come in.
 *
 *	body      = [ preamble CRLF ] 1*( "--" boundary *LWSP CRLF head CRLF content CRLF )
 *	            "--" boundary "--" *OCTET
 *	head      = *( field CRLF )        Content-Disposition: form-data; name="x"; filename="y"
 *
 * Owns:   multipart_open() gives the caller the reader; slices live until the callback returns.
 * Blocks: never.
 * Fails:  E_SYNTAX for a body that does not follow the grammar or ends before its last boundary,
 *         and for a part in a transfer encoding; E_LIMIT; what a callback returns below 0 ends the
 *         feed.
 * Limits: MULTIPART_PARTS_MAX parts, MULTIPART_HEAD_MAX bytes of a head; no part inside a part. */
#pragma once
#include "base/base.h"

enum { MULTIPART_PARTS_MAX = 32, MULTIPART_HEAD_MAX = 8 * 1024, MULTIPART_BOUNDARY_MAX = 70 };
struct multipart_events {
	/* A part begins; file: it has a file name. */
	int (*part)(void *arg, struct slice name, bool file);
	int (*content)(void *arg, struct slice bytes); /* of the part that began last */
};

/* The boundary that a Content-Type names; empty for anything but a form. */
struct slice multipart_boundary(struct slice content_type);

struct multipart;
struct multipart *multipart_free(struct multipart *m);
DEFINE_OWNED(multipart)
int multipart_open(struct multipart **ret, struct slice boundary,
		   const struct multipart_events *events, void *arg) MUST_CHECK;
int multipart_feed(struct multipart *m, struct slice piece) MUST_CHECK;
int multipart_end(struct multipart *m) MUST_CHECK;
