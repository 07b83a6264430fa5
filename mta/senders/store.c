/* mta/senders/store.c - the file of senders and suppressions: read at the start, appended to, and
 * written anew. */
#include "mta/senders/store.h"

#include <fcntl.h>
#include <openssl/evp.h>

#include "base/random.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the file is little-endian");

#define NEW_FILE STORE_FILE ".new"
#define MAGIC "PSTNSEND"
enum { STORE_VERSION = 1, LONG_ENOUGH = 1024 * 1024 };
enum block_kind { BLOCK_PART = 1, BLOCK_END = 2, BLOCK_CHANGE = 3 };

struct file_head {
	char magic[8];
	uint32_t version, zero;
	uint64_t nonce[2];
	uint8_t digest[DIGEST_SIZE];
};
struct block_head {
	uint32_t length, kind;
	uint8_t digest[DIGEST_SIZE];
};
struct store_file {
	int fd; /* -1: none */
	uint64_t size, set_size;
	uint8_t digest[DIGEST_SIZE]; /* of the head */
};
struct store {
	const struct disk *disk;
	int dirfd;
	struct store_file now, coming;
	bool poisoned;
	EVP_MD_CTX *md;
	struct buf block;
};

/* ---- digests ----------------------------------------------------------------------------- */

/* The pieces one after the other. */
static void digest_of(struct store *s, const struct slice *pieces, size_t n, uint8_t *ret)
{
	uint8_t whole[EVP_MAX_MD_SIZE];
	bool ok = EVP_DigestInit_ex(s->md, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; i < n; i++)
		ok = ok && EVP_DigestUpdate(s->md, pieces[i].p, pieces[i].n) == 1;
	ok = ok && EVP_DigestFinal_ex(s->md, whole, NULL) == 1;
	assert(ok);
	(void)ok;
	memcpy(ret, whole, DIGEST_SIZE);
}

static void block_digest(struct store *s, const struct store_file *f, uint64_t at,
			 const struct block_head *h, struct slice facts, uint8_t *ret)
{
	const struct slice pieces[] = { slice_of(f->digest, DIGEST_SIZE), slice_of(&at, sizeof(at)),
					slice_of(h, offsetof(struct block_head, digest)), facts };

	digest_of(s, pieces, ARRAY_LEN(pieces), ret);
}

static void head_digest(struct store *s, const struct file_head *h, uint8_t *ret)
{
	const struct slice piece = slice_of(h, offsetof(struct file_head, digest));

	digest_of(s, &piece, 1, ret);
}

/* ---- reading ----------------------------------------------------------------------------- */

struct store_reading {
	struct store *s;
	struct known *known;
	struct store_fault *fault;
	uint64_t size; /* of the file */
	bool ended;    /* the whole set has */
};

static int damaged(struct store_reading *g, const char *reason)
{
	g->fault->offset = g->s->now.size;
	g->fault->reason = reason;
	return E_CORRUPT;
}

static int read_at(struct store *s, uint64_t at, void *p, size_t n)
{
	ssize_t got = s->disk->pread(s->disk->self, s->now.fd, p, n, at);

	return got < 0 ? (int)got : (size_t)got == n ? 0 : E_EOF;
}

static int read_file_head(struct store_reading *g)
{
	struct store *s = g->s;
	struct file_head h;
	uint8_t digest[DIGEST_SIZE];
	int r = read_at(s, 0, &h, sizeof(h));

	if (r == E_EOF || (r == 0 && memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0))
		return damaged(g, "this is no file of senders");
	if (r < 0)
		return r;
	head_digest(s, &h, digest);
	if (memcmp(digest, h.digest, DIGEST_SIZE) != 0)
		return damaged(g, "the head does not have its digest");
	if (h.version != STORE_VERSION)
		return E_VERSION;
	memcpy(s->now.digest, digest, DIGEST_SIZE);
	s->now.size = sizeof(h);
	return 0;
}

/* The block at the end of what was read: 1 and it is in s->block; 0: it is not whole. */
static int read_block(struct store_reading *g, struct block_head *h)
{
	struct store *s = g->s;
	uint8_t digest[DIGEST_SIZE];
	int r = read_at(s, s->now.size, h, sizeof(*h));

	if (r < 0)
		return r == E_EOF ? 0 : r;
	if (h->length > STORE_FACTS_MAX || h->kind < BLOCK_PART || h->kind > BLOCK_CHANGE)
		return 0;
	buf_clear(&s->block);
	r = buf_reserve(&s->block, h->length + 1);
	if (r == 0)
		r = read_at(s, s->now.size + sizeof(*h), buf_tail(&s->block), h->length);
	if (r < 0)
		return r == E_EOF ? 0 : r;
	buf_grow(&s->block, h->length);
	block_digest(s, &s->now, s->now.size, h, buf_data(&s->block), digest);
	return memcmp(digest, h->digest, DIGEST_SIZE) == 0;
}

