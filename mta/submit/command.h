/* mta/submit/command.h - the grammar of SMTP command lines (RFC 5321 section 4.1.1).
 *
 *	line       = verb [ SP argument ] CRLF                    at most 1,000 bytes
 *	MAIL, RCPT = ( "FROM:" / "TO:" ) *SP "<" [ address ] ">" *( SP keyword [ "=" value ] )
 *
 * Owns:  nothing; slices point into the line.
 * Fails: E_SYNTAX, E_LIMIT; a verb we do not know is no error but VERB_UNKNOWN.
 * Limits: 8 parameters a command. */
#pragma once
#include "base/base.h"

enum { COMMAND_LINE_MAX = 1000, COMMAND_PARAMS_MAX = 8 };
enum verb {
	VERB_UNKNOWN,
	VERB_EHLO,
	VERB_HELO,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_RSET,
	VERB_NOOP,
	VERB_VRFY,
	VERB_QUIT,
	VERB_STARTTLS,
	VERB_HELP,
	VERB_MAX,
};

/* Takes the first line of `in`: 1 and the line without its CRLF, 0 when it is not whole yet.
 * E_SYNTAX: it holds a CR, LF or NUL of its own; E_LIMIT: it is too long (then *ret_used may stop
 * short of its end: go on until a call gives another result).  *ret_used is what to consume, unless
 * 0 came. */
int command_line(struct slice in, struct slice *ret_line, size_t *ret_used) MUST_CHECK;
enum verb command_verb(struct slice line, struct slice *ret_argument);

struct path_param {
	struct slice name, value;
};
struct path {
	struct slice address; /* between the brackets */
	unsigned n;
	struct path_param params[COMMAND_PARAMS_MAX];
};
/* prefix: "FROM:" or "TO:". */
int command_path(struct slice argument, struct slice prefix, struct path *ret) MUST_CHECK;
