/* bench/sink_rules.h - how the sink treats its clients.  The first line that matches counts:
 *	domain <name or *.suffix>  defer N          the first N tries of each recipient get 451
 *	domain <...>               defer-share P    P percent of RCPTs get 451 (by a counter)
 *	domain <...>               refuse           550 5.1.1 for each recipient
 *	domain <...>               refuse-share P   550 for P percent of recipients, by hash
 *	domain <...>               close            the connection ends at RCPT
 *	domain <...>               close-at-dot     the connection ends instead of the last answer
 *	domain <...>               slow MS          the last answer takes MS milliseconds
 *	host   <ip>                busy             421 instead of a greeting
 * Limits: 4,096 rules. */
#pragma once
#include "base/base.h"

enum sink_action { SINK_ACCEPT, SINK_DEFER, SINK_REFUSE, SINK_CLOSE, SINK_BUSY };
struct sink_verdict {
	enum sink_action action;
	int64_t delay_ms;
};
struct sink_rules;
struct sink_rules *sink_rules_new(void);
int sink_rules_read(struct sink_rules *rs, const char *path) MUST_CHECK;
struct sink_verdict sink_rules_at_connect(struct sink_rules *rs, const char *ip);
struct sink_verdict sink_rules_at_rcpt(struct sink_rules *rs, const char *rcpt);
struct sink_verdict sink_rules_at_dot(struct sink_rules *rs, const char *domain);
