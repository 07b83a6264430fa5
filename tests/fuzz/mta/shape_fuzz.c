/* Law: a shape file that is read, shown and read again is the same, and what it says of any subject
 * lies in the bounds of each key.  What limits a tenant, a source or one over the other never
 * changes the limit of all, and holds for exactly whom it names. */
#include "mta/shape/shapes.h"
#include "tests/unit/mta/shape/written.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bounds(const struct shape *got)
{
	for (unsigned i = 0; i < SHAPE_KEYS; i++) {
		const struct shape_key_row *row = &shape_key_rows[i];
		bool number = row->unit <= SHAPE_BYTES_PER_TIME;
		assert(got->from[i] == SHAPE_RULES_MAX || !number ||
		       (got->v[i] >= row->min && got->v[i] <= row->max));
	}
}

/* It has them for what it names, whatever else is known of the mail. */
static void check_owner(const struct shapes *s, const struct shape_subject *who,
			enum shape_owner of, const struct shape *own)
{
	struct shape_subject other = *who;
	struct shape got;

	if (of != SHAPE_OWN_TENANT)
		other.tenant = of == SHAPE_OWN_SOURCE ? 8 : 0;
	else
		other.source.family = 0;
	shapes_limits(s, &other, of, &got);
	for (unsigned i = 0; i < SHAPE_KEYS; i++)
		if (of == SHAPE_OWN_BOTH)
			assert(got.from[i] == SHAPE_RULES_MAX);
		else
			assert(got.from[i] == own->from[i] && got.v[i] == own->v[i]);
}

static void check_own(const struct shapes *s, const struct shape_subject *who,
		      const struct shape *got)
{
	struct shape_subject all = *who;
	struct shape base, others, own;

	memset(&base, 0, sizeof(base));
	all.tenant = 0;
	all.source.family = 0;
	shapes_resolve(s, &all, &base, &others);
	for (unsigned i = 0; i < SHAPE_KEYS; i++)
		assert(!(shape_key_rows[i].where & SHAPE_OWN) ||
		       (got->v[i] == others.v[i] && got->from[i] == others.from[i]));
	for (enum shape_owner of = 0; of < SHAPE_OWNERS; of++) {
		shapes_limits(s, who, of, &own);
		check_bounds(&own);
		check_owner(s, who, of, &own);
		for (unsigned i = 0; i < SHAPE_KEYS; i++)
			assert((shape_key_rows[i].where & SHAPE_OWN) ||
			       own.from[i] == SHAPE_RULES_MAX);
	}
}

static void check_values(const struct shapes *s, struct slice domain)
{
	const struct slice mx[] = { SLICE("mx1.example.com"), domain };
	struct shape_subject q = {
		.domain = domain, .mx = mx, .n_mx = 2, .tenant = 7, .pool = SLICE("p")
	};
	struct shape base, got;

	memset(&base, 0, sizeof(base));
	int r = ip_parse(SLICE("192.0.2.1"), &q.source);
	assert(r == 0);
	shapes_resolve(s, &q, &base, &got);
	check_bounds(&got);
	check_own(s, &q, &got);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size), last = text;
	char error[OPTION_ERROR_MAX];
	OWNED(shapes) s = shapes_new();
	OWNED(shapes) again = shapes_new();
	struct buf once, twice;

	if (size > 65536 || shapes_parse(s, text, "f", error) < 0)
		return 0;
	while (memchr(last.p, '\n', last.n))
		(void)slice_take(&last, '\n');
	check_values(s, last);
	buf_init(&once, 0);
	buf_init(&twice, 0);
	written_shapes(s, &once);
	int r = shapes_parse(again, buf_data(&once), "f", error);
	assert(r == 0);
	written_shapes(again, &twice);
	assert(slice_eq(buf_data(&once), buf_data(&twice)));
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
