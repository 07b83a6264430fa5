/* spool/late_format.c - records about mail that came back, to bytes and back. */
#include "spool/late_format.h"

#define TEXT(member, max)                                                                          \
	{                                                                                          \
		offsetof(struct late_fact, member), max                                            \
	}
static const struct {
	size_t offset;
	size_t max;
} texts[LATE_TEXTS] = {
	TEXT(evidence, LATE_EVIDENCE_MAX),
	TEXT(host, HOST_MAX),
	TEXT(ip, PEER_MAX),
	TEXT(to, RCPT_MAX),
	TEXT(rcpt, RCPT_MAX),
	TEXT(class, WORD_MAX),
	TEXT(rule, WORD_MAX),
};

static struct slice *text_of(struct late_fact *f, size_t i)
{
	return (struct slice *)(void *)((char *)f + texts[i].offset);
}

int late_decode_mail(const struct record *rec, struct late_mail *ret, uint32_t *ret_seq)
{
	struct late_mail_fixed f;
	struct late_copy_fixed copy = { 0, 0 };
	size_t state = rec->flags & RECORD_COPY ? sizeof(copy) : 0;
	struct slice in = rec->payload;

	if (in.n < sizeof(f) + state)
		return E_CORRUPT;
	memcpy(&f, in.p, sizeof(f));
	in = slice_skip(in, sizeof(f));
	if (f.meta_len > LATE_META_MAX || f.bytes_len > LATE_MAIL_MAX ||
	    (uint64_t)f.meta_len + f.bytes_len != in.n - state)
		return E_CORRUPT;
	*ret = (struct late_mail){ f.id, f.at_ms, slice_of(in.p, f.meta_len),
				   slice_of(in.p + f.meta_len, f.bytes_len) };
	if (state)
		memcpy(&copy, in.p + in.n - state, state);
	*ret_seq = copy.seq;
	return copy.zero ? E_CORRUPT : 0;
}

struct late_fixed late_fixed_of(struct late_fact *f, uint32_t report_len, bool packed)
{
	struct late_fixed x = {
		.mail = f->mail,
		.job = f->job,
		.tenant = f->tenant,
		.campaign = f->campaign,
		.key = f->key,
		.at_ms = f->at_ms,
		.row = f->row,
		.seq = f->seq,
		.report_len = report_len,
		.report_raw = (uint32_t)f->report.n,
		.kind = (uint16_t)f->kind,
		.flags = f->flags,
		.code = f->code,
		.status = { f->status.class, f->status.subject, f->status.detail },
		.marks = (uint8_t)((f->last ? LATE_LAST : 0) | (f->again ? LATE_AGAIN : 0)),
		.packed = packed,
	};

	for (size_t i = 0; i < LATE_TEXTS; i++) {
		struct slice *s = text_of(f, i);
		s->n = MIN_OF(s->n, texts[i].max);
		x.len[i] = (uint16_t)s->n;
	}
	return x;
}

void late_texts(const struct late_fact *f, struct slice ret[LATE_TEXTS])
{
	struct late_fact copy = *f;

	for (size_t i = 0; i < LATE_TEXTS; i++)
		ret[i] = *text_of(&copy, i);
}

static bool fixed_is_sound(const struct late_fixed *x)
{
	static const uint8_t zero[sizeof(x->zero)];

	return x->kind >= LATE_DSN && x->kind < LATE_END && x->row <= ROWS_MAX &&
	       x->report_raw <= LATE_REPORT_MAX && x->packed <= 1 &&
	       (x->packed ? x->report_len < x->report_raw : x->report_len == x->report_raw) &&
	       !(x->marks & ~(LATE_LAST | LATE_AGAIN)) && !memcmp(x->zero, zero, sizeof(zero));
}

int late_decode(struct slice in, struct late_view *ret)
{
	struct late_fixed x;
	struct late_fact *f = &ret->f;

	if (in.n < sizeof(x))
		return E_CORRUPT;
	memcpy(&x, in.p, sizeof(x));
	in = slice_skip(in, sizeof(x));
	if (!fixed_is_sound(&x))
		return E_CORRUPT;
	*f = (struct late_fact){ .mail = x.mail,
				 .seq = x.seq,
				 .last = x.marks & LATE_LAST,
				 .again = x.marks & LATE_AGAIN,
				 .kind = x.kind,
				 .key = x.key,
				 .job = x.job,
				 .row = x.row,
				 .tenant = x.tenant,
				 .campaign = x.campaign,
				 .at_ms = x.at_ms,
				 .status = STATUS(x.status[0], x.status[1], x.status[2]),
				 .code = x.code,
				 .flags = x.flags };
	for (size_t i = 0; i < LATE_TEXTS; i++) {
		if (x.len[i] > texts[i].max || x.len[i] > in.n)
			return E_CORRUPT;
		*text_of(f, i) = slice_of(in.p, x.len[i]);
		in = slice_skip(in, x.len[i]);
	}
	f->report = in;
	ret->packed = x.packed;
	ret->raw_len = x.report_raw;
	return in.n == x.report_len ? 0 : E_CORRUPT;
}

void late_books(const struct late_totals *t, struct books *ret)
{
	uint64_t *const kinds[LATE_KINDS] = {
		&ret->returned,
		&ret->returned_delays,
		&ret->returned_complaints,
		&ret->returned_auto_replies,
		&ret->returned_unsubscribes,
		&ret->returned_dmarc,
		&ret->returned_tlsrpt,
		&ret->returned_other,
	};

	for (size_t i = 0; i < LATE_KINDS; i++)
		*kinds[i] = t->kinds[i];
	ret->returned_again = t->again;
	ret->returned_mails = t->arrived;
}

int late_decode_tally(struct slice in, struct late_totals *ret, struct slice *keys)
{
	if (in.n < sizeof(*ret) || (in.n - sizeof(*ret)) % sizeof(uint64_t))
		return E_CORRUPT;
	memcpy(ret, in.p, sizeof(*ret));
	*keys = slice_skip(in, sizeof(*ret));
	return 0;
}
