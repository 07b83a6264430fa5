/* base/settings.h - the options of a whole program, collected from the features that own them.
 *
 * A feature brings a set: its rows (base/options.h), the struct they fill, and what is derived from
 * them.  The program lists its sets; a file is read into all of them at once.
 *
 * Owns:   settings_parse() and settings_read() give the caller the settings; settings_free() ends
 *         them.  They never change; a reload makes new ones.
 * Blocks: settings_read() on the file.
 * Fails:  E_SYNTAX with "file:line: what is wrong and what is expected" in the caller's text, which
 *         holds OPTION_ERROR_MAX bytes.
 * Limits: those of base/options.h; an option's name stands in one set only. */
#pragma once
#include "base/options.h"

struct settings;
struct settings *settings_free(struct settings *s);
DEFINE_OWNED(settings)

/* Where a derive function says what is wrong. */
struct option_fault {
	const char *where; /* the file */
	char *error;
};
/* "file: option: "value" is not <expected>"; gives E_SYNTAX. */
int option_bad(struct option_fault *f, const char *option, struct slice value,
	       const char *expected);
/* Calls entry(options, e) for each entry of a T_LIST value until one fails, and
 * reports that one. */
int option_entries(struct option_fault *f, const char *option, const char *list,
		   const char *expected, int (*entry)(void *options, struct slice e),
		   void *options) MUST_CHECK;

struct option_set {
	const struct option *rows;
	size_t n;
	size_t size; /* of the struct that the rows' offsets point into */
	/* Makes what follows from the rows: lists and words become addresses and numbers.  Sets
	 * listed before this one are derived already and may be asked for.  May be NULL. */
	int (*derive)(void *options, const struct settings *all, struct option_fault *f);
	void (*clear)(void *options); /* frees what derive made; may be NULL */
};

int settings_parse(struct settings **ret, const struct option_set *const *sets, size_t n,
		   struct slice text, const char *name_for_errors, char *error) MUST_CHECK;
/* path NULL: the defaults alone. */
int settings_read(struct settings **ret, const struct option_set *const *sets, size_t n,
		  const char *path, char *error) MUST_CHECK;
/* The struct of one set; the set must be among those that were listed. */
const void *settings_of(const struct settings *s, const struct option_set *set);
/* Every row, in the order of the sets, and the text of its value as it would stand in a file. */
const struct option *settings_row(const struct settings *s, size_t i); /* NULL past the end */
void settings_show(const struct settings *s, size_t i, struct buf *out);
/* First option that differs and takes effect only at a restart; NULL when there is none. */
const char *settings_needs_restart(const struct settings *a, const struct settings *b);
/* The commented sample file. */
void settings_sample(const struct option_set *const *sets, size_t n, struct buf *out);
