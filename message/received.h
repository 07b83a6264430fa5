/* message/received.h - the trace line of a message that was submitted (RFC 5321 section 4.4).
 * Owns:   nothing.
 * Fails:  -ENOMEM, E_LIMIT of the buf.
 * Limits: 255 bytes of each string are written. */
#pragma once
#include "base/address.h"
#include "base/buf.h"

struct received {
	struct slice helo;     /* what the client called itself; may be empty */
	struct ip ip;          /* family 0: left out */
	struct slice by;       /* our host name */
	struct slice protocol; /* "ESMTP", "ESMTPS", "UTF8SMTP" */
	struct slice tls;      /* "TLSv1.3 TLS_AES_256_GCM_SHA384" or empty */
	struct slice id;       /* our queue id */
	struct slice rcpt;     /* only when there is one recipient; else empty */
	int64_t at_ms;
};
/* Appends the line, folded, with CRLF.  Every string is made safe here: peers chose some of
 * them. */
int received_line(const struct received *r, struct buf *out) MUST_CHECK;
