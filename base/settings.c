/* base/settings.c - sets side by side in one block of memory, read as one table. */
#include "base/settings.h"

#include <stdio.h>

#include "base/file.h"

enum { FILE_MAX = 1024 * 1024 };

struct settings {
	const struct option_set *const *sets;
	size_t n_sets;
	size_t *places; /* of each set in the block */
	char *block;
	struct option *rows; /* all sets' rows, their offsets into the block */
	size_t n_rows;
	size_t derived; /* sets whose derive() was called */
};

int option_bad(struct option_fault *f, const char *option, struct slice value, const char *expected)
{
	(void)snprintf(f->error, OPTION_ERROR_MAX, "%s: %s: \"%.*s\" is not %s", f->where, option,
		       (int)MIN_OF(value.n, (size_t)100), value.p ? value.p : "", expected);
	return E_SYNTAX;
}

int option_entries(struct option_fault *f, const char *option, const char *list,
		   const char *expected, int (*entry)(void *options, struct slice e), void *options)
{
	struct slice e;

	for (size_t pos = 0; option_list_next(list, &pos, &e);)
		if (entry(options, e) < 0)
			return option_bad(f, option, e, expected);
	return 0;
}

static size_t aligned(size_t n)
{
	return (n + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
}

/* Gives the size of the block. */
static size_t place_sets(struct settings *s)
{
	size_t at = 0;

	s->places = must_alloc(s->n_sets * sizeof(*s->places));
	for (size_t i = 0; i < s->n_sets; i++) {
		s->places[i] = at;
		at += aligned(s->sets[i]->size);
		s->n_rows += s->sets[i]->n;
	}
	return at;
}

static void join_rows(struct settings *s)
{
	size_t n = 0;

	s->rows = must_alloc(s->n_rows * sizeof(*s->rows));
	for (size_t i = 0; i < s->n_sets; i++)
		for (size_t k = 0; k < s->sets[i]->n; k++) {
			s->rows[n] = s->sets[i]->rows[k];
			s->rows[n++].offset += s->places[i];
		}
}

static struct settings *settings_blank(const struct option_set *const *sets, size_t n)
{
	struct settings *s = must_alloc(sizeof(*s));

	s->sets = sets;
	s->n_sets = n;
	s->block = must_alloc(place_sets(s));
	join_rows(s);
	return s;
}

struct settings *settings_free(struct settings *s)
{
	if (!s)
		return NULL;
	while (s->derived--)
		if (s->sets[s->derived]->clear)
			s->sets[s->derived]->clear(s->block + s->places[s->derived]);
	options_free(s->rows, s->n_rows, s->block);
	free(s->rows);
	free(s->places);
	free(s->block);
	free(s);
	return NULL;
}

static int derive_all(struct settings *s, struct option_fault *f)
{
	int r = 0;

	for (size_t i = 0; i < s->n_sets && r == 0; i++) {
		s->derived++;
		if (s->sets[i]->derive)
			r = s->sets[i]->derive(s->block + s->places[i], s, f);
	}
	return r;
}

int settings_parse(struct settings **ret, const struct option_set *const *sets, size_t n,
		   struct slice text, const char *name_for_errors, char *error)
{
	OWNED(settings) s = settings_blank(sets, n);
	struct option_fault f = { .where = name_for_errors, .error = error };
	int r = options_parse(s->rows, s->n_rows, s->block, text, name_for_errors, error);

	if (r == 0)
		r = derive_all(s, &f);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

int settings_read(struct settings **ret, const struct option_set *const *sets, size_t n,
		  const char *path, char *error)
{
	struct buf text;
	int r = 0;

	buf_init(&text, 0);
	if (path)
		r = file_read(path, FILE_MAX, &text);
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	else
		r = settings_parse(ret, sets, n, buf_data(&text), path ? path : "default", error);
	buf_free(&text);
	return r;
}

const void *settings_of(const struct settings *s, const struct option_set *set)
{
	size_t i = 0;

	while (i < s->n_sets && s->sets[i] != set)
		i++;
	assert(i < s->n_sets); /* the program lists it */
	return s->block + s->places[i];
}

const struct option *settings_row(const struct settings *s, size_t i)
{
	return i < s->n_rows ? &s->rows[i] : NULL;
}

void settings_show(const struct settings *s, size_t i, struct buf *out)
{
	options_show(&s->rows[i], s->block, out);
}

const char *settings_needs_restart(const struct settings *a, const struct settings *b)
{
	const char *found = NULL;
	struct buf x, y;

	buf_init(&x, 0);
	buf_init(&y, 0);
	for (size_t i = 0; i < a->n_rows && !found; i++) {
		if (a->rows[i].reload)
			continue;
		buf_clear(&x);
		buf_clear(&y);
		settings_show(a, i, &x);
		settings_show(b, i, &y);
		if (!slice_eq(buf_data(&x), buf_data(&y)))
			found = a->rows[i].name;
	}
	buf_free(&x);
	buf_free(&y);
	return found;
}

void settings_sample(const struct option_set *const *sets, size_t n, struct buf *out)
{
	struct settings *s = settings_blank(sets, n);

	options_sample(s->rows, s->n_rows, out);
	(void)settings_free(s);
}
