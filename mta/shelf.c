#include "mta/shelf.h"

#include "base/hash.h"

enum {
	SPARE_MAX = 64,
	SPARE_BYTES = 256 * 1024,
	KEYS_LOOK_MS = 60 * 1000,
	KEYS_NONE_LOOK_MS = 5 * 1000
};

void shelf_init(struct shelf *c, struct spool *sp)
{
	*c = (struct shelf){ .spool = sp };
	map_init(&c->chunks);
	map_init(&c->contents);
	map_init(&c->keyrings);
	list_init(&c->chunks_rest);
	list_init(&c->contents_rest);
	list_init(&c->chunks_spare);
	list_init(&c->contents_spare);
}

/* ---- chunks ------------------------------------------------------------------------------ */

/* The decoded view takes about as much again as its bytes. */
static size_t chunk_size(const struct chunk *k)
{
	return sizeof(*k) + k->meta_bytes.cap + 2 * k->data.cap;
}

static void chunk_destroy(struct chunk *k)
{
	wire_rows_free(k->rows);
	buf_free(&k->meta_bytes);
	buf_free(&k->data);
	free(k);
}

static void chunk_drop(struct shelf *c, struct chunk *k)
{
	c->chunk_bytes -= chunk_size(k);
	if (k->link.hash)
		map_remove(&c->chunks, &k->link);
	list_remove(&k->rest);
	if (c->n_chunks_spare == SPARE_MAX || chunk_size(k) > SPARE_BYTES) {
		chunk_destroy(k);
		return;
	}
	k->rows = wire_rows_free(k->rows);
	buf_clear(&k->meta_bytes);
	buf_clear(&k->data);
	list_push(&c->chunks_spare, &k->rest);
	c->n_chunks_spare++;
}

static struct chunk *chunk_blank(struct shelf *c)
{
	struct list *l = list_pop(&c->chunks_spare);
	struct chunk *k;

	if (l) {
		c->n_chunks_spare--;
		return container_of(l, struct chunk, rest);
	}
	k = must_alloc(sizeof(*k));
	list_init(&k->rest);
	buf_init(&k->meta_bytes, 0);
	buf_init(&k->data, 0);
	return k;
}

static uint64_t chunk_hash(job_no job)
{
	return hash_mix(job) | 1; /* never 0: 0 marks a chunk that is in no map */
}

static struct chunk *chunk_find(struct shelf *c, job_no job)
{
	for (struct map_link *l = map_find(&c->chunks, chunk_hash(job)); l; l = map_find_next(l)) {
		struct chunk *k = container_of(l, struct chunk, link);
		if (k->job == job)
			return k;
	}
	return NULL;
}

static int chunk_read(struct shelf *c, job_no job, struct chunk *k)
{
	int r;

	k->job = job;
	r = spool_job_info(c->spool, job, &k->info);
	if (r < 0)
		return r;
	r = spool_read_job(c->spool, job, &k->meta_bytes, &k->data);
	if (r < 0)
		return r;
	r = wire_job_meta_get(buf_data(&k->meta_bytes), &k->meta);
	if (r < 0)
		return r;
	return wire_rows_open(&k->rows, buf_data(&k->data), k->info.rows);
}

int shelf_chunk(struct shelf *c, job_no job, struct chunk **ret)
{
	struct chunk *k = chunk_find(c, job);
	int r;

	if (k) {
		list_remove(&k->rest);
		k->refs++;
		*ret = k;
		return 0;
	}
	k = chunk_blank(c);
	r = chunk_read(c, job, k);
	c->chunk_bytes += chunk_size(k);
	if (r < 0) {
		k->link.hash = 0;
		chunk_drop(c, k);
		return r;
	}
	k->refs = 1;
	map_insert(&c->chunks, &k->link, chunk_hash(job));
	*ret = k;
	return 0;
}

