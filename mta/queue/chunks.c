/* mta/queue/chunks.c - decoded recipients by job. */
#include "mta/queue/chunks.h"

#include "base/hash.h"

enum { SPARE_MAX = 64, SPARE_BYTES = 256 * 1024 };

void chunks_init(struct chunks *c, struct spool *sp)
{
	*c = (struct chunks){ .spool = sp };
	map_init(&c->map);
	list_init(&c->rest);
	list_init(&c->spare);
}

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

static void chunk_drop(struct chunks *c, struct chunk *k)
{
	c->bytes -= chunk_size(k);
	if (k->link.hash)
		map_remove(&c->map, &k->link);
	list_remove(&k->rest);
	if (c->n_spare == SPARE_MAX || chunk_size(k) > SPARE_BYTES) {
		chunk_destroy(k);
		return;
	}
	k->rows = wire_rows_free(k->rows);
	buf_clear(&k->meta_bytes);
	buf_clear(&k->data);
	list_push(&c->spare, &k->rest);
	c->n_spare++;
}

static struct chunk *chunk_blank(struct chunks *c)
{
	struct list *l = list_pop(&c->spare);
	struct chunk *k;

	if (l) {
		c->n_spare--;
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

static struct chunk *chunk_find(struct chunks *c, job_no job)
{
	for (struct map_link *l = map_find(&c->map, chunk_hash(job)); l; l = map_find_next(l)) {
		struct chunk *k = container_of(l, struct chunk, link);
		if (k->job == job)
			return k;
	}
	return NULL;
}

static int chunk_read(struct chunks *c, job_no job, struct chunk *k)
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

int chunks_get(struct chunks *c, job_no job, struct chunk **ret)
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
	c->bytes += chunk_size(k);
	if (r < 0) {
		k->link.hash = 0;
		chunk_drop(c, k);
		return r;
	}
	k->refs = 1;
	map_insert(&c->map, &k->link, chunk_hash(job));
	*ret = k;
	return 0;
}

void chunks_unref(struct chunks *c, struct chunk *k)
{
	if (!k || --k->refs)
		return;
	if (k->link.hash == 0) { /* forgotten meanwhile */
		chunk_drop(c, k);
		return;
	}
	list_push(&c->rest, &k->rest);
	while (c->bytes > c->max && (k = list_first(&c->rest, struct chunk, rest)))
		chunk_drop(c, k);
}

void chunks_forget(struct chunks *c, job_no job)
{
	struct chunk *k = chunk_find(c, job);

	if (!k)
		return;
	if (!k->refs) {
		chunk_drop(c, k);
		return;
	}
	map_remove(&c->map, &k->link);
	k->link.hash = 0;
}

void chunks_end(struct chunks *c)
{
	struct map_link *m;
	struct list *l;

	while ((m = map_any(&c->map)) != NULL) {
		map_remove(&c->map, m);
		chunk_destroy(container_of(m, struct chunk, link));
	}
	while ((l = list_pop(&c->spare)) != NULL)
		chunk_destroy(container_of(l, struct chunk, rest));
	map_free(&c->map);
}
