/* mta/tenants/words.c - limits read and shown. */
#include "mta/tenants/words.h"

#include <stdarg.h>
#include <stdio.h>

#include "mta/config/entries.h"

#define PER_DAY_MAX (1000000LL * 86400) /* a million per second */

static const struct {
	const char *name;
	enum option_type type;
	int64_t max;
	bool may_be_none;
} rows[TENANT_KEYS] = {
	[TENANT_RATE] = { "rate", T_RATE, PER_DAY_MAX, true },
	[TENANT_CONNECTIONS] = { "connections", T_INT, 100000, true },
	[TENANT_QUEUE] = { "queue", T_INT, 1000000000, true },
	[TENANT_WEIGHT] = { "weight", T_INT, TENANT_WEIGHT_MAX, false },
};
const struct tenant_words tenant_words_empty = { { TENANT_UNSAID, TENANT_UNSAID, TENANT_UNSAID,
						   TENANT_UNSAID } };

const char *tenant_key_name(enum tenant_key key)
{
	return rows[key].name;
}

static int PRINTF(2, 3) wrong(char *error, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(error, OPTION_ERROR_MAX, format, ap);
	va_end(ap);
	return E_SYNTAX;
}

static int read_value(enum tenant_key key, struct slice text, int64_t *ret, char *error)
{
	if (slice_eq(text, SLICE("default"))) {
		*ret = TENANT_UNSAID;
		return 0;
	}
	if (rows[key].may_be_none && slice_eq(text, SLICE("none"))) {
		*ret = TENANT_NONE;
		return 0;
	}
	if (option_number(rows[key].type, text, ret) < 0 || *ret < 1 || *ret > rows[key].max)
		return wrong(error, "%s: \"%.*s\" is not %s", rows[key].name,
			     (int)MIN_OF(text.n, (size_t)60), text.p,
			     rows[key].type == T_RATE ? "a rate such as 100/s, or none"
			     : rows[key].may_be_none  ? "a number from 1, or none"
						      : "a number from 1 to 100");
	return 0;
}

static int read_word(struct slice word, bool weight_only, unsigned *seen, struct tenant_words *ret,
		     char *error)
{
	struct slice name, value;
	unsigned key = 0;

	if (!slice_cut(word, '=', &name, &value))
		return wrong(error, "expected NAME=VALUE, such as rate=100/s");
	while (key < TENANT_KEYS && !slice_eq(name, slice_str(rows[key].name)))
		key++;
	if (key == TENANT_KEYS || (weight_only && key != TENANT_WEIGHT))
		return wrong(error, "\"%.*s\" is not one of: %s", (int)MIN_OF(name.n, (size_t)60),
			     name.p, weight_only ? "weight" : "rate, connections, queue, weight");
	if (*seen & 1U << key)
		return wrong(error, "%s is given twice", rows[key].name);
	*seen |= 1U << key;
	return read_value((enum tenant_key)key, value, &ret->v[key], error);
}

int tenant_words_read(struct slice text, bool weight_only, struct tenant_words *ret, char *error)
{
	struct slice word = entries_word(&text);
	unsigned seen = 0;
	int r = word.n ? 0 : wrong(error, "expected NAME=VALUE, such as rate=100/s");

	for (; r == 0 && word.n; word = entries_word(&text))
		r = read_word(word, weight_only, &seen, ret, error);
	return r;
}

void tenant_value_show(enum tenant_key key, int64_t v, struct buf *out)
{
	if (v == TENANT_UNSAID)
		buf_put(out, SLICE("default"));
	else if (v == TENANT_NONE)
		buf_put(out, SLICE("none"));
	else
		option_number_show(rows[key].type, v, out);
}

void tenant_words_show(const struct tenant_words *w, struct buf *out)
{
	bool any = false;

	for (unsigned i = 0; i < TENANT_KEYS; i++) {
		if (w->v[i] == TENANT_UNSAID)
			continue;
		buf_putf(out, "%s%s=", any ? " " : "", rows[i].name);
		tenant_value_show((enum tenant_key)i, w->v[i], out);
		any = true;
	}
}

bool tenant_words_say_nothing(const struct tenant_words *w)
{
	for (unsigned i = 0; i < TENANT_KEYS; i++)
		if (w->v[i] != TENANT_UNSAID)
			return false;
	return true;
}
