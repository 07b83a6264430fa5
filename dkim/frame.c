/* dkim/frame.c - cuts a message into the fields a signature covers and its body. */
#include "dkim/frame.h"

#include <strings.h>

/* RFC 6376 section 5.4.1, and what RFC 8058, RFC 9477 and the large mailbox providers ask to be
 * signed.  Resent-* and trace fields belong to the hosts after us. */
const char *const frame_signed_names[] = {
	"From",
	"To",
	"Cc",
	"Subject",
	"Date",
	"Reply-To",
	"Message-ID",
	"Sender",
	"MIME-Version",
	"Content-Type",
	"Content-Transfer-Encoding",
	"In-Reply-To",
	"References",
	"List-Unsubscribe",
	"List-Unsubscribe-Post",
	"List-Id",
	"List-Help",
	"List-Subscribe",
	"List-Post",
	"List-Owner",
	"List-Archive",
	"Feedback-ID",
	"CFBL-Address",
	"CFBL-Feedback-ID",
	NULL,
};
enum { NAME_FROM = 0 };

/* The fields that readers see or answer to.  A copy with one of these added does not verify. */
const char *const frame_oversigned_names[] = {
	"From", "To", "Cc", "Subject", "Date", "Reply-To", NULL,
};

static struct slice signed_name[ARRAY_LEN(frame_signed_names) - 1];

static void __attribute__((constructor)) measure_names(void)
{
	for (unsigned i = 0; frame_signed_names[i]; i++)
		signed_name[i] = slice_str(frame_signed_names[i]);
}

static int name_index(struct slice name)
{
	char first = ascii_lower(name.p[0]);

	for (unsigned i = 0; i < ARRAY_LEN(signed_name); i++)
		if (signed_name[i].n == name.n && ascii_lower(signed_name[i].p[0]) == first &&
		    strncasecmp(signed_name[i].p, name.p, name.n) == 0)
			return (int)i;
	return -1;
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

bool frame_next_field(struct slice header, size_t *pos, struct slice *ret)
{
	const char *p = header.p + *pos, *end = header.p + header.n, *q = p;

	if (p == end)
		return false;
	do {
		q = memchr(q, '\n', (size_t)(end - q));
		q++; /* header is whole lines, so there always is one */
	} while (q < end && is_wsp(*q));
	*pos = (size_t)(q - header.p);
	*ret = slice_of(p, (size_t)(q - p) - 2);
	return true;
}

/* Finds the empty line; a message may also end with its header. */
static int split(struct slice m, struct frame *f)
{
	const char *p = m.p, *end = m.p + m.n, *lf;

	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (!lf || lf == m.p || lf[-1] != '\r')
			return E_SYNTAX;
		if (lf == p + 1) {
			f->header = slice_of(m.p, (size_t)(p - m.p));
			f->body = slice_of(lf + 1, (size_t)(end - lf - 1));
			return 0;
		}
	}
	f->header = m;
	f->body = slice_of(end, 0);
	return 0;
}

/* Only what RFC 5322 section 2.2 allows, and CR only before LF.  Verifiers disagree about the rest:
 * libopendkim takes VT and FF for white space and drops NUL. */
static bool has_stray_controls(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = (uint8_t)s.p[i];
		if (c >= 32 || c == '\t')
			continue;
		if (c != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			return true;
		i++;
	}
	return false;
}

static int parse_name(struct slice field, struct frame_field *ret)
{
	const char *colon = memchr(field.p, ':', MIN_OF(field.n, (size_t)UINT16_MAX));
	size_t n;

	if (!colon)
		return E_SYNTAX;
	n = (size_t)(colon - field.p);
	ret->colon = (uint16_t)n;
	while (n && field.p[n - 1] == ' ')
		n--;
	if (n == 0)
		return E_SYNTAX;
	for (size_t i = 0; i < ret->colon; i++)
		if (field.p[i] < 32 || field.p[i] > 126 || field.p[i] == ';')
			return E_SYNTAX;
	ret->name_n = (uint16_t)n;
	ret->text = field;
	ret->used = false;
	return 0;
}

static int add_field(struct frame *f, const struct frame_field *field)
{
	int name = name_index(slice_of(field->text.p, field->name_n));

	if (name < 0)
		return 0;
	if (f->n == FRAME_SIGNED_MAX)
		return E_LIMIT;
	f->fields[f->n] = *field;
	f->fields[f->n++].name = (uint8_t)name;
	return name == NAME_FROM;
}

int frame_parse(struct slice message, struct frame *f)
{
	struct frame_field field;
	struct slice text;
	unsigned fields = 0, from = 0;
	size_t pos = 0;
	int r = split(message, f);

	if (r < 0)
		return r;
	if (has_stray_controls(f->header))
		return E_SYNTAX;
	f->n = 0;
	while (frame_next_field(f->header, &pos, &text)) {
		if (++fields > FRAME_FIELDS_MAX)
			return E_LIMIT;
		r = parse_name(text, &field);
		if (r == 0)
			r = add_field(f, &field);
		if (r < 0)
			return r;
		from += (unsigned)r;
	}
	return from == 1 ? 0 : E_SYNTAX;
}
