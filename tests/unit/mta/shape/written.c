/* A set of shapes in the form of a file; see the header. */
#include "tests/unit/mta/shape/written.h"

#include "mta/shape/inside.h"

static void put_patterns(const char *name, const struct shape_patterns *p, struct buf *out)
{
	for (unsigned i = 0; i < p->n; i++)
		buf_putf(out, "%s = %s\n", name, p->at[i]);
}

static void put_rule(void *arg, struct slice section, const char *key, struct slice value,
		     struct slice origin)
{
	(void)origin;
	buf_putf(arg, "%.*s\n%s = %.*s\n", (int)section.n, section.p, key, (int)value.n, value.p);
}

void written_shapes(const struct shapes *s, struct buf *out)
{
	for (unsigned i = 0; i < s->n_providers; i++) {
		buf_putf(out, "[provider %s]\n", s->providers[i].name);
		put_patterns("mx", &s->providers[i].mx, out);
		put_patterns("domain", &s->providers[i].domain, out);
	}
	shapes_each(s, put_rule, out);
}
