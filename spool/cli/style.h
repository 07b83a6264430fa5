/* spool/cli/style.h - how answers are shown: the format, the width of the screen, colours, and
 * which members are wanted.  Set once at the start, then only read.
 *
 * A terminal gets tables that fit it; everything else gets JSON, unless -o says otherwise.
 * Owns:    a copy of nothing: `fields` points into the arguments.
 * Fails:   EXIT_BAD_USAGE for a format or a field that is none.
 * Limits:  FIELDS_MAX fields; a screen of 40 to 1000 columns. */
#pragma once
#include "base/buf.h"

enum { FIELDS_MAX = 32, SCREEN_USUAL = 80 };

enum format { FORMAT_TABLE, FORMAT_WIDE, FORMAT_JSON, FORMAT_NDJSON, FORMAT_YAML };
struct style {
	enum format format;
	bool chosen;    /* -o or --json was given */
	bool colour;    /* a terminal, and NO_COLOR is not set */
	unsigned width; /* columns; 0: no bound */
	struct slice fields[FIELDS_MAX];
	unsigned n_fields; /* 0: all */
};
extern struct style style;

/* output, fields: as given on the command line, or NULL.  EXIT_DONE, or EXIT_BAD_USAGE with the
 * fault on standard error. */
int style_begin(const char *output, bool json, const char *fields);
/* Programs read it: JSON or YAML. */
static inline bool style_for_programs(void)
{
	return style.format >= FORMAT_JSON;
}
/* How many columns a terminal needs for it; it is UTF-8 without controls. */
unsigned style_columns(struct slice s);
/* The longest part of s, whole characters, that needs at most so many columns. */
struct slice style_cut(struct slice s, unsigned columns);
/* Takes the part of a long text that the next line holds: whole words where that is possible. */
struct slice style_next_line(struct slice *rest, unsigned columns);
/* What a word says of a state, as the sequence that colours it; "" without colours. */
const char *style_of_word(struct slice word);
const char *style_heading(void);
const char *style_plain(void);
