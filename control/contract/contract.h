/* control/contract/contract.h - what a request may hold, as schema/openapi.yaml says it: the build
 * makes a table of the document (script/embed_contract), and requests are held to the table.
 *
 * Fails:   what is wrong is told by a callback, at most CONTRACT_FAULTS_MAX times.
 * Limits:  one pass over the value; a pattern is a table of states, one step per byte.
 * Threads: any; nothing is kept. */
#pragma once
#include <jansson.h>

#include "base/base.h"

enum contract_type {
	CONTRACT_ANY, /* whatever JSON can say; its handler reads it */
	CONTRACT_STRING,
	CONTRACT_INTEGER,
	CONTRACT_BOOLEAN,
	CONTRACT_ARRAY,
	CONTRACT_OBJECT,
};
enum contract_format {
	FORMAT_LINE,  /* no controls at all; what a string without a format is */
	FORMAT_TEXT,  /* controls only \t \n \r */
	FORMAT_NAME,  /* a line for people (plain_line()); blanks at its ends do not count */
	FORMAT_EMAIL, /* one addr-spec */
	FORMAT_TIME,  /* RFC 3339 */
};
enum { CONTRACT_EMAIL_MAX = 254, CONTRACT_FAULTS_MAX = 50, CONTRACT_POINTER_MAX = 192 };

/* A pattern as a machine: next[state * kinds + kind[byte]]; state 0 is the first, NO_STATE none. */
enum { CONTRACT_NO_STATE = 255 };
struct contract_pattern {
	const uint8_t *kind; /* of 256 bytes */
	const uint8_t *next, *ends;
	unsigned kinds, states;
	const char *text;
};

struct contract_member;
struct contract_schema {
	enum contract_type type;
	enum contract_format format;
	bool null;                             /* may be null */
	bool closed;                           /* takes no members but its own */
	bool unique;                           /* no entry twice */
	int64_t min, max;                      /* of the number, or of characters or entries */
	const struct contract_member *members; /* by name, so that they can be searched */
	unsigned n_members;
	const struct contract_schema *items; /* entries, or members that have no name here */
	const char *const *words;            /* the only values */
	unsigned n_words;
	const int64_t *numbers; /* the same of an integer */
	unsigned n_numbers;
	const struct contract_pattern *pattern;
	const struct contract_schema *const *ways; /* one of these has to fit */
	unsigned n_ways;
};
struct contract_member {
	const char *name;
	bool required;
	const struct contract_schema *schema;
};

enum contract_body {
	CONTRACT_NO_BODY,
	CONTRACT_BODY_OPTIONAL,
	CONTRACT_BODY_REQUIRED,
	CONTRACT_BODY_OTHER, /* a form or a file: its handler reads it */
};
enum { CONTRACT_PATH_MAX = 3 };
struct contract_operation {
	const char *method, *path;
	enum contract_body takes;
	const struct contract_schema *body;
	bool any_query;
	const struct contract_member *query;
	unsigned n_query;
	const struct contract_schema *in_path[CONTRACT_PATH_MAX];
};
extern const struct contract_operation contract_operations[];
extern const unsigned contract_operations_n;

/* NULL when the document has no such operation. */
const struct contract_operation *contract_find(const char *method, const char *path);
const struct contract_member *contract_query(const struct contract_operation *op,
					     struct slice name);
/* "limit after", in buf; "none" without any. */
char *contract_query_names(const struct contract_operation *op, char *buf, size_t size);

/* pointer: RFC 6901, "" for the whole; code and detail are those of a problem's errors. */
typedef void contract_fault_fn(void *arg, const char *pointer, const char *code,
			       const char *detail);
/* True when value is what the schema allows. */
bool contract_check(const struct contract_schema *schema, const json_t *value,
		    contract_fault_fn *fault, void *arg);
/* A parameter of the query or path: a text that stands for a value; name is how it is called. */
bool contract_check_text(const struct contract_schema *schema, struct slice text, const char *name,
			 contract_fault_fn *fault, void *arg);
bool contract_pattern_fits(const struct contract_pattern *pattern, struct slice s);
