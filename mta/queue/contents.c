/* mta/queue/contents.c - messages and programs by id. */
#include "mta/queue/contents.h"

#include "mta/queue/needs.h"

#include "base/hash.h"

enum { SPARE_MAX = 64, SPARE_BYTES = 256 * 1024 };

void contents_init(struct contents *c, struct spool *sp)
{
	*c = (struct contents){ .spool = sp };
	map_init(&c->map);
	list_init(&c->rest);
	list_init(&c->spare);
}

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

static void content_drop(struct contents *c, struct content *k, bool mapped)
{
	c->bytes -= content_size(k);
	if (mapped)
		map_remove(&c->map, &k->link);
	list_remove(&k->rest);
	k->program = program_free(k->program);
	if (c->n_spare == SPARE_MAX || content_size(k) > SPARE_BYTES) {
		content_destroy(k);
		return;
	}
	buf_clear(&k->meta_bytes);
	buf_clear(&k->bytes);
	list_push(&c->spare, &k->rest);
	c->n_spare++;
}

static struct content *content_blank(struct contents *c)
{
	struct list *l = list_pop(&c->spare);
	struct content *k;

	if (l) {
		c->n_spare--;
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

static struct content *content_find(struct contents *c, struct id128 id)
{
	for (struct map_link *l = map_find(&c->map, content_hash(id)); l; l = map_find_next(l)) {
		struct content *k = container_of(l, struct content, link);
		if (id_eq(k->id, id))
			return k;
	}
	return NULL;
}

static int content_read(struct contents *c, struct id128 id, struct content *k)
{
	int r;

	k->id = id;
	r = spool_read_content(c->spool, id, &k->meta_bytes, &k->bytes);
	if (r < 0)
		return r;
	r = wire_content_meta_get(buf_data(&k->meta_bytes), &k->meta);
	if (r < 0)
		return r;
	if (k->meta.program)
		return program_load(&k->program, buf_data(&k->bytes));
	needs_trim(&k->meta, buf_data(&k->bytes));
	return 0;
}

int contents_get(struct contents *c, struct id128 id, bool once, struct content **ret)
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
	c->bytes += content_size(k);
	if (r < 0) {
		content_drop(c, k, false);
		return r;
	}
	k->refs = 1;
	k->once = once;
	map_insert(&c->map, &k->link, content_hash(id));
	*ret = k;
	return 0;
}

void contents_unref(struct contents *c, struct content *k)
{
	if (!k || --k->refs)
		return;
	if (k->once) {
		content_drop(c, k, true);
		return;
	}
	list_push(&c->rest, &k->rest);
	while (c->bytes > c->max && (k = list_first(&c->rest, struct content, rest)))
		content_drop(c, k, true);
}

void contents_end(struct contents *c)
{
	struct map_link *m;
	struct list *l;

	while ((m = map_any(&c->map)) != NULL) {
		map_remove(&c->map, m);
		content_destroy(container_of(m, struct content, link));
	}
	while ((l = list_pop(&c->spare)) != NULL)
		content_destroy(container_of(l, struct content, rest));
	map_free(&c->map);
}
