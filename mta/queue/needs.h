/* mta/queue/needs.h - which extensions a message needs by its bytes, whatever was said when it was
 * handed in: 8BITMIME (RFC 6152) for a byte above 127, SMTPUTF8 (RFC 6531 section 1.2) for one in a
 * header, that of a part of it included.  What an address needs is for those who send to it.
 * Fails: never.  A body that looks like the header of a part counts as one. */
#pragma once
#include "schema/wire/meta.h"

/* Takes back what the bytes do not need.  Looks at them only where something is asked for. */
void needs_trim(struct wire_content_meta *meta, struct slice message);
bool needs_8bit(struct slice s); /* is there a byte above 127? */
