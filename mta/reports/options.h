/* mta/reports/options.h - the options of the listener for mail that comes back.
 * Owns:   the settings own the struct they were read into (base/settings.h).
 * Fails:  derive: E_SYNTAX, with what is expected.
 * Limits: those of mta/config/entries.h; MAILBOXES_MAX mailboxes. */
#pragma once
#include "base/settings.h"
#include "message/mailbox.h"
#include "mta/config/entries.h"

enum { MAILBOXES_MAX = 64 };
struct reports_options {
	/* rows */
	char *listen, *mailbox, *forward;
	int64_t max_size, max_rcpts, max_sessions, max_sessions_client, timeout, rate,
	    reader_timeout;
	/* made from the rows */
	struct listener_list listeners;
	struct slice mailboxes[MAILBOXES_MAX]; /* they point into `mailbox` */
	unsigned n_mailboxes;
	const char *rules; /* the path of replies.rules */
};
extern const struct option_set reports_option_set;
/* Is this one of the mailboxes?  One without a host stands for that name at every host of ours. */
bool reports_is_mailbox(const struct reports_options *o, struct slice local, struct slice address);
