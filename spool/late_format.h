/* spool/late_format.h - the bytes of the records about mail that came back: the mail, a fact, and
 * the tally at the beginning of a segment; for the files of spool/ and their tests.
 * Owns:  nothing; decoded slices point into the payload.
 * Fails: E_CORRUPT for bytes that do not match their grammar; one fact has one spelling. */
#pragma once
#include "spool/format.h"
#include "spool/late.h"

struct late_mail_fixed {
	struct id128 id;
	int64_t at_ms;
	uint32_t meta_len, bytes_len;
};
/* After the payload of a copy: how many facts of the mail are in the log already. */
struct late_copy_fixed {
	uint32_t seq, zero;
};
enum { LATE_TEXTS = 7 };
struct late_fixed {
	struct id128 mail, job;
	uint64_t tenant, campaign, key;
	int64_t at_ms;
	uint32_t row, seq, report_len, report_raw;
	uint16_t kind, flags, code, status[3];
	uint16_t len[LATE_TEXTS]; /* evidence, host, ip, to, rcpt, class, rule */
	uint8_t marks, packed;
	uint8_t zero[4];
};
static_assert(sizeof(struct late_fixed) == 112, "no padding");
enum { LATE_LAST = 1, LATE_AGAIN = 2 }; /* marks */

/* Totals since the spool was made. */
struct late_totals {
	uint64_t arrived, read, again, kinds[LATE_KINDS];
};
struct late_view {
	struct late_fact f;
	bool packed;      /* the report is */
	uint32_t raw_len; /* of the report */
};

int late_decode_mail(const struct record *rec, struct late_mail *ret, uint32_t *ret_seq) MUST_CHECK;
/* The fixed part; texts that are past their bounds are cut in `f`. */
struct late_fixed late_fixed_of(struct late_fact *f, uint32_t report_len, bool packed);
void late_texts(const struct late_fact *f, struct slice ret[LATE_TEXTS]); /* in their order */
int late_decode(struct slice payload, struct late_view *ret) MUST_CHECK;
void late_books(const struct late_totals *t, struct books *ret); /* but those that wait */
/* tally = totals, keys (8 bytes each) */
int late_decode_tally(struct slice payload, struct late_totals *ret, struct slice *keys) MUST_CHECK;
