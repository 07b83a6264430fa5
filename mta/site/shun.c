/* mta/site/shun.c - marks of a host by site; few hosts ever have one. */
#include "mta/site/shun.h"

static struct shun *find(struct shun *list, const struct site *s)
{
	while (list && list->site != s)
		list = list->next;
	return list;
}

bool shun_holds(const struct shun *list, const struct site *s, int64_t now_ms)
{
	while (list && list->site != s)
		list = list->next;
	return list && list->until_ms > now_ms;
}

void shun_set(struct shun **list, const struct site *s, int64_t until_ms)
{
	struct shun *m = find(*list, s);

	if (!m) {
		m = must_alloc(sizeof(*m));
		m->site = s;
		m->next = *list;
		*list = m;
	}
	m->until_ms = until_ms;
}

void shun_end_by(struct shun *list, const struct site *s, int64_t when_ms)
{
	struct shun *m = find(list, s);

	if (m)
		m->until_ms = MIN_OF(m->until_ms, when_ms);
}

void shun_drop(struct shun **list)
{
	struct shun *m;

	while ((m = *list) != NULL) {
		*list = m->next;
		free(m);
	}
}
