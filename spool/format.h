/* spool/format.h - the bytes of the log: segment header, record header, the payloads, and pure
 * functions between them and structs.  docs/SPOOL.md says the same in prose.
 *
 *	segment = header (128 bytes), record*, then zeros to the end of the file
 *	record  = header (24 bytes), payload, zeros up to a multiple of 8
 *
 * The header of a record carries the record's position, so bytes that an older use of a disk block
 * left, or that were written to a wrong place, never parse.  It also carries how far before it its
 * batch began: everything before that was synced before this record was written.  That tells a torn
 * tail (allowed) from damage to acknowledged records (never passed over).
 *
 * Owns:   nothing; decoded slices point into the payload.
 * Fails:  E_CORRUPT for bytes that do not match their checksum or their grammar.
 * Limits: little-endian hosts. */
#pragma once
#include "spool/spool.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the log is little-endian");

#define SEGMENT_MAGIC 0x31474f4c4e545350ULL /* "PSTNLOG1" */
enum { FORMAT_VERSION = 1, SEGMENT_HEADER = 128, RECORD_HEADER = 24, RECORD_MAGIC = 0x5052 };
enum { CONTENT_MAX = 64 << 20, PAYLOAD_MAX = CONTENT_MAX + (64 << 10), ROWS_MAX = 65535 };
enum { RULE_KEY_MAX = 512, RULE_VALUE_MAX = 64 << 10, CONSUMER_NAME_MAX = 64 };
enum { TEXT_MAX = 512, HOST_MAX = 255, PEER_MAX = 64, RCPT_MAX = 512, WORD_MAX = 127 };

enum record_type {
	RECORD_CONTENT = 1,
	RECORD_JOB = 2,
	RECORD_OUTCOME = 3,
	RECORD_RULE = 4,
	RECORD_CONSUMER = 5,
	RECORD_MARK = 6,       /* empty: it says that everything before it was synced */
	RECORD_LOST = 7,       /* in the place of damaged bytes, which are its payload */
	RECORD_REPAIR = 8,     /* the totals after a repair */
	RECORD_RETURNED = 9,   /* what a mail that came back says: spool/late_format.h */
	RECORD_LATE_MAIL = 10, /* such a mail, until it was read */
	RECORD_TALLY = 11,     /* totals of these two, at the beginning of a segment */
	RECORD_TYPES,
};
enum {
	RECORD_COPY = 1, /* made by the cleaner: state, not an event */
	RECORD_MORE = 2, /* belongs with the next record: both or neither */
};

/* Totals since the spool was made, as of a position in the log. */
struct totals {
	uint64_t accepted, delivered, bounced, expired, cancelled, deferred;
};
struct segment_header {
	uint64_t magic;
	uint32_t version, length;
	uint64_t spool_hi, spool_lo; /* the spool this file belongs to */
	uint64_t start;
	struct totals base;
	uint64_t created_ms;
	uint64_t lost;   /* belongs to the totals: struct repair_fixed */
	uint8_t rebuilt; /* 1: written by a repair, which did not know the totals */
	uint8_t zero[19];
	uint32_t crc;
};
static_assert(sizeof(struct segment_header) == SEGMENT_HEADER, "no padding");

struct record_header {
	uint32_t crc;    /* CRC-32C over payload, then over this header without crc */
	uint32_t length; /* of the payload, without padding */
	uint16_t magic;
	uint8_t type, flags;
	uint32_t batch_back; /* position - batch_back: where this commit's batch began */
	uint64_t lsn;        /* salted with the spool's own number, see record_salt() */
};
static_assert(sizeof(struct record_header) == RECORD_HEADER, "no padding");

static inline uint64_t record_size(uint64_t payload)
{
	return (RECORD_HEADER + payload + 7) & ~(uint64_t)7;
}

struct content_fixed {
	struct id128 id;
	uint32_t meta_len, bytes_len;
};
struct job_fixed {
	struct id128 id, content;
	uint64_t tenant, campaign;
	int64_t accepted_ms, expires_ms;
	uint32_t rows, meta_len, data_len, raw_len; /* raw_len: before compression */
	uint8_t class, packed, zero[6];
};
static_assert(sizeof(struct content_fixed) == 24 && sizeof(struct job_fixed) == 88, "no padding");

/* The first bytes of a LOST record's payload, where it has as many: recipients of the jobs that the
 * damaged bytes seem to hold. */
struct lost_fixed {
	uint64_t rows;
};
/* The payload of REPAIR: the totals from here on; lost: accepted, and neither ended nor queued. */
struct repair_fixed {
	struct totals totals;
	uint64_t lost;
};

/* What the cleaner saw of a job when it copied it: after the job's payload in a RECORD_COPY.
 *	state = n_deferred u32, bitmap of finished rows, deferred * n_deferred */
struct deferred_row {
	uint32_t row;
	uint16_t attempts, zero;
	int64_t next_ms;
};

struct record {
	lsn_t lsn, end, batch; /* batch: everything before it was durable when this was written */
	uint8_t type, flags;
	struct slice payload;
};
struct job_view {
	struct job_fixed f;
	struct slice meta, data;
	struct slice bitmap;   /* of a copy; else empty */
	struct slice deferred; /* struct deferred_row each, unaligned */
};
struct outcome_view {
	struct id128 job;
	uint64_t tenant, campaign;
	struct outcome o;
};

void segment_header_seal(struct segment_header *h);
/* E_CORRUPT: no header; E_VERSION: a newer program's. */
int segment_header_check(const struct segment_header *h) MUST_CHECK;

/* A hash of the spool's number, XORed into positions so that records of another
 * spool never parse. */
uint64_t record_salt(struct id128 spool);
void record_seal(struct record_header *h, uint32_t payload_crc, lsn_t lsn, uint64_t salt);
/* Is there a whole, sound record of this spool with position lsn at p, which has n bytes?
 * 1: yes, *ret; 0: *ret_need bytes are needed, more than n; E_CORRUPT: there is no record. */
int record_parse(const char *p, size_t n, lsn_t lsn, uint64_t salt, struct record *ret,
		 size_t *ret_need) MUST_CHECK;

int record_decode_content(struct slice payload, struct content_fixed *f, struct slice *meta,
			  struct slice *bytes) MUST_CHECK;
int record_decode_job(const struct record *rec, struct job_view *ret) MUST_CHECK;

enum {
	OUTCOME_BYTES_MAX = 160 + TEXT_MAX + HOST_MAX + 2 * PEER_MAX + RCPT_MAX + 7 * (1 + WORD_MAX)
};
/* Cuts strings that are past their bounds.  buf holds OUTCOME_BYTES_MAX; gives the length. */
size_t record_encode_outcome(char *buf, struct id128 job, uint64_t tenant, uint64_t campaign,
			     const struct outcome *o);
int record_decode_outcome(struct slice payload, struct outcome_view *ret) MUST_CHECK;

int record_decode_rule(struct slice payload, struct slice *key, struct slice *value) MUST_CHECK;
int record_decode_consumer(struct slice payload, struct slice *name, lsn_t *cursor) MUST_CHECK;
