/* What becomes of a verdict's text on its way in: one line of valid UTF-8. */
#include "mta/smtp/verdict.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/encode.h"

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f;
}

void verdict_add_text(struct verdict *v, struct slice s)
{
	size_t i = 0;

	while (i < s.n && v->text_n < VERDICT_TEXT_MAX) {
		size_t n = is_plain((unsigned char)s.p[i]) ? 1 : 0;

		/* U+0080 to U+009F are controls too; they are C2 80 to C2 9F. */
		if (!n && (unsigned char)s.p[i] >= 0x80)
			n = utf8_length(slice_of(s.p + i, s.n - i));
		if (n == 2 && (unsigned char)s.p[i] == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0)
			n = 0;
		if (!n) {
			v->text[v->text_n++] = '?';
			i++;
			continue;
		}
		if (v->text_n + n > VERDICT_TEXT_MAX)
			return;
		memcpy(v->text + v->text_n, s.p + i, n);
		v->text_n = (uint16_t)(v->text_n + n);
		i += n;
	}
}

void verdict_set(struct verdict *v, enum verdict_kind kind, struct status status, bool site,
		 const char *format, ...)
{
	char text[VERDICT_TEXT_MAX + 1];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	v->kind = kind;
	v->code = 0;
	v->status = status;
	v->site = site;
	v->text_n = 0;
	verdict_add_text(v, slice_str(text));
}

void verdict_copy(struct verdict *to, const struct verdict *from)
{
	memcpy(to, from, offsetof(struct verdict, text));
	memcpy(to->text, from->text, from->text_n);
}
