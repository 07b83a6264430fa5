/* message/escape.h - values made safe for the place where they go, and quoted-printable (RFC 2045
 * section 6.7), whose column is kept over any number of pieces.
 * Guarantee: lines written through a sink with qp have at most 76 bytes, all 7-bit; white space is
 * never the last byte of a line, and "=" stands only before two hex digits or a line end. */
#pragma once
#include "base/buf.h"

enum escape {
	ESCAPE_TEXT,     /* plain text: controls dropped, line ends kept */
	ESCAPE_HTML,     /* HTML text */
	ESCAPE_ATTR,     /* a quoted attribute */
	ESCAPE_URL,      /* an attribute that is a URL: scheme checked, "#" when it is unfit */
	ESCAPE_URL_PART, /* percent-encoded as a component */
	ESCAPE_CSS,      /* a value in a style attribute */
	ESCAPE_RAW,      /* {{{x}}}: the value is HTML */
	ESCAPE_HEADER,   /* text of a header, encoded as a whole later */
	ESCAPE_LINK,     /* a whole URL in a header; unfit: sink.unfit */
	ESCAPES,
};

enum { QP_WIDTH = 75 }; /* and "=" */

struct sink {
	struct buf *out;
	unsigned col; /* bytes on the line so far; kept only with qp */
	bool qp;
	bool unfit; /* a value should have been a URL and was not */
};
int escape_put(struct sink *s, enum escape e, struct slice value) MUST_CHECK;
/* Text of the template as quoted-printable.  It may stand at any column later, so its first line
 * takes at most QP_WIDTH bytes and white space at its end is encoded. */
int escape_put_literal(struct buf *out, struct slice text) MUST_CHECK;
/* Is it http, https or mailto, with something after it? */
bool escape_url_is_fit(struct slice url);
