/* message/html.h - where in an HTML document a template stands: a small tokenizer after the HTML
 * standard (section 13.2.5), fed with the literal text, asked at every slot.
 * Limits: the text is the author's: it is followed, not judged.  Downlevel conditional comments
 *         (<!--[if mso]>) count as the HTML they hold. */
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
/* A slot stands here: how it must be escaped.  NULL, or why it is refused. */
const char *html_slot(struct html *h, bool raw, enum escape *ret);
/* A section began in `before` and ends in *h: can both be the state from here on?  *h becomes a
 * state that is right for either. */
bool html_join(struct html *h, const struct html *before);
