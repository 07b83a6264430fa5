/* base/options.h - a table of options: name, type, place, limits, default and help of each in one
 * row, read from a file of "name = value" lines.
 *
 *	file    = *( *WSP [ name *WSP "=" *WSP value ] *WSP [ "#" comment ] LF )
 *	name    = 1*( ALPHA / DIGIT / "." / "_" / "-" )
 *	value   = text to the end of the line; '#' starts a comment only after white space, and
 *	          neither a value nor an entry begins with it; the entries of a list are separated
 *	          by commas
 *	duration = 1*DIGIT [ "ms" / "s" / "m" / "h" / "d" ]      (bare: seconds)
 *	size     = 1*DIGIT [ "K" / "M" / "G" ]                   (powers of 1024; bare: bytes)
 *	rate     = 1*DIGIT "/" ( "s" / "m" / "h" / "d" )         (so many per second, minute, ...)
 *
 * Owns:   T_STR members are malloc'ed; options_free() frees them.
 * Fails:  E_SYNTAX with "file:line: what is wrong and what is expected" in the caller's text;
 *         the target struct is then unchanged.
 * Guarantee: what was taken and is shown (options_show) is taken again as the same.
 * Limits: files up to 1 MiB, lines up to 64 KiB, and so is a list shown in one line.  A name given
 *         twice is an error, except for T_LIST rows, which add up. */
#pragma once
#include "base/buf.h"

enum option_type {
	T_BOOL,     /* bool: yes no */
	T_INT,      /* int64_t */
	T_DURATION, /* int64_t milliseconds */
	T_SIZE,     /* int64_t bytes */
	T_RATE,     /* int64_t per day */
	T_STR,      /* char * */
	T_LIST,     /* char *: the entries joined by '\n' */
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;    /* into the program's config struct */
	int64_t min, max; /* numbers; for T_STR max is the length limit, 0: 4096 */
	const char *def;  /* default as it would stand in the file; "" for none */
	bool reload;      /* takes effect on SIGHUP */
	const char *help; /* one sentence for the sample file */
};

#define OPTION_ERROR_MAX 512

/* Sets every default. */
void options_defaults(const struct option *table, size_t n, void *config);
/* Reads path over the defaults. error holds OPTION_ERROR_MAX bytes. */
int options_read(const struct option *table, size_t n, void *config, const char *path,
		 char *error) MUST_CHECK;
int options_parse(const struct option *table, size_t n, void *config, struct slice text,
		  const char *name_for_errors, char *error) MUST_CHECK;
void options_free(const struct option *table, size_t n, void *config);
/* Writes the commented sample file: what docs/samples holds, compared by tests/house. */
void options_sample(const struct option *table, size_t n, struct buf *out);
/* Text of one value as it would stand in a file; what "config show" prints. */
void options_show(const struct option *row, const void *config, struct buf *out);
/* One number of a type that is a number, as it stands in a file: "20", "30s", "64M", "100/s". */
int option_number(enum option_type type, struct slice s, int64_t *ret) MUST_CHECK;
void option_number_show(enum option_type type, int64_t v, struct buf *out);
/* Next entry of a T_LIST value; start with *pos = 0.  False at the end. */
bool option_list_next(const char *list, size_t *pos, struct slice *ret);
