/* mta/tlsrpt/tlsrpt.h - reports about TLS to the domains that want them (RFC 8460): the options,
 * and what a lane counts with.  Sessions are counted by whoever opens connections (mta/site);
 * results.h keeps the counts; outgoing.h hands over what is due, on the first lane.
 *
 * Off unless tlsrpt.from names a sender: a report is mail in the operator's name, and section 3
 * wants it signed by his domain.
 * Owns:    tlsrpt_of() is the lane's.
 * Threads: the lane's; tlsrpt_results() any. */
#pragma once
#include "mta/core/part.h"
#include "mta/policy/part.h"
#include "mta/tlsrpt/results.h"

struct tlsrpt_options {
	/* rows */
	char *from, *organisation, *contact;
	/* made from the rows */
	bool on;
	const char *domain; /* of `from` */
	const char *who, *whom_to_ask;
};
extern const struct option_set tlsrpt_option_set;

struct tlsrpt_counters {
	counter tls_report_sessions, tls_report_sessions_dropped;
	counter tls_reports_mailed, tls_reports_posted, tls_report_tries_failed,
	    tls_reports_given_up;
};
struct tlsrpt {
	struct lane *lane;
	struct policies *policies;
	struct results *results; /* all lanes' */
	const struct tlsrpt_options *options;
	struct timer timer;   /* the first lane's */
	struct list outgoing; /* mta/tlsrpt/outgoing.h */
	unsigned n_outgoing;
	struct tlsrpt_counters counters;
};
extern const struct part tlsrpt_part, tlsrpt_keeper_part;
struct tlsrpt *tlsrpt_of(struct lane *l);
struct results *tlsrpt_results(struct engine *e);
/* The session is counted where its domain wants reports. */
void tlsrpt_note(struct tlsrpt *t, const struct results_session *s);
/* The origin of jobs that are reports: they go whatever a domain's policy says (section 3), and
 * signed or not at all. */
#define TLSRPT_ORIGIN "tlsrpt"