void shelf_chunk_unref(struct shelf *c, struct chunk *k)
{
	if (!k || --k->refs)
		return;
	if (k->link.hash == 0) { /* forgotten meanwhile */
		chunk_drop(c, k);
		return;
	}
	list_push(&c->chunks_rest, &k->rest);
	while (c->chunk_bytes > c->chunk_max &&
	       (k = list_first(&c->chunks_rest, struct chunk, rest)))
		chunk_drop(c, k);
}

void shelf_chunk_forget(struct shelf *c, job_no job)
{
	struct chunk *k = chunk_find(c, job);

	if (!k)
		return;
	if (!k->refs) {
		chunk_drop(c, k);
		return;
	}
	map_remove(&c->chunks, &k->link);
	k->link.hash = 0;
}

/* ---- contents ---------------------------------------------------------------------------- */

static size_t content_size(const struct content *k)
{
	return sizeof(*k) + k->meta_bytes.cap + k->bytes.cap;
}

static void content_destroy(struct content *k)
{
	program_free(k->program);
	buf_free(&k->meta_bytes);
	buf_free(&k->bytes);
	free(k);
}

static void content_drop(struct shelf *c, struct content *k, bool mapped)
{
	c->content_bytes -= content_size(k);
	if (mapped)
		map_remove(&c->contents, &k->link);
	list_remove(&k->rest);
	k->program = program_free(k->program);
	if (c->n_contents_spare == SPARE_MAX || content_size(k) > SPARE_BYTES) {
		content_destroy(k);
		return;
	}
	buf_clear(&k->meta_bytes);
	buf_clear(&k->bytes);
	list_push(&c->contents_spare, &k->rest);
	c->n_contents_spare++;
}

static struct content *content_blank(struct shelf *c)
{
	struct list *l = list_pop(&c->contents_spare);
	struct content *k;

	if (l) {
		c->n_contents_spare--;
		return container_of(l, struct content, rest);
	}
	k = must_alloc(sizeof(*k));
	list_init(&k->rest);
	buf_init(&k->meta_bytes, 0);
	buf_init(&k->bytes, 0);
	return k;
}

static uint64_t content_hash(struct id128 id)
{
	return hash_mix(id.hi ^ hash_mix(id.lo + 1));
}

static struct content *content_find(struct shelf *c, struct id128 id)
{
	for (struct map_link *l = map_find(&c->contents, content_hash(id)); l;
	     l = map_find_next(l)) {
		struct content *k = container_of(l, struct content, link);
		if (id_eq(k->id, id))
			return k;
	}
	return NULL;
}

static int content_read(struct shelf *c, struct id128 id, struct content *k)
{
	int r;

	k->id = id;
	r = spool_read_content(c->spool, id, &k->meta_bytes, &k->bytes);
	if (r < 0)
		return r;
	r = wire_content_meta_get(buf_data(&k->meta_bytes), &k->meta);
	if (r < 0)
		return r;
	return k->meta.program ? program_load(&k->program, buf_data(&k->bytes)) : 0;
}

int shelf_content(struct shelf *c, struct id128 id, bool once, struct content **ret)
{
	struct content *k = content_find(c, id);
	int r;

	if (k) {
		list_remove(&k->rest);
		k->refs++;
		k->once = k->once && once;
		*ret = k;
		return 0;
	}
	k = content_blank(c);
	k->judged = false;
	r = content_read(c, id, k);
	c->content_bytes += content_size(k);
	if (r < 0) {
		content_drop(c, k, false);
		return r;
	}
	k->refs = 1;
	k->once = once;
	map_insert(&c->contents, &k->link, content_hash(id));
	*ret = k;
	return 0;
}

void shelf_content_unref(struct shelf *c, struct content *k)
{
	if (!k || --k->refs)
		return;
	if (k->once) {
		content_drop(c, k, true);
		return;
	}
	list_push(&c->contents_rest, &k->rest);
	while (c->content_bytes > c->content_max &&
	       (k = list_first(&c->contents_rest, struct content, rest)))
		content_drop(c, k, true);
}

