/* mta/deliver/message_id.h - the Message-ID of a message that is made here for one recipient: the
 * same at every try, different for every recipient and on every installation.
 *
 * Guarantee: who has no access to the spool learns nothing from it: no number of a job, a campaign
 *            or a row, and not whether two messages belong together.
 * Owns:    nothing.  The secret is drawn once per spool and is a rule in its log, "engine/secret",
 *          so that it lives as long as the jobs do.
 * Blocks:  never.
 * Fails:   message_ids_open(): what reading and writing a rule gives; E_CORRUPT when the secret is
 *          none.
 * Threads: any, after message_ids_open(). */
#pragma once
#include "base/base.h"

struct spool;
struct message_ids {
	uint64_t key[2];
};
enum { MESSAGE_ID_MAX = 32 + 1 + 253 };

int message_ids_open(struct message_ids *ids, struct spool *sp) MUST_CHECK;
/* Without angle brackets.  buf holds MESSAGE_ID_MAX + 1 bytes; of the domain 253 are used. */
struct slice message_ids_write(const struct message_ids *ids, struct id128 job, uint32_t row,
			       struct slice domain, char *buf);
