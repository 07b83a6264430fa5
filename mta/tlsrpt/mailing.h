/* mta/tlsrpt/mailing.h - a report about TLS as mail: RFC 8460 section 5.3.
 * Owns:    nothing; the caller's buf gets the message.
 * Fails:   mailing_put(): what spool_put() gives; E_EXISTS: the report was put before.
 * Threads: the lane's. */
#pragma once
#include "mta/tlsrpt/tlsrpt.h"

struct mailing {
	const char *from, *to;
	const char *domain, *submitter; /* whom the report is about, and who makes it */
	const struct results_report *report;
	struct slice packed; /* the JSON, gzipped */
	int64_t now_ms;
};
/* ASCII, lines of at most 998 bytes: every host can take it. */
void mailing_compose(const struct mailing *m, struct buf *out);
/* As a job of ours.  *ret_lsn: durable from there on.  The number of the job is made of the
 * report's and the address, so that it is put once. */
int mailing_put(struct engine *e, const struct mailing *m, job_no *ret_job,
		lsn_t *ret_lsn) MUST_CHECK;