/* ---- keys -------------------------------------------------------------------------------- */

static void keyring_clear(struct keyring *k)
{
	for (unsigned i = 0; i < k->n; i++)
		k->keys[i] = sign_key_free(k->keys[i]);
	k->n = 0;
}

static struct keyring *keyring_find(struct shelf *c, struct slice domain)
{
	for (struct map_link *l = map_find(&c->keyrings, hash_keyed_nocase(domain)); l;
	     l = map_find_next(l)) {
		struct keyring *k = container_of(l, struct keyring, link);
		if (slice_eq_nocase(slice_str(k->domain), domain))
			return k;
	}
	return NULL;
}

static uint64_t keyring_print(const struct keyring *k)
{
	uint64_t print;
	struct buf txt;

	buf_init(&txt, 0);
	for (unsigned i = 0; i < k->n; i++) {
		buf_put(&txt, sign_key_selector(k->keys[i]));
		buf_put(&txt, SLICE("\n"));
		if (sign_key_txt(k->keys[i], &txt) < 0)
			buf_put(&txt, SLICE("?"));
	}
	print = hash_stable(buf_data(&txt));
	buf_free(&txt);
	return print;
}

static void keyring_load(struct keyring *k, const char *dir, struct slice domain)
{
	uint64_t print;

	keyring_clear(k);
	k->err = keydir_load(dir, domain, k->keys, KEYDIR_KEYS_MAX, &k->n);
	if (k->err < 0)
		k->n = 0;
	print = keyring_print(k);
	k->judged = k->judged && print == k->print;
	k->print = print;
}

struct keyring *shelf_keys(struct shelf *c, const char *dir, struct slice domain, int64_t now_ms)
{
	struct keyring *k = keyring_find(c, domain);

	if (k && now_ms < k->look_again_ms)
		return k;
	if (!k) {
		k = must_alloc(sizeof(*k));
		slice_copy(k->domain, sizeof(k->domain), domain);
		map_insert(&c->keyrings, &k->link, hash_keyed_nocase(domain));
	}
	keyring_load(k, dir, domain);
	k->look_again_ms = now_ms + (k->n ? KEYS_LOOK_MS : KEYS_NONE_LOOK_MS);
	return k;
}

void shelf_keys_forget(struct shelf *c, struct slice domain)
{
	struct map_link *l;
	size_t pos = 0;

	for (l = map_next(&c->keyrings, &pos, NULL); l; l = map_next(&c->keyrings, &pos, l)) {
		struct keyring *k = container_of(l, struct keyring, link);
		if (!domain.n || slice_eq_nocase(slice_str(k->domain), domain))
			k->look_again_ms = 0;
	}
}

/* ---- end --------------------------------------------------------------------------------- */

static struct map_link *any_link(struct map *m)
{
	size_t pos = 0;

	return map_next(m, &pos, NULL);
}

void shelf_free(struct shelf *c)
{
	struct map_link *m;
	struct list *l;

	while ((m = any_link(&c->chunks)) != NULL) {
		map_remove(&c->chunks, m);
		chunk_destroy(container_of(m, struct chunk, link));
	}
	while ((m = any_link(&c->contents)) != NULL) {
		map_remove(&c->contents, m);
		content_destroy(container_of(m, struct content, link));
	}
	while ((m = any_link(&c->keyrings)) != NULL) {
		map_remove(&c->keyrings, m);
		keyring_clear(container_of(m, struct keyring, link));
		free(container_of(m, struct keyring, link));
	}
	while ((l = list_pop(&c->chunks_spare)) != NULL)
		chunk_destroy(container_of(l, struct chunk, rest));
	while ((l = list_pop(&c->contents_spare)) != NULL)
		content_destroy(container_of(l, struct content, rest));
	map_free(&c->chunks);
	map_free(&c->contents);
	map_free(&c->keyrings);
}
