/* mta/reports/said.c - answers of the reader to bytes and back. */
#include "mta/reports/said.h"

enum said_tag {
	TAG_KIND = 'K',
	TAG_HOST = 'H',
	TAG_EVIDENCE = 'E',
	TAG_REPORT = 'R',
	TAG_IDENTITY = 'I',
	TAG_REF = 'X',
	TAG_RECIPIENT = 'A', /* an address; what follows is about it */
	TAG_TEXT = 'T',
	TAG_NUMBERS = 'N',
};
struct said_numbers { /* of a recipient */
	uint16_t status[3], code, class;
	uint8_t hard, fine;
};
enum { ADDRESS = 512, HOST = 255, NUMBERS = 12, HEAD = 5 };
static_assert(sizeof(struct said_numbers) == NUMBERS, "no padding");

static void put(struct buf *out, enum said_tag tag, const void *p, size_t n)
{
	char head[HEAD] = { (char)tag };
	uint32_t length = (uint32_t)n;

	memcpy(head + 1, &length, sizeof(length));
	buf_put(out, slice_of(head, HEAD));
	buf_put(out, slice_of(p, n));
}

static void put_text(struct buf *out, enum said_tag tag, struct slice s, size_t max)
{
	if (s.n)
		put(out, tag, s.p, MIN_OF(s.n, max));
}

static void put_recipient(struct buf *out, const struct said_recipient *to)
{
	struct said_numbers n = { { to->status.class, to->status.subject, to->status.detail },
				  to->code,
				  (uint16_t)to->class,
				  to->hard,
				  to->fine };

	put(out, TAG_RECIPIENT, to->address.p, MIN_OF(to->address.n, (size_t)ADDRESS));
	put_text(out, TAG_TEXT, to->text, LATE_EVIDENCE_MAX);
	put(out, TAG_NUMBERS, &n, sizeof(n));
}

int said_put(struct buf *out, const struct said *s)
{
	uint8_t kind = (uint8_t)s->kind;

	put(out, TAG_KIND, &kind, 1);
	put_text(out, TAG_HOST, s->host, HOST);
	put_text(out, TAG_EVIDENCE, s->evidence, LATE_EVIDENCE_MAX);
	put_text(out, TAG_IDENTITY, s->identity, ADDRESS);
	for (unsigned i = 0; i < s->n_refs; i++)
		put_text(out, TAG_REF, s->refs[i], ADDRESS);
	for (unsigned i = 0; i < s->n; i++)
		put_recipient(out, &s->rcpt[i]);
	if (s->report.n > LATE_REPORT_MAX)
		return E_LIMIT;
	put_text(out, TAG_REPORT, s->report, LATE_REPORT_MAX);
	return 0;
}

static int take(struct slice *to, struct slice s, size_t max)
{
	if (to->n || !s.n || s.n > max)
		return E_SYNTAX;
	*to = s;
	return 0;
}

static int take_recipient(struct said *ret, struct slice s)
{
	if (ret->n == SAID_RECIPIENTS_MAX || s.n > ADDRESS)
		return E_LIMIT;
	ret->rcpt[ret->n++] = (struct said_recipient){ .address = s };
	return 0;
}

static int take_numbers(struct said *ret, struct slice s)
{
	struct said_recipient *to;
	struct said_numbers n;

	if (!ret->n || s.n != sizeof(n))
		return E_SYNTAX;
	to = &ret->rcpt[ret->n - 1];
	memcpy(&n, s.p, sizeof(n));
	if (n.status[0] > 5 || n.status[1] > 999 || n.status[2] > 999 || n.code > 599 ||
	    n.class >= JUDGE_CLASSES || n.hard > 1 || n.fine > 1)
		return E_SYNTAX;
	to->status = STATUS(n.status[0], n.status[1], n.status[2]);
	to->code = n.code;
	to->class = (enum judge_class)n.class;
	to->hard = n.hard;
	to->fine = n.fine;
	return 0;
}

static int take_kind(struct said *ret, struct slice s)
{
	if (ret->kind || s.n != 1 || (uint8_t)s.p[0] < LATE_DSN || (uint8_t)s.p[0] >= LATE_END)
		return E_SYNTAX;
	ret->kind = (uint8_t)s.p[0];
	return 0;
}

static int take_ref(struct said *ret, struct slice s)
{
	if (ret->n_refs == SAID_REFS_MAX || !s.n || s.n > ADDRESS)
		return E_LIMIT;
	ret->refs[ret->n_refs++] = s;
	return 0;
}

static int take_field(struct said *ret, char tag, struct slice s)
{
	switch ((enum said_tag)tag) {
	case TAG_KIND:
		return take_kind(ret, s);
	case TAG_HOST:
		return take(&ret->host, s, HOST);
	case TAG_EVIDENCE:
		return take(&ret->evidence, s, LATE_EVIDENCE_MAX);
	case TAG_REPORT:
		return take(&ret->report, s, LATE_REPORT_MAX);
	case TAG_IDENTITY:
		return take(&ret->identity, s, ADDRESS);
	case TAG_REF:
		return take_ref(ret, s);
	case TAG_RECIPIENT:
		return take_recipient(ret, s);
	case TAG_TEXT:
		return ret->n ? take(&ret->rcpt[ret->n - 1].text, s, LATE_EVIDENCE_MAX) : E_SYNTAX;
	case TAG_NUMBERS:
		return take_numbers(ret, s);
	}
	return E_SYNTAX;
}

int said_get(struct slice in, struct said *ret)
{
	uint32_t length;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	while (in.n && r == 0) {
		if (in.n < HEAD)
			return E_SYNTAX;
		memcpy(&length, in.p + 1, sizeof(length));
		if (length > in.n - HEAD)
			return E_SYNTAX;
		r = take_field(ret, in.p[0], slice_of(in.p + HEAD, length));
		in = slice_skip(in, HEAD + (size_t)length);
	}
	return r < 0 ? r : ret->kind ? 0 : E_SYNTAX;
}
