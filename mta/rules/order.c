/* mta/rules/order.c - an order as a rule of the spool, and back. */
#include "mta/rules/order.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const kinds[ORDER_KINDS] = {
	[ORDER_HOLD] = "hold",     [ORDER_RELEASE] = "release", [ORDER_SUSPEND] = "suspend",
	[ORDER_CANCEL] = "cancel", [ORDER_BOUNCE] = "bounce",   [ORDER_MOVE] = "move",
	[ORDER_CAP] = "cap",       [ORDER_RETRY] = "retry",
};
static const char *const ends[ORDER_ENDS] = {
	[ORDER_STANDS] = "stands",   [ORDER_DONE] = "done",         [ORDER_UNDONE] = "undone",
	[ORDER_EXPIRED] = "expired", [ORDER_RELEASED] = "released",
};

/* What a line holds, and where it goes. */
enum line_kind { LINE_TEXT, LINE_NUMBER };
#define TEXT(name)                                                                                 \
	{                                                                                          \
#name, LINE_TEXT, offsetof(struct order, name), sizeof(((struct order *)0)->name)  \
	}
#define NUMBER(name)                                                                               \
	{                                                                                          \
#name, LINE_NUMBER, offsetof(struct order, name), 8                                \
	}
static const struct line_row {
	const char *name;
	enum line_kind kind;
	size_t at, size;
} lines[] = {
	TEXT(what),    TEXT(author),    TEXT(reason),        TEXT(ended_by),   TEXT(pool),
	TEXT(text),    NUMBER(at_ms),   NUMBER(act_ms),      NUMBER(until_ms), NUMBER(ended_ms),
	NUMBER(count), NUMBER(per_day), NUMBER(connections),
};

const char *order_kind_name(enum order_kind kind)
{
	return kinds[kind];
}

const char *order_end_name(enum order_end end)
{
	return ends[end];
}

bool order_stands(const struct order *o)
{
	return o->end == ORDER_STANDS;
}

bool order_text_is_good(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == '\x7f')
			return false;
	return true;
}

void order_take(struct order *to, const struct order *from)
{
	int r;

	*to = *from;
	r = selector_parse(slice_str(to->what), &to->selector);
	assert(r == 0); /* it was parsed before */
	(void)r;
}

void order_key(uint64_t id, char *buf)
{
	(void)snprintf(buf, ORDER_KEY_MAX, "order/%" PRIu64, id);
}

int order_id_of(struct slice rule_key, uint64_t *ret)
{
	if (!slice_strip(&rule_key, SLICE("order/")) || (rule_key.n > 1 && *rule_key.p == '0'))
		return E_SYNTAX;
	return slice_u64(rule_key, INT64_MAX, ret) < 0 || !*ret ? E_SYNTAX : 0;
}

static int find_word(struct slice word, const char *const *words, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (slice_eq(word, slice_str(words[i])))
			return (int)i;
	return E_SYNTAX;
}

static int read_line(const struct line_row *row, struct slice value, struct order *o)
{
	char *at = (char *)o + row->at;
	uint64_t number;

	if (row->kind == LINE_TEXT) {
		if (value.n >= row->size || memchr(value.p, '\0', value.n))
			return E_SYNTAX;
		slice_copy(at, row->size, value);
		return order_text_is_good(at) ? 0 : E_SYNTAX;
	}
	if (slice_u64(value, INT64_MAX, &number) < 0)
		return E_SYNTAX;
	memcpy(at, &number, sizeof(number));
	return 0;
}

static int read_named(struct slice name, struct slice value, struct order *o)
{
	int i;

	if (slice_eq(name, SLICE("kind"))) {
		i = find_word(value, kinds, ORDER_KINDS);
		o->kind = i < 0 ? ORDER_KINDS : (enum order_kind)i;
		return i < 0 ? i : 0;
	}
	if (slice_eq(name, SLICE("end"))) {
		i = find_word(value, ends, ORDER_ENDS);
		o->end = i < 0 ? ORDER_STANDS : (enum order_end)i;
		return i < 0 ? i : 0;
	}
	if (slice_eq(name, SLICE("acts"))) {
		o->acts = true;
		return 0;
	}
	for (unsigned k = 0; k < ARRAY_LEN(lines); k++)
		if (slice_eq(name, slice_str(lines[k].name)))
			return read_line(&lines[k], value, o);
	return 0; /* a later version's */
}

int order_read(struct slice rule_key, struct slice rule_value, struct order *ret)
{
	int r;

	*ret = (struct order){ .kind = ORDER_KINDS };
	r = order_id_of(rule_key, &ret->id);
	while (r == 0 && rule_value.n) {
		struct slice value = slice_take(&rule_value, '\n');
		struct slice name = slice_take(&value, ' ');
		r = read_named(name, value, ret);
	}
	if (r == 0 && ret->kind == ORDER_KINDS)
		r = E_SYNTAX;
	return r == 0 ? selector_parse(slice_str(ret->what), &ret->selector) : r;
}

void order_print(const struct order *o, struct buf *out)
{
	buf_putf(out, "kind %s\n", kinds[o->kind]);
	if (o->end != ORDER_STANDS)
		buf_putf(out, "end %s\n", ends[o->end]);
	if (o->acts)
		buf_put(out, SLICE("acts\n"));
	for (unsigned k = 0; k < ARRAY_LEN(lines); k++) {
		const char *at = (const char *)o + lines[k].at;
		uint64_t number;
		if (lines[k].kind == LINE_TEXT && *at)
			buf_putf(out, "%s %s\n", lines[k].name, at);
		if (lines[k].kind == LINE_TEXT)
			continue;
		memcpy(&number, at, sizeof(number));
		if (number)
			buf_putf(out, "%s %" PRIu64 "\n", lines[k].name, number);
	}
}
