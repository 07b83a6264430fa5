/* message/sanitise_int.h - what the files of the sanitiser share; nobody else includes it. */
#pragma once
#include "message/sanitise.h"

/* A source with its Mustache tags marked, and where it is read. */
enum sanitise_mark {
	MARK_TEXT,
	MARK_SLOT,
	MARK_OPEN,  /* of a section */
	MARK_CLOSE, /* of a section */
	MARK_NONE,  /* a comment or new delimiters */
	MARK_MORE,  /* the rest of a tag */
};
struct sanitise {
	const char *s;
	uint8_t *mark;
	size_t n, end; /* end: of the range that is read, the whole or one conditional comment */
	bool conditional;
	struct buf *out;
	struct buf scratch; /* a value as a judge reads it */
	struct sanitise_report *report;
};

/* ---- sanitise_list.c --------------------------------------------------------------------- */

enum sanitise_element {
	ELEMENT_UNKNOWN,
	ELEMENT_KEEP,
	ELEMENT_TITLE, /* its content is text (RCDATA) */
	ELEMENT_STYLE, /* its content is CSS (RAWTEXT) */
	ELEMENT_META,
	ELEMENT_LINK,
	ELEMENT_OFFICE, /* VML and the like */
	ELEMENT_GONE,   /* leaves with its content */
};
enum sanitise_attr {
	SANITISE_ATTR_UNKNOWN,
	SANITISE_ATTR_KEEP,
	SANITISE_ATTR_LINK,  /* a URL to go to */
	SANITISE_ATTR_IMAGE, /* a URL that is shown */
	SANITISE_ATTR_SET,   /* srcset */
	SANITISE_ATTR_STYLE,
	SANITISE_ATTR_HARMLESS, /* anything but the URL of a script */
	SANITISE_ATTR_EQUIV,    /* http-equiv */
	SANITISE_ATTR_REL,
};
/* Names in lower case.  conditional: within a conditional comment. */
enum sanitise_element sanitise_element_of(struct slice name, bool conditional);
enum sanitise_attr sanitise_attr_of(enum sanitise_element element, struct slice name);

/* ---- sanitise_judge.c -------------------------------------------------------------------- */

/* Reads the range [from, to) of the source as what browsers make of it, into scratch: entities
 * decoded if asked, letters small, Mustache tags as one byte each. */
void sanitise_read(struct sanitise *z, size_t from, size_t to, bool entities);
/* The rest judge what sanitise_read() has read.  True: it may stay. */
bool sanitise_url_is_fine(struct slice value, bool image);
bool sanitise_set_is_fine(struct slice value);
bool sanitise_harmless(struct slice value);
bool sanitise_css_is_fine(struct slice value);
bool sanitise_equiv_is_fine(struct slice value);
bool sanitise_rel_is_fine(struct slice value);