static int take_block(struct store_reading *g, const struct block_head *h)
{
	struct store *s = g->s;
	struct slice facts = buf_data(&s->block);
	int r;

	if ((h->kind == BLOCK_CHANGE) != g->ended || (h->kind == BLOCK_END && facts.n))
		return damaged(g, "the blocks are not in order");
	r = known_prepare(g->known, facts);
	if (r < 0)
		return r == E_SYNTAX || r == E_LIMIT ? damaged(g, "a block holds no facts") : r;
	known_take(g->known, facts);
	s->now.size += sizeof(*h) + h->length;
	if (h->kind == BLOCK_END) {
		g->ended = true;
		s->now.set_size = s->now.size;
	}
	return 0;
}

static bool is_block_at(struct store *s, struct slice rest, size_t at)
{
	uint8_t digest[DIGEST_SIZE];
	struct block_head h;

	memcpy(&h, rest.p + at, sizeof(h));
	if (h.kind != BLOCK_CHANGE || h.length > rest.n - at - sizeof(h))
		return false;
	block_digest(s, &s->now, s->now.size + at, &h, slice_of(rest.p + at + sizeof(h), h.length),
		     digest);
	return memcmp(digest, h.digest, DIGEST_SIZE) == 0;
}

/* Is there a whole block behind one that is not?  1, 0, or negative. */
static int others_follow(struct store_reading *g)
{
	struct store *s = g->s;
	size_t left = g->size - s->now.size;
	int r;

	buf_clear(&s->block);
	r = buf_reserve(&s->block, left + 1);
	if (r == 0)
		r = read_at(s, s->now.size, buf_tail(&s->block), left);
	if (r < 0)
		return r;
	buf_grow(&s->block, left);
	for (size_t at = 1; at + sizeof(struct block_head) <= left; at++)
		if (is_block_at(s, buf_data(&s->block), at))
			return 1;
	return 0;
}

/* A crash can only have torn the one block that was being appended.  A set is synced before it gets
 * its name. */
static int judge_end(struct store_reading *g)
{
	uint64_t left = g->size - g->s->now.size;
	int r;

	if (!g->ended)
		return damaged(g, "the set has no end");
	if (!left)
		return 0;
	r = left > sizeof(struct block_head) + STORE_FACTS_MAX ? 1 : others_follow(g);
	return r > 0 ? damaged(g, "a block does not have its digest") : r;
}

static int cut_end(struct store_reading *g)
{
	struct store *s = g->s;
	int r;

	g->fault->cut = g->size - s->now.size;
	if (!g->fault->cut)
		return 0;
	r = s->disk->truncate(s->disk->self, s->now.fd, s->now.size);
	return r < 0 ? r : s->disk->sync_data(s->disk->self, s->now.fd);
}

