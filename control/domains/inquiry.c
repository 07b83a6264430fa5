/* control/domains/inquiry.c - questions of one check, remembered until it ends. */
#include "control/domains/inquiry.h"

#include "base/clock.h"
#include "dns/lookup.h"
#include "dns/name.h"

struct inquiry_question {
	char name[DNS_NAME_MAX];
	enum dns_type type;
	int status;
	struct dns_answer *answer;
};
struct inquiry {
	struct inquiry_door door;
	int64_t until_ms; /* of clock_mono_ms(); 0: no limit */
	unsigned n;
	struct inquiry_question questions[INQUIRY_MOST];
};

struct inquiry *inquiry_new(struct inquiry_door door)
{
	struct inquiry *a = must_alloc(sizeof(*a));

	a->door = door;
	return a;
}

struct inquiry *inquiry_free(struct inquiry *a)
{
	for (unsigned i = 0; a && i < a->n; i++)
		(void)lookup_free(a->questions[i].answer);
	free(a);
	return NULL;
}

void inquiry_allow(struct inquiry *a, int64_t ms)
{
	a->until_ms = clock_mono_ms() + ms;
}

unsigned inquiry_asked(const struct inquiry *a)
{
	return a->n;
}

static const struct inquiry_question *find(const struct inquiry *a, const char *name,
					   enum dns_type type)
{
	for (unsigned i = 0; i < a->n; i++)
		if (a->questions[i].type == type && !strcmp(a->questions[i].name, name))
			return &a->questions[i];
	return NULL;
}

static const struct inquiry_question *ask(struct inquiry *a, const char *name, enum dns_type type)
{
	struct inquiry_question *q = &a->questions[a->n++];

	slice_copy(q->name, sizeof(q->name), slice_str(name));
	q->type = type;
	q->status = a->door.ask(a->door.arg, slice_str(name), type, &q->answer);
	return q;
}

int inquiry_ask(struct inquiry *a, struct slice name, enum dns_type type,
		const struct dns_answer **ret)
{
	const struct inquiry_question *q;
	char clean[DNS_NAME_MAX];

	if (name_clean(name, clean) < 0)
		return E_SYNTAX;
	q = find(a, clean, type);
	if (!q && (a->n == INQUIRY_MOST || (a->until_ms && clock_mono_ms() > a->until_ms)))
		return E_DNS_TEMP;
	if (!q)
		q = ask(a, clean, type);
	if (q->status == 0)
		*ret = q->answer;
	return q->status;
}
