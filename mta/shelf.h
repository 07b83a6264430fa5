/* mta/shelf.h - what deliveries read from the spool, kept while it is likely to be read again:
 *	chunk    the recipients of a job, decoded, and the job's meta
 *	content  a message or program, and its meta
 *	keyring  the DKIM keys of a domain
 * Owns:   what it keeps; holders count references.  What only one delivery will read (jobs of one
 *         recipient) leaves at once; the rest goes longest unused first, past the byte limits.
 * Blocks: on the spool's files (page cache, else disk) and the key folder.
 * Limits: one lane. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "dkim/keydir.h"
#include "message/program.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"
#include "spool/spool.h"

struct chunk {
	struct map_link link;
	struct list rest; /* unused, or the spare list */
	unsigned refs;
	job_no job;
	struct job_info info;
	struct wire_job_meta meta;
	struct buf meta_bytes, data;
	struct wire_rows *rows;
};
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
struct keyring {
	struct map_link link;
	struct sign_key *keys[KEYDIR_KEYS_MAX];
	unsigned n;
	int err;               /* why there are none */
	int64_t look_again_ms; /* monotonic; keys may have been put there by hand */
	uint64_t print;        /* of the public halves: says when they became others */
	bool judged;           /* a message signed with them has passed libopendkim */
	char domain[256];
};

struct shelf {
	struct spool *spool;
	struct map chunks, contents, keyrings;
	struct list chunks_rest, contents_rest, chunks_spare, contents_spare;
	unsigned n_chunks_spare, n_contents_spare;
	size_t chunk_bytes, content_bytes, chunk_max, content_max;
};
void shelf_init(struct shelf *c, struct spool *sp);
void shelf_free(struct shelf *c);
/* With a reference. E_UNKNOWN: no such job or content any more. */
int shelf_chunk(struct shelf *c, job_no job, struct chunk **ret) MUST_CHECK;
void shelf_chunk_unref(struct shelf *c, struct chunk *k);
void shelf_chunk_forget(struct shelf *c, job_no job); /* the number went to another job */
int shelf_content(struct shelf *c, struct id128 id, bool once, struct content **ret) MUST_CHECK;
void shelf_content_unref(struct shelf *c, struct content *k);
/* Borrowed until the next call that may forget it. */
struct keyring *shelf_keys(struct shelf *c, const char *dir, struct slice domain, int64_t now_ms);
void shelf_keys_forget(struct shelf *c, struct slice domain); /* all when empty */