static int read_all(struct store_reading *g)
{
	struct block_head h = { 0 };
	int r = g->s->disk->size(g->s->disk->self, g->s->now.fd, &g->size);

	if (r >= 0)
		r = read_file_head(g);
	if (r < 0)
		return r;
	while (g->s->now.size < g->size && (r = read_block(g, &h)) > 0) {
		r = take_block(g, &h);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	r = judge_end(g);
	return r < 0 ? r : cut_end(g);
}

/* ---- life -------------------------------------------------------------------------------- */

static void close_file(struct store *s, struct store_file *f)
{
	if (f->fd >= 0)
		(void)s->disk->close(s->disk->self, f->fd);
	*f = (struct store_file){ .fd = -1 };
}

struct store *store_free(struct store *s)
{
	if (!s)
		return NULL;
	close_file(s, &s->now);
	close_file(s, &s->coming);
	EVP_MD_CTX_free(s->md);
	buf_free(&s->block);
	free(s);
	return NULL;
}

int store_open(struct store **ret, const struct disk *disk, int dirfd, struct known **ret_known,
	       struct store_fault *fault)
{
	OWNED(known) known = known_new();
	OWNED(store) s = must_alloc(sizeof(*s));
	struct store_reading g = { .s = s, .known = known, .fault = fault };
	int r;

	*fault = (struct store_fault){ 0 };
	s->disk = disk;
	s->now.fd = s->coming.fd = -1;
	s->md = EVP_MD_CTX_new();
	assert(s->md);
	s->dirfd = dirfd;
	r = disk->open(disk->self, s->dirfd, STORE_FILE, O_RDWR, 0);
	if (r >= 0) {
		s->now.fd = r;
		r = read_all(&g);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	(void)disk->unlink(disk->self, s->dirfd, NEW_FILE);
	*ret_known = TAKE(known);
	*ret = TAKE(s);
	return 0;
}

bool store_is_fed(const struct store *s)
{
	return s->now.fd >= 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

/* Appends one block; f is as before when that fails. */
static int append(struct store *s, struct store_file *f, enum block_kind kind, struct slice facts)
{
	struct block_head h = { .length = (uint32_t)facts.n, .kind = kind };
	ssize_t n;
	int r;

	if (facts.n > STORE_FACTS_MAX)
		return E_LIMIT;
	block_digest(s, f, f->size, &h, facts, h.digest);
	buf_clear(&s->block);
	r = buf_append(&s->block, slice_of(&h, sizeof(h)));
	if (r == 0)
		r = buf_append(&s->block, facts);
	if (r < 0)
		return r;
	n = s->disk->pwrite(s->disk->self, f->fd, buf_data(&s->block).p, buf_len(&s->block),
			    f->size);
	if (n < 0)
		return (int)n;
	f->size += sizeof(h) + facts.n;
	return 0;
}

int store_change(struct store *s, struct slice facts)
{
	struct store_file before = s->now;
	int r;

	if (s->now.fd < 0)
		return E_CONFLICT; /* a change of what? */
	if (s->poisoned)
		return E_POISONED;
	r = append(s, &s->now, BLOCK_CHANGE, facts);
	if (r == 0) {
		r = s->disk->sync_data(s->disk->self, s->now.fd);
		s->poisoned = r < 0;
	}
	if (r < 0) {
		/* What was written of it must not lie before the next block. */
		s->now = before;
		if (s->disk->truncate(s->disk->self, s->now.fd, s->now.size) < 0)
			s->poisoned = true;
	}
	return r < 0 ? r : 0;
}

bool store_is_long(const struct store *s)
{
	return s->now.fd >= 0 &&
	       s->now.size - s->now.set_size > MAX_OF(s->now.set_size, (uint64_t)LONG_ENOUGH);
}

static int begin_file(struct store *s)
{
	struct file_head h = { .version = STORE_VERSION, .nonce = { random_u64(), random_u64() } };
	ssize_t n;
	int fd;

	(void)s->disk->unlink(s->disk->self, s->dirfd, NEW_FILE);
	fd = s->disk->open(s->disk->self, s->dirfd, NEW_FILE, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	s->coming.fd = fd;
	memcpy(h.magic, MAGIC, sizeof(h.magic));
	head_digest(s, &h, h.digest);
	n = s->disk->pwrite(s->disk->self, fd, &h, sizeof(h), 0);
	if (n < 0)
		return (int)n;
	s->coming.size = sizeof(h);
	memcpy(s->coming.digest, h.digest, DIGEST_SIZE);
	return 0;
}

static int drop_coming(struct store *s, int err)
{
	close_file(s, &s->coming);
	(void)s->disk->unlink(s->disk->self, s->dirfd, NEW_FILE);
	return err;
}

int store_begin(struct store *s)
{
	int r;

	close_file(s, &s->coming);
	r = begin_file(s);
	return r < 0 ? drop_coming(s, r) : 0;
}

/* Synced part by part, so that the end does not wait for all of it. */
int store_part(struct store *s, struct slice facts)
{
	int r = s->coming.fd < 0 ? E_CONFLICT : append(s, &s->coming, BLOCK_PART, facts);

	if (r == 0)
		r = s->disk->sync_data(s->disk->self, s->coming.fd);
	return r < 0 ? drop_coming(s, r) : 0;
}

int store_end(struct store *s)
{
	const struct disk *d = s->disk;
	int r = s->coming.fd < 0 ? E_CONFLICT : append(s, &s->coming, BLOCK_END, SLICE(""));

	if (r == 0)
		r = d->sync_data(d->self, s->coming.fd);
	if (r >= 0)
		r = d->rename(d->self, s->dirfd, NEW_FILE, STORE_FILE);
	if (r < 0)
		return drop_coming(s, r);
	close_file(s, &s->now);
	s->now = s->coming;
	s->now.set_size = s->now.size;
	s->coming = (struct store_file){ .fd = -1 };
	/* Until the folder is synced the old file may come back, and with it the past. */
	r = d->sync_dir(d->self, s->dirfd);
	s->poisoned = r < 0;
	return r < 0 ? r : 0;
}
