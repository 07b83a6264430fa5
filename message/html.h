/* message/html.h - says where in an HTML document a slot stands: a small tokenizer after the HTML
 * standard (section 13.2.5).  It is fed with the literal text and asked at every slot.
 * Limits: it follows the author's text and does not judge it.  Downlevel conditional comments
 *         (<!--[if mso]>) count as the HTML that they hold. */
#pragma once
#include "message/escape.h"

enum html_state {
	HTML_TEXT,
	HTML_LT,      /* behind "<" */
	HTML_TAG,     /* in a start tag's name */
	HTML_END_TAG, /* in an end tag's name */
	HTML_GAP,     /* in a tag, between attributes */
	HTML_NAME,    /* in an attribute's name */
	HTML_AFTER_NAME,
	HTML_BEFORE_VALUE, /* behind "=" */
	HTML_DOUBLE,       /* in a value, by its quotes */
	HTML_SINGLE,
	HTML_BARE,
	HTML_BANG, /* behind "<!" */
	HTML_DECL, /* in <!doctype, <?xml, <![endif] */
	HTML_COMMENT,
	HTML_IF,      /* in the condition of <!--[if mso]> */
	HTML_RCDATA,  /* in <title>, <textarea> */
	HTML_RAWTEXT, /* in <script>, <style> and the like */
};

struct html {
	uint8_t state;
	uint8_t attr;     /* class of the attribute at hand */
	uint8_t n;        /* bytes of name; in RCDATA and RAWTEXT matched of the end tag */
	uint8_t dashes;   /* at the end of what a comment holds so far */
	bool at_start;    /* nothing in the value yet */
	bool conditional; /* in a conditional comment */
	bool after_slot;  /* the last thing was a slot */
	bool end_tag;
	char tag[12], name[16];
};

/* Takes one byte of literal text.  NULL, or why it cannot stand here. */
const char *html_feed(struct html *h, char c);
/* A slot stands here: *ret says how to escape it.  NULL, or why it is refused. */
const char *html_slot(struct html *h, bool raw, enum escape *ret);
/* A section began in the state `before` and ends in *h.  True when one state is right for both from
 * here on; *h is then that state. */
bool html_join(struct html *h, const struct html *before);
