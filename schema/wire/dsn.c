/* schema/wire/dsn.c - NOTIFY and ORCPT in a row; xtext. */
#include "schema/wire/dsn.h"

#include "base/encode.h"

int wire_dsn_put(struct buf *rows, struct slice address, const struct wire_dsn *d)
{
	const struct value fields[] = {
		{ .type = VALUE_INT, .i = (int64_t)d->notify },
		{ .type = VALUE_STRING, .s = d->orcpt },
	};

	return wire_row_put(rows, address, 0, fields, d->orcpt.n ? 2 : d->notify ? 1 : 0);
}

void wire_dsn_get(const struct wire_row *row, struct wire_dsn *ret)
{
	*ret = (struct wire_dsn){ 0 };
	if (row->n_fields > 0 && row->fields[0].type == VALUE_INT && row->fields[0].i > 0 &&
	    row->fields[0].i < 16)
		ret->notify = (unsigned)row->fields[0].i;
	if (row->n_fields > 1 && row->fields[1].type == VALUE_STRING &&
	    row->fields[1].s.n <= WIRE_ORCPT_MAX)
		ret->orcpt = row->fields[1].s;
}

bool wire_dsn_wants(const struct wire_dsn *d, enum wire_notify what)
{
	unsigned notify = d->notify ? d->notify : WIRE_NOTIFY_FAILURE | WIRE_NOTIFY_DELAY;

	return notify & what;
}

/* xtext = *( xchar / hexchar ); xchar: "!" to "~" but "+" and "=" */
static bool is_xchar(char c)
{
	return c > ' ' && c < 0x7f && c != '+' && c != '=';
}

int wire_xtext_decode(struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		int r;

		if (c == '+') {
			int hi = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1,
			    lo = i + 2 < in.n ? hex_digit(in.p[i + 2]) : -1;
			/* Capitals only, as the ABNF has it. */
			if (hi < 0 || lo < 0 || in.p[i + 1] >= 'a' || in.p[i + 2] >= 'a')
				return E_SYNTAX;
			c = (char)(hi << 4 | lo);
			i += 2;
		} else if (!is_xchar(c)) {
			return E_SYNTAX;
		}
		r = buf_append_byte(out, c);
		if (r < 0)
			return r;
	}
	return 0;
}

void wire_xtext_encode(struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.n; i++) {
		if (is_xchar(in.p[i]))
			buf_put(out, slice_of(in.p + i, 1));
		else
			buf_putf(out, "+%02X", (unsigned char)in.p[i]);
	}
}
