/* mta/inspect/fallbacks.c - pools that leave from the sources of another one. */
#include "mta/egress/egress.h"
#include "mta/inspect/inspect.h"
#include "mta/site/pool.h"

int inspect_fallbacks(struct lane *l, int (*each)(void *arg, const struct inspect_fallback *f),
		      void *arg)
{
	const struct sites *s = sites_of(l);
	const struct pool *p;
	struct map_link *m;
	size_t pos = 0;
	int r = 0;

	for (m = map_next(&s->map, &pos, NULL); m; m = map_next(&s->map, &pos, m)) {
		const struct site *site = container_of(m, struct site, link);
		list_each(&site->pools, p, struct pool, link) {
			const struct inspect_fallback f = {
				.site = slice_str(site->name),
				.pool = egress_pool_name(s->egress, p->index),
				.from = egress_pool_name(s->egress, p->lender),
				.since_ms = p->lent_ms,
			};
			if (p->lender != p->index && r >= 0)
				r = each(arg, &f);
		}
	}
	return r;
}
