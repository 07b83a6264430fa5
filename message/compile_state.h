/* message/compile_state.h - what the files of the compiler share; nobody else includes it. */
#pragma once
#include "message/compile.h"
#include "message/html.h"
#include "message/mustache.h"

enum { ROUTINES_MAX = 256, INDENT_MAX = 256 };

struct section {
	struct slice name;
	size_t at;
	uint32_t op;
	bool tree; /* its entries are not known, so any name may be meant */
	bool url_start;
	struct html html;
};
/* A partial as it is called from one kind of place. */
struct routine {
	struct slice name, source;
	char *indent; /* stands before each of its lines */
	enum template_part part;
	struct html html;
	bool tree;
};
struct compile {
	const struct template_env *env;
	struct build *build;
	struct template_error *error;
	enum template_part part;
	struct slice source, partial; /* partial: its name; empty in the part itself */
	struct slice indent;
	bool line_start; /* the indent is still to be written */
	bool url_start, base_tree;
	struct html html;
	unsigned tags[TEMPLATE_PLAIN_HTML + 1], depth, n_routines;
	struct section open[TEMPLATE_DEPTH_MAX];
	struct routine routines[ROUTINES_MAX];
};

#define NO_NAME ((struct slice){ 0 })

/* Notes what is wrong and where in the source; gives code.  A name is appended to `why`, with the
 * closing quote for the opening one in `why`. */
int compile_fault(struct compile *c, size_t at, int code, const char *why,
		  struct slice name) MUST_CHECK;
/* The same for a code of the builders. */
int compile_fault_limit(struct compile *c, size_t at, int code) MUST_CHECK;

/* May any name be meant here, because it may be an entry of an enclosing section's value? */
bool compile_in_tree(const struct compile *c);
/* Is what the name means HTML by declaration? */
bool compile_is_html(const struct compile *c, struct slice name);
/* Fills in what the op refers to; *ret_tree: may the value have entries? */
int compile_resolve(struct compile *c, struct slice name, size_t at, struct op *op,
		    bool *ret_tree) MUST_CHECK;
