/* mta/shape/inside.h - what the files of this room share: sections and the rules under them.
 * Owns: a struct shapes owns all of it. */
#pragma once
#include "mta/shape/shapes.h"

enum shape_level { SHAPE_OF_ALL, SHAPE_OF_PROVIDER, SHAPE_OF_SITE, SHAPE_OF_DOMAIN };
enum { SHAPE_NAME_MAX = 253, SHAPE_PATTERNS_MAX = 4096 };

struct shape_section {
	enum shape_level level;
	char *name; /* a pattern; NULL for default */
	size_t name_n;
	unsigned provider; /* of SHAPE_OF_PROVIDER */
	uint64_t tenant;   /* 0: any */
	struct ip source;  /* family 0: any */
	char *pool;        /* NULL: any */
};
struct shape_rule {
	unsigned section;
	enum shape_key key;
	int64_t v;
	struct shape_schedule *schedule; /* of SHAPE_RETRY */
	const char *file;                /* or the author of an order */
	unsigned line;                   /* 0: an order */
};
struct shape_patterns {
	char **at;
	unsigned n;
};
struct shape_provider {
	char *name;
	struct shape_patterns mx, domain;
};

struct shapes {
	struct shape_section *sections;
	struct shape_rule *rules;
	struct shape_provider *providers;
	char **files; /* names and authors, which rules point at */
	unsigned n_sections, n_rules, n_providers, n_files, n_patterns;
	unsigned asks;
};

/* Reads "provider gmail tenant 7"; gives its number in s->sections.  error without a place. */
int shape_section_read(struct shapes *s, struct slice text, unsigned *ret, char *error) MUST_CHECK;
void shape_section_show(const struct shape_section *x, struct buf *out);
bool shape_section_matches(const struct shape_section *x, const struct shape_subject *q,
			   unsigned provider);
/* Higher is narrower. */
unsigned shape_section_rank(const struct shape_section *x);
/* Does the section's pattern match? */
bool shape_section_names(const struct shape_section *x, struct slice text);
/* Does the text match?  Case does not count.  Time is bounded by the product of the lengths. */
bool shape_pattern_matches(struct slice pattern, struct slice text);
/* A pattern is a name of letters, digits, "-", "_", "." and "*". */
bool shape_pattern_valid(struct slice pattern);
