/* base/json.c - a value as JSON text. */
#include "base/json.h"

#include <math.h>

#include "base/encode.h"

static int put_string(struct buf *out, struct slice s)
{
	int r = buf_append_byte(out, '"');

	while (s.n && r == 0) {
		unsigned char c = (unsigned char)s.p[0];
		size_t n = 1;
		if (c == '"' || c == '\\')
			r = buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			r = buf_printf(out, "\\u%04x", c);
		else if ((n = utf8_length(s)) > 0)
			r = buf_append(out, slice_of(s.p, n));
		else
			r = buf_append(out, SLICE("\xef\xbf\xbd"));
		n = MAX_OF(n, (size_t)1);
		s = slice_skip(s, n);
	}
	return r < 0 ? r : buf_append_byte(out, '"');
}

static int put_map(struct buf *out, const struct value *v)
{
	int r = buf_append_byte(out, '{');

	for (uint32_t i = 0; i < v->count && r == 0; i++) {
		if (i)
			r = buf_append(out, SLICE(", "));
		if (r == 0)
			r = put_string(out, v->members[i].name);
		if (r == 0)
			r = buf_append(out, SLICE(": "));
		if (r == 0)
			r = json_put(out, &v->members[i].value);
	}
	return r < 0 ? r : buf_append_byte(out, '}');
}

static int put_list(struct buf *out, const struct value *v)
{
	int r = buf_append_byte(out, '[');

	for (uint32_t i = 0; i < v->count && r == 0; i++) {
		if (i)
			r = buf_append(out, SLICE(", "));
		if (r == 0)
			r = json_put(out, &v->items[i]);
	}
	return r < 0 ? r : buf_append_byte(out, ']');
}

int json_put(struct buf *out, const struct value *v)
{
	switch (v->type) {
	case VALUE_NULL:
		return buf_append(out, SLICE("null"));
	case VALUE_BOOL:
		return buf_append(out, v->b ? SLICE("true") : SLICE("false"));
	case VALUE_INT:
		return buf_printf(out, "%lld", (long long)v->i);
	case VALUE_REAL:
		return isfinite(v->d) ? buf_printf(out, "%.17g", v->d)
				      : buf_append(out, SLICE("null"));
	case VALUE_STRING:
		return put_string(out, v->s);
	case VALUE_LIST:
		return put_list(out, v);
	case VALUE_MAP:
		return put_map(out, v);
	}
	return -EINVAL;
}
