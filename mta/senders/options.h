/* mta/senders/options.h - what the operator says of senders and suppressions himself.
 *
 *	submission.senders       domain [ tenant [ pool ] ], ...
 *	submission.suppressions  a file: address [ "all" / "bulk" ] a line, "#" begins a comment
 *
 * What stands there holds beside what the control plane says, and goes before it.  A domain without
 * a tenant belongs to tenant 0, which is nobody's in particular.  Addresses are suppressed for
 * every tenant.
 * Owns:   senders_local() gives the caller what they say.
 * Blocks: senders_local() on the file.
 * Fails:  negative; the text, which holds OPTION_ERROR_MAX bytes, says where.
 * Limits: SENDERS_FILE_MAX bytes of file. */
#pragma once
#include "base/settings.h"
#include "mta/senders/known.h"

enum { SENDERS_FILE_MAX = 512 * 1024 * 1024 };
enum senders_check { SENDERS_CHECK_AUTO, SENDERS_CHECK_ALWAYS, SENDERS_CHECK_NEVER };
struct senders_options {
	/* rows */
	char *senders, *suppressions, *check_text;
	/* made from the rows */
	enum senders_check check;
};
extern const struct option_set senders_option_set;

/* Suppressions are those of tenant 0 in it. */
int senders_local(const struct senders_options *o, struct known **ret, char *error) MUST_CHECK;
