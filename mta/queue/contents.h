/* mta/queue/contents.h - messages and programs of the spool, kept while they are likely to be read
 * again.
 * Owns:   what it keeps; holders count references.  A content that only one delivery reads (a job
 *         of one recipient) leaves at once.  Above the limit of bytes, those that were unused for
 *         longest leave first.
 * Blocks: on the spool's files (page cache, else disk).
 * Fails:  E_UNKNOWN: the content no longer exists; E_CORRUPT, E_SYNTAX, -errno.
 * Limits: one lane. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "message/program.h"
#include "schema/wire/meta.h"
#include "spool/spool.h"

struct content {
	struct map_link link;
	struct list rest;
	unsigned refs;
	bool once; /* one recipient: not worth keeping */
	struct id128 id;
	struct wire_content_meta meta;
	struct buf meta_bytes, bytes;
	struct program *program; /* NULL: a raw message */
	bool judged;             /* a message of it, signed, has passed libopendkim */
};
struct contents {
	struct spool *spool;
	struct map map;
	struct list rest, spare;
	unsigned n_spare;
	size_t bytes, max;
};
void contents_init(struct contents *c, struct spool *sp);
void contents_end(struct contents *c);
/* With a reference. */
int contents_get(struct contents *c, struct id128 id, bool once, struct content **ret) MUST_CHECK;
void contents_unref(struct contents *c, struct content *k); /* takes NULL */
