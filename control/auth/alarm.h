/* control/auth/alarm.h - failed logins: counted for monitoring, and told when they rise.
 *
 * An alarm is a line in the log (auth.alarm), one in the organisation's audit (login.alarm) and a
 * mail to its admins.  It is raised by auth.alarm_failures failures within an hour, and when an
 * account's tries are used up; not again within six hours.
 *
 * Blocks:  on the database, in the open transaction of org, where it says so.
 * Threads: any. */
#pragma once
#include "base/buf.h"
#include "control/http/call.h"

enum alarm_kind { ALARM_PASSWORD, ALARM_CODE, ALARM_THROTTLED, ALARM_KINDS };

void alarm_count(enum alarm_kind kind); /* also where no account is known; does not block */
/* A failure at an account of org, in its transaction. */
int alarm_failure(struct call *c, uint32_t org, enum alarm_kind kind) MUST_CHECK;
/* The tries at an account of org are used up; begins a transaction of its own, at most once an hour
 * and organisation. */
int alarm_throttled(struct call *c, uint32_t org) MUST_CHECK;
/* Prometheus' text. */
void alarm_metrics(struct buf *out);
