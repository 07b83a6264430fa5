/* mta/deliver/last.c - a map of recipients to texts, the oldest forgotten first. */
#include "mta/deliver/last.h"

#include <stdio.h>

#include "base/hash.h"

struct last_reply {
	struct map_link link;
	struct list age;
	job_no job;
	uint32_t row;
	size_t n;
	char text[];
};

static uint64_t hash_of(job_no job, uint32_t row)
{
	return hash_mix((uint64_t)job << 32 | row);
}

static struct last_reply *find(const struct last_replies *l, job_no job, uint32_t row)
{
	for (struct map_link *m = map_find(&l->map, hash_of(job, row)); m; m = map_find_next(m)) {
		struct last_reply *k = container_of(m, struct last_reply, link);
		if (k->job == job && k->row == row)
			return k;
	}
	return NULL;
}

static void drop(struct last_replies *l, struct last_reply *k)
{
	map_remove(&l->map, &k->link);
	list_remove(&k->age);
	l->n--;
	free(k);
}

void last_init(struct last_replies *l)
{
	*l = (struct last_replies){ .n = 0 };
	map_init(&l->map);
	list_init(&l->age);
}

void last_end(struct last_replies *l)
{
	struct list *link;

	while ((link = list_pop(&l->age)) != NULL)
		drop(l, container_of(link, struct last_reply, age));
	map_free(&l->map);
}

struct slice last_format(const struct outcome *o, char *buf)
{
	char status[STATUS_TEXT_MAX], code[8] = "";
	int n;

	if (o->code)
		(void)snprintf(code, sizeof(code), "%u ", o->code % 1000U);
	n = snprintf(buf, LAST_TEXT_MAX, "%s%.*s%s%s%s%s%.*s", o->host.n ? "at " : "",
		     (int)MIN_OF(o->host.n, (size_t)100), o->host.p ? o->host.p : "",
		     o->host.n ? ": " : "", code,
		     status_given(o->status) ? status_format(o->status, status) : "",
		     status_given(o->status) ? " " : "", (int)MIN_OF(o->text.n, (size_t)200),
		     o->text.p ? o->text.p : "");
	return slice_of(buf, MIN_OF((size_t)n, (size_t)LAST_TEXT_MAX - 1));
}

void last_keep(struct last_replies *l, const struct outcome *o)
{
	char text[LAST_TEXT_MAX];
	struct slice s = last_format(o, text);
	struct last_reply *k;

	last_forget(l, o->job, o->row);
	if (l->n == LAST_MAX)
		drop(l, list_first(&l->age, struct last_reply, age));
	k = must_alloc(sizeof(*k) + s.n);
	k->job = o->job;
	k->row = o->row;
	k->n = s.n;
	memcpy(k->text, s.p, s.n);
	list_init(&k->age);
	list_push(&l->age, &k->age);
	map_insert(&l->map, &k->link, hash_of(o->job, o->row));
	l->n++;
}

void last_forget(struct last_replies *l, job_no job, uint32_t row)
{
	struct last_reply *k = l->n ? find(l, job, row) : NULL;

	if (k)
		drop(l, k);
}

struct slice last_text(const struct last_replies *l, job_no job, uint32_t row)
{
	const struct last_reply *k = l->n ? find(l, job, row) : NULL;

	return k ? slice_of(k->text, k->n) : slice_of("", 0);
}
