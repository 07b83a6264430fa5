/* mta/smtpd/command.h - the grammar of SMTP command lines (RFC 5321 section 4.1.1).
 *
 *	line       = verb [ SP argument ] CRLF                    at most 1,000 bytes
 *	MAIL, RCPT = ( "FROM:" / "TO:" ) *SP "<" [ address ] ">" *( SP keyword [ "=" value ] )
 *
 * Owns:  nothing; slices point into the line.
 * Fails: E_SYNTAX, E_LIMIT; an unknown verb is not an error but SMTPD_VERB_UNKNOWN.
 * Limits: 8 parameters per command. */
#pragma once
#include "base/base.h"

enum { SMTPD_COMMAND_LINE_MAX = 1000, SMTPD_COMMAND_PARAMS_MAX = 8 };
enum smtpd_verb {
	SMTPD_VERB_UNKNOWN,
	SMTPD_VERB_EHLO,
	SMTPD_VERB_HELO,
	SMTPD_VERB_MAIL,
	SMTPD_VERB_RCPT,
	SMTPD_VERB_DATA,
	SMTPD_VERB_RSET,
	SMTPD_VERB_NOOP,
	SMTPD_VERB_VRFY,
	SMTPD_VERB_QUIT,
	SMTPD_VERB_STARTTLS,
	SMTPD_VERB_HELP,
	SMTPD_VERB_AUTH,
	SMTPD_VERB_BDAT,
	SMTPD_VERB_PROXY, /* not SMTP: the first line of a proxy (proxy.h) */
	SMTPD_VERB_MAX,
};

/* Takes the first line of `in`.  1: a line without its CRLF; 0: it is not complete yet.  E_SYNTAX:
 * it has a CR, LF or NUL of its own; E_LIMIT: it is too long (*ret_used may stop before its end:
 * call again until the result differs).  Unless it gives 0, consume *ret_used bytes. */
int smtpd_command_line(struct slice in, struct slice *ret_line, size_t *ret_used) MUST_CHECK;
enum smtpd_verb smtpd_command_verb(struct slice line, struct slice *ret_argument);

struct smtpd_path_param {
	struct slice name, value;
};
struct smtpd_path {
	struct slice address; /* between the brackets */
	unsigned n;
	struct smtpd_path_param params[SMTPD_COMMAND_PARAMS_MAX];
};
/* prefix: "FROM:" or "TO:". */
int smtpd_command_path(struct slice argument, struct slice prefix,
		       struct smtpd_path *ret) MUST_CHECK;
