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

/* ---- reading, by every file -------------------------------------------------------------- */

enum { AT_TAG = -1, AT_END = -2 };

static inline int sanitise_at(const struct sanitise *z, size_t i)
{
	if (i >= z->end)
		return AT_END;
	return z->mark[i] == MARK_TEXT ? (unsigned char)z->s[i] : AT_TAG;
}

static inline bool sanitise_is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static inline bool sanitise_is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does this text stand here?  A small letter in it stands for either case. */
static inline bool sanitise_is_here(const struct sanitise *z, size_t i, const char *text)
{
	for (; *text; text++, i++)
		if (sanitise_at(z, i) < 0 || ascii_lower((char)sanitise_at(z, i)) != *text)
			return false;
	return true;
}

/* The first place of the text, or `to`. */
static inline size_t sanitise_find(const struct sanitise *z, size_t i, size_t to, const char *text)
{
	while (i < to && !sanitise_is_here(z, i, text))
		i++;
	return i;
}

static inline size_t sanitise_skip_spaces(const struct sanitise *z, size_t i)
{
	while (sanitise_is_space(sanitise_at(z, i)))
		i++;
	return i;
}

static inline size_t sanitise_skip_tags(const struct sanitise *z, size_t i)
{
	while (sanitise_at(z, i) == AT_TAG)
		i++;
	return i;
}

/* ---- sanitise.c -------------------------------------------------------------------------- */

/* Judges the range as markup and writes what may stay; it is the range that is read from now on. */
void sanitise_walk(struct sanitise *z, size_t from, size_t end);
void sanitise_emit(struct sanitise *z, size_t from, size_t to); /* the source, as it is */
void sanitise_take_back(struct sanitise *z, size_t length);     /* down to this length of out */
/* Reports that something at i was left out: what, and perhaps its name. */
void sanitise_tell(struct sanitise *z, size_t i, const char *what, struct slice name);

/* ---- sanitise_comment.c ------------------------------------------------------------------ */

/* Both take one that begins at i, and give the place behind it. */
size_t sanitise_comment(struct sanitise *z, size_t i);
size_t sanitise_declaration(struct sanitise *z, size_t i); /* "<!", but no comment, or "<?" */

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
