/* spool/tables.c - jobs and contents in memory: slots in chunks, found by their id. */
#include "spool/tables.h"

#include "base/hash.h"
#include "base/random.h"

static uint32_t slot_bucket(const struct slots *s, struct id128 id)
{
	return (uint32_t)hash_mix(hash_mix(id.lo ^ s->key) ^ id.hi) & s->mask;
}

static uint32_t slot_take(struct slots *s, size_t size)
{
	if (s->used == s->n_chunks * CHUNK) {
		if (!(s->n_chunks & (s->n_chunks - 1)))
			s->chunks =
			    must_resize(s->chunks, MAX_OF(s->n_chunks * 2, 1u) * sizeof(void *));
		s->chunks[s->n_chunks++] = must_alloc(CHUNK * size);
	}
	s->count++;
	return s->used++;
}

static void slots_free(struct slots *s)
{
	for (uint32_t i = 0; i < s->n_chunks; i++)
		free(s->chunks[i]);
	free(s->chunks);
	free(s->buckets);
}

/* Jobs and contents need the same functions over two structs: the macro writes them once. */
#define DEFINE_SLOTS(type, member)                                                                 \
	static void type##_rehash(struct tables *t)                                                \
	{                                                                                          \
		struct slots *s = &t->member;                                                      \
		uint32_t *old = s->buckets, n = s->mask + 1, next;                                 \
                                                                                                   \
		s->mask = n * 2 - 1;                                                               \
		s->buckets = must_alloc((size_t)n * 2 * sizeof(*old));                             \
		memset(s->buckets, 0xff, (size_t)n * 2 * sizeof(*old));                            \
		for (uint32_t b = 0; b < n; b++)                                                   \
			for (uint32_t i = old[b]; i != NONE; i = next) {                           \
				struct type *e = type##_at(t, i);                                  \
				uint32_t *head = &s->buckets[slot_bucket(s, e->id)];               \
				next = e->chain;                                                   \
				e->chain = *head;                                                  \
				*head = i;                                                         \
			}                                                                          \
		free(old);                                                                         \
	}                                                                                          \
	uint32_t type##_find(const struct tables *t, struct id128 id)                              \
	{                                                                                          \
		uint32_t i = t->member.buckets[slot_bucket(&t->member, id)];                       \
                                                                                                   \
		while (i != NONE && !id_eq(type##_at(t, i)->id, id))                               \
			i = type##_at(t, i)->chain;                                                \
		return i;                                                                          \
	}                                                                                          \
	static struct type *type##_insert(struct tables *t, struct id128 id, uint32_t *ret)        \
	{                                                                                          \
		struct slots *s = &t->member;                                                      \
		uint32_t i = s->free, *head;                                                       \
		struct type *e;                                                                    \
                                                                                                   \
		if (i != NONE) {                                                                   \
			s->free = type##_at(t, i)->chain;                                          \
			s->count++;                                                                \
		} else {                                                                           \
			i = slot_take(s, sizeof(*e));                                              \
		}                                                                                  \
		if (s->count > s->mask)                                                            \
			type##_rehash(t);                                                          \
		e = type##_at(t, i);                                                               \
		head = &s->buckets[slot_bucket(s, id)];                                            \
		memset(e, 0, sizeof(*e));                                                          \
		e->id = id;                                                                        \
		e->chain = *head;                                                                  \
		e->seg_next = NONE;                                                                \
		*head = i;                                                                         \
		*ret = i;                                                                          \
		return e;                                                                          \
	}                                                                                          \
	static void type##_remove(struct tables *t, uint32_t i)                                    \
	{                                                                                          \
		struct slots *s = &t->member;                                                      \
		struct type *e = type##_at(t, i);                                                  \
		uint32_t *at = &s->buckets[slot_bucket(s, e->id)];                                 \
                                                                                                   \
		while (*at != i)                                                                   \
			at = &type##_at(t, *at)->chain;                                            \
		*at = e->chain;                                                                    \
		memset(e, 0, sizeof(*e));                                                          \
		e->chain = s->free;                                                                \
		s->free = i;                                                                       \
		s->count--;                                                                        \
	}
DEFINE_SLOTS(kept_job, jobs)
DEFINE_SLOTS(kept_content, contents)

static void slots_init(struct slots *s)
{
	enum { FIRST = 1024 };

	memset(s, 0, sizeof(*s));
	s->buckets = must_alloc(FIRST * sizeof(*s->buckets));
	memset(s->buckets, 0xff, FIRST * sizeof(*s->buckets));
	s->mask = FIRST - 1;
	s->free = NONE;
	s->key = random_u64();
}

void tables_init(struct tables *t)
{
	memset(t, 0, sizeof(*t));
	slots_init(&t->jobs);
	slots_init(&t->contents);
	map_init(&t->rules);
	map_init(&t->mails);
	list_init(&t->mails_in_order);
}

void tables_free(struct tables *t)
{
	struct map_link *l = NULL, *next;
	size_t pos = 0;

	for (uint32_t i = 0; i < t->jobs.used; i++)
		if (kept_job_at(t, i)->state != JOB_FREE)
			kept_job_drop_state(kept_job_at(t, i));
	slots_free(&t->jobs);
	slots_free(&t->contents);
	for (l = map_next(&t->rules, &pos, NULL); l; l = next) {
		next = map_next(&t->rules, &pos, l);
		free(container_of(l, struct kept_rule, link));
	}
	map_free(&t->rules);
	while (!list_empty(&t->mails_in_order))
		kept_mail_drop(t, list_first(&t->mails_in_order, struct kept_mail, all));
	map_free(&t->mails);
	keys_seen_free(&t->keys);
	while (t->consumers)
		kept_consumer_drop(t, t->consumers);
}

uint32_t kept_job_add(struct tables *t, const struct job_fixed *f)
{
	uint32_t i;
	struct kept_job *j = kept_job_insert(t, f->id, &i);

	j->tenant = f->tenant;
	j->campaign = f->campaign;
	j->accepted_ms = f->accepted_ms;
	j->expires_ms = f->expires_ms;
	j->rows = j->live = (uint16_t)f->rows;
	j->class = f->class;
	j->content = NONE;
	j->state = JOB_LIVE;
	if (j->rows > 64)
		j->done.many = must_alloc((j->rows + 63) / 64 * sizeof(uint64_t));
	return i;
}

void kept_job_forget(struct tables *t, uint32_t i)
{
	kept_job_drop_state(kept_job_at(t, i));
	kept_job_remove(t, i);
}

uint32_t kept_content_add(struct tables *t, struct id128 id)
{
	uint32_t i;

	kept_content_insert(t, id, &i)->used = true;
	return i;
}

void kept_content_forget(struct tables *t, uint32_t i)
{
	kept_content_remove(t, i);
}

bool kept_row_done(const struct kept_job *j, uint32_t row)
{
	if (j->state != JOB_LIVE)
		return true;
	return (j->rows > 64 ? j->done.many[row / 64] : j->done.one) >> row % 64 & 1;
}

static uint64_t *deferred_word(const struct kept_job *j, uint32_t row)
{
	if (j->rows == 1)
		return (uint64_t *)&j->deferred.one;
	if (!j->deferred.pages || !j->deferred.pages[row / 64])
		return NULL;
	return &j->deferred.pages[row / 64][row % 64];
}

void kept_row_set_done(struct kept_job *j, uint32_t row)
{
	uint64_t *word = j->rows > 64 ? &j->done.many[row / 64] : &j->done.one;
	uint64_t *deferred = deferred_word(j, row);

	*word |= (uint64_t)1 << row % 64;
	if (deferred)
		*deferred = 0;
	j->live--;
}

uint64_t kept_row_deferred(const struct kept_job *j, uint32_t row)
{
	const uint64_t *word = deferred_word(j, row);

	return word ? *word : 0;
}

void kept_row_set_deferred(struct kept_job *j, uint32_t row, uint16_t attempts, int64_t next_ms)
{
	size_t n_pages = (j->rows + 63) / 64;

	if (j->rows > 1 && !j->deferred.pages)
		j->deferred.pages = must_alloc(n_pages * sizeof(uint64_t *));
	if (j->rows > 1 && !j->deferred.pages[row / 64])
		j->deferred.pages[row / 64] =
		    must_alloc(MIN_OF((uint32_t)64, j->rows - row / 64 * 64) * sizeof(uint64_t));
	*deferred_word(j, row) = (uint64_t)attempts << 48 | ((uint64_t)next_ms & 0xffffffffffff);
}

uint32_t kept_job_count_deferred(const struct kept_job *j)
{
	uint32_t n = 0;

	if (j->rows == 1)
		return j->deferred.one != 0;
	for (uint32_t row = 0; j->deferred.pages && row < j->rows; row++)
		n += kept_row_deferred(j, row) != 0;
	return n;
}

const char *kept_job_bitmap(const struct kept_job *j)
{
	return (const char *)(j->rows > 64 ? j->done.many : &j->done.one);
}

void kept_job_drop_state(struct kept_job *j)
{
	if (j->rows > 64)
		free(j->done.many);
	if (j->rows > 1 && j->deferred.pages) {
		for (uint32_t p = 0; p < (j->rows + 63u) / 64; p++)
			free(j->deferred.pages[p]);
		free(j->deferred.pages);
	}
	j->done.many = NULL;
	j->deferred.pages = NULL;
}
