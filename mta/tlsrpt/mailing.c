/* mta/tlsrpt/mailing.c - the text of the mail, and its job. */
#include "mta/tlsrpt/mailing.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/hash.h"
#include "mta/tlsrpt/results_int.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"

enum { LINE = 76 };
static const uint64_t id_hi = 0x746c737270746d61; /* no other job's */

static void put_head(const struct mailing *m, const char *boundary, struct buf *out)
{
	char date[RFC5322_DATE_MAX];

	buf_putf(out,
		 "Date: %s\r\nFrom: <%s>\r\nTo: <%s>\r\n"
		 "Subject: Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>\r\n",
		 clock_rfc5322(m->now_ms, date), m->from, m->to, m->domain, m->submitter,
		 m->report->id);
	buf_putf(out,
		 "Message-ID: <tlsrpt.%s>\r\nTLS-Report-Domain: %s\r\nTLS-Report-Submitter: %s\r\n"
		 "TLS-Required: No\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		 "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
		 "\tboundary=\"%s\"\r\n\r\n",
		 m->report->id, m->domain, m->submitter, boundary);
}

static void put_words(const struct mailing *m, const char *boundary, struct buf *out)
{
	char date[RFC3339_MAX];

	clock_rfc3339(m->report->day * DAY_MS, date);
	buf_putf(out,
		 "--%s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
		 "This is a report about TLS of mail to %s on %.10s (UTC), as RFC 8460 has\r\n"
		 "it. The record at _smtp._tls.%s asks for it.\r\n\r\n",
		 boundary, m->domain, date, m->domain);
}

/* Section 5.1. */
static void put_name(const struct mailing *m, struct buf *out)
{
	int64_t begin_s = m->report->day * (DAY_MS / 1000);

	buf_putf(out, "%s!%s!%" PRId64 "!%" PRId64 "!%" PRIx64 ".json.gz", m->submitter, m->domain,
		 begin_s, begin_s + DAY_MS / 1000 - 1, m->report->nonce);
}

static void put_attachment(const struct mailing *m, const char *boundary, struct buf *out)
{
	struct buf text = { 0 };
	struct slice rest;

	buf_putf(out,
		 "--%s\r\nContent-Type: application/tlsrpt+gzip\r\n"
		 "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n"
		 "\tfilename=\"",
		 boundary);
	put_name(m, out);
	buf_put(out, SLICE("\"\r\n\r\n"));
	if (base64_encode(&text, m->packed) < 0)
		abort(); /* the report is small, and ours */
	rest = buf_data(&text);
	while (rest.n) {
		size_t n = MIN_OF(rest.n, (size_t)LINE);
		buf_put(out, slice_of(rest.p, n));
		buf_put(out, SLICE("\r\n"));
		rest = slice_skip(rest, n);
	}
	buf_free(&text);
}

void mailing_compose(const struct mailing *m, struct buf *out)
{
	struct buf boundary = { 0 };

	buf_putf(&boundary, "=_tlsrpt_%" PRIx64, m->report->nonce);
	put_head(m, buf_cstr(&boundary), out);
	put_words(m, buf_cstr(&boundary), out);
	put_attachment(m, buf_cstr(&boundary), out);
	buf_putf(out, "--%s--\r\n", buf_cstr(&boundary));
	buf_free(&boundary);
}

/* ---- the job ----------------------------------------------------------------------------- */

static struct id128 id_of(const struct mailing *m)
{
	return (struct id128){ id_hi, hash_mix(m->report->nonce) ^ hash_stable(slice_str(m->to)) };
}

static int put_parts(const struct mailing *m, struct buf *content_meta, struct buf *job_meta,
		     struct buf *row)
{
	struct wire_content_meta cm = { .sign_domain = slice_str(m->submitter) };
	struct wire_job_meta jm = { .mail_from = slice_str(m->from),
				    .origin = SLICE(TLSRPT_ORIGIN) };
	int r = wire_content_meta_put(content_meta, &cm);

	if (r == 0)
		r = wire_job_meta_put(job_meta, &jm);
	return r < 0 ? r : wire_row_put(row, slice_str(m->to), 0, NULL, 0);
}

static int put(struct engine *e, const struct mailing *m, struct buf parts[4], job_no *ret_job,
	       lsn_t *ret_lsn)
{
	struct id128 id = id_of(m);
	int r = put_parts(m, &parts[0], &parts[1], &parts[2]);
	struct content_in content = { .id = id };
	struct job_in job = { .id = id,
			      .content = id,
			      .class = CLASS_BULK,
			      .accepted_ms = m->now_ms,
			      .expires_ms = m->now_ms + RESULTS_LIFE_MS,
			      .rows = 1 };

	if (r < 0)
		return r;
	mailing_compose(m, &parts[3]);
	content.meta = buf_data(&parts[0]);
	content.bytes = buf_data(&parts[3]);
	job.meta = buf_data(&parts[1]);
	job.data = buf_data(&parts[2]);
	return spool_put(engine_spool(e), &content, &job, ret_job, ret_lsn);
}

int mailing_put(struct engine *e, const struct mailing *m, job_no *ret_job, lsn_t *ret_lsn)
{
	struct buf parts[4] = { { 0 }, { 0 }, { 0 }, { 0 } };
	int r = put(e, m, parts, ret_job, ret_lsn);

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		buf_free(&parts[i]);
	return r == E_CONFLICT ? E_EXISTS : r; /* that one has another date */
}
