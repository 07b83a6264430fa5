/* spool/tables.h - the books in memory: the jobs, contents, rules and consumers that the spool
 * keeps.  Nothing here touches the disk or locks; spool/inside.h says who holds the lock.
 * Owns:   every entry; tables_free() ends all.
 * Fails:  never: small allocations end the process (base/base.h), rows are bounded by ROWS_MAX.
 * Limits: 4 Gi jobs and contents.  A row costs one bit, and 8 bytes once it was deferred. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "spool/keys_seen.h"
#include "spool/late_format.h"

#define NONE UINT32_MAX

enum kept_state { JOB_FREE, JOB_LIVE, JOB_DONE };
struct kept_job {
	struct id128 id;
	uint64_t tenant, campaign;
	int64_t accepted_ms, expires_ms;
	lsn_t lsn; /* of its newest record: JOB or copy */
	union {
		uint64_t one;
		uint64_t *many;
	} done; /* bitmap of finished rows; many when rows > 64 */
	union {
		uint64_t one;
		uint64_t **pages;
	} deferred;    /* a word per row: attempts << 48 | next_ms; one when rows == 1 */
	uint32_t size; /* of its newest record */
	uint32_t content, chain, seg_next;
	uint16_t rows, live;
	uint8_t class, state;
};
struct kept_content {
	struct id128 id;
	lsn_t lsn;
	uint32_t size, refs; /* jobs with live rows that use it */
	uint32_t chain, seg_next;
	bool used; /* slot is taken */
};
struct kept_rule {
	struct map_link link;
	struct list seg; /* on its segment's list */
	lsn_t lsn;
	uint32_t size, key_len, value_len;
	char bytes[]; /* key, value */
};
struct kept_mail { /* came back, and was not read to its end */
	struct map_link link;
	struct list seg, all; /* on its segment's list; in the order in which they came */
	struct id128 id;
	lsn_t lsn;
	uint32_t size, seq; /* seq: of the next fact */
};
struct kept_consumer {
	struct kept_consumer *next;
	lsn_t cursor, lsn;
	lsn_t flight, kept; /* what the batch being written says; what is durable */
	uint32_t size, name_len;
	char name[CONSUMER_NAME_MAX];
};

/* Slots in chunks that never move; a chain of free slots; a hash of slot numbers. */
enum { CHUNK = 256 };
struct slots {
	void **chunks;
	uint32_t *buckets;
	uint32_t used, free, count, mask; /* used: slots ever handed out */
	uint32_t n_chunks;
	uint64_t key; /* random, so that no peer can aim at one bucket */
};
struct tables {
	struct slots jobs, contents;
	struct map rules;
	struct kept_consumer *consumers;
	struct totals totals;
	uint64_t lost;  /* recipients that repairs of the log could not account for */
	lsn_t repaired; /* end of the last repair that the log tells of; 0: none */
	struct map mails;
	struct list mails_in_order;
	struct late_totals late;
	struct keys_seen keys; /* of facts */
	uint64_t queued, live_bytes, live_jobs, live_contents;
};

void tables_init(struct tables *t);
void tables_free(struct tables *t);

static inline struct kept_job *kept_job_at(const struct tables *t, uint32_t i)
{
	return (struct kept_job *)t->jobs.chunks[i / CHUNK] + i % CHUNK;
}
static inline struct kept_content *kept_content_at(const struct tables *t, uint32_t i)
{
	return (struct kept_content *)t->contents.chunks[i / CHUNK] + i % CHUNK;
}
uint32_t kept_job_find(const struct tables *t, struct id128 id); /* NONE */
uint32_t kept_job_add(struct tables *t, const struct job_fixed *f);
void kept_job_forget(struct tables *t, uint32_t i);
uint32_t kept_content_find(const struct tables *t, struct id128 id);
uint32_t kept_content_add(struct tables *t, struct id128 id);
void kept_content_forget(struct tables *t, uint32_t i);

bool kept_row_done(const struct kept_job *j, uint32_t row);
void kept_row_set_done(struct kept_job *j, uint32_t row); /* and forgets its deferral */
uint64_t kept_row_deferred(const struct kept_job *j, uint32_t row);
void kept_row_set_deferred(struct kept_job *j, uint32_t row, uint16_t attempts, int64_t next_ms);
uint32_t kept_job_count_deferred(const struct kept_job *j);
/* The bitmap as it stands on disk: (rows + 7) / 8 bytes. */
const char *kept_job_bitmap(const struct kept_job *j);
void kept_job_drop_state(
    struct kept_job *j); /* the memory of rows, when the last one is finished */

static inline uint16_t kept_deferred_attempts(uint64_t w)
{
	return (uint16_t)(w >> 48);
}
static inline int64_t kept_deferred_next(uint64_t w)
{
	return (int64_t)(w & 0xffffffffffff);
}

struct kept_rule *kept_rule_find(const struct tables *t, struct slice key);
struct kept_rule *kept_rule_set(struct tables *t, struct slice key,
				struct slice value); /* new entry, no place yet */
void kept_rule_drop(struct tables *t, struct kept_rule *rule);
struct kept_consumer *kept_consumer_find(const struct tables *t, struct slice name);
struct kept_consumer *kept_consumer_set(struct tables *t, struct slice name, lsn_t cursor);
void kept_consumer_drop(struct tables *t, struct kept_consumer *c);
void kept_mail_drop(struct tables *t, struct kept_mail *m);
lsn_t kept_consumers_slowest(
    const struct tables *t); /* durable cursors; UINT64_MAX: there is none */
