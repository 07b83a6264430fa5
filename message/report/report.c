/* message/report/report.c - a report from its parts: kind, recipients, what they mean, and by which
 * ids the message that was sent can be found. */
#include "message/report/inside.h"

const char *report_kind_name(enum report_kind k)
{
	static const char *const names[REPORT_KINDS] = {
		[REPORT_OTHER] = "other",           [REPORT_DSN] = "dsn",
		[REPORT_DELAY] = "delay",           [REPORT_ARF] = "arf",
		[REPORT_AUTO_REPLY] = "auto-reply", [REPORT_UNSUBSCRIBE] = "unsubscribe",
		[REPORT_DMARC] = "dmarc",           [REPORT_TLSRPT] = "tlsrpt",
	};

	return names[k];
}

const char *report_action_name(enum report_action a)
{
	static const char *const names[REPORT_ACTIONS] = { "failed", "delayed", "delivered",
							   "complained" };

	return names[a];
}

struct report_recipient *report_add(struct report *r, const struct mailbox *box)
{
	for (unsigned i = 0; i < r->n; i++)
		if (slice_eq_nocase(mailbox_text(&r->recipients[i].box), mailbox_text(box)))
			return &r->recipients[i];
	if (r->n == REPORT_RECIPIENTS_MAX)
		return NULL;
	if ((r->n & (r->n - 1)) == 0) /* a power of two: full */
		r->recipients =
		    must_resize(r->recipients, (r->n ? 2 * r->n : 1) * sizeof(*r->recipients));
	r->recipients[r->n] = (struct report_recipient){ .box = *box };
	return &r->recipients[r->n++];
}

/* ---- recipients ---------------------------------------------------------------------------- */

/* What the rest of the work needs at hand. */
struct work {
	const struct judge *judge;
	struct parts parts;
	struct slice notice, returned;
	struct prose_said *said; /* REPORT_RECIPIENTS_MAX */
};

static void add_from(struct report *r, struct slice header_value)
{
	struct slice found;
	struct mailbox box;

	for (size_t at = 0; prose_address(header_value, &at, &found, &box);)
		(void)report_add(r, &box);
}

/* Nobody is named: the one to whom the returned message was written, when it is one. */
static void add_by_returned(struct report *r, struct slice returned)
{
	static const char *const names[] = { "X-HmXmrOriginalRecipient", "X-Envelope-To",
					     "Envelope-To", "Delivered-To", "To" };

	for (size_t i = 0; i < ARRAY_LEN(names) && !r->n; i++)
		add_from(r, fields_value(returned, slice_str(names[i])));
	if (r->n > 1)
		r->n = 0;
}

static void find_recipients(struct report *r, struct work *w, bool by_fields)
{
	if (r->kind == REPORT_ARF) {
		if (!r->n)
			add_by_returned(r, w->returned);
	} else if (r->kind == REPORT_DSN || r->kind == REPORT_DELAY) {
		if (!r->n)
			add_from(r, w->parts.head[HEAD_FAILED_RECIPIENTS]);
		prose_recipients(r, w->notice, &w->parts, by_fields, w->said);
		if (!r->n)
			add_by_returned(r, w->returned);
		if (!r->n)
			prose_last_resort(r, w->notice, &w->parts);
	} else {
		r->n = 0;
	}
}

static void set_actions(struct report *r, bool by_fields)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->kind == REPORT_ARF)
			r->recipients[i].action = REPORT_COMPLAINED;
		else if (r->kind == REPORT_DELAY && !by_fields)
			r->recipients[i].action = REPORT_DELAYED;
	}
}

/* ---- judging ------------------------------------------------------------------------------- */

static unsigned letters(struct slice s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s.n && n < 100; i++)
		n += (ascii_lower(s.p[i]) >= 'a' && ascii_lower(s.p[i]) <= 'z') || s.p[i] < 0;
	return n;
}

/* The rules know how Postfix says that the message was refused, not the recipient. */
static bool ask(const struct work *w, struct report_recipient *to, struct slice text,
		bool after_data)
{
	struct judge_reply reply = { .code = to->code, .status = to->status };
	struct judgement called;
	struct buf whole = { 0 };

	buf_put(&whole, slice_of(text.p, MIN_OF(text.n, (size_t)REPORT_TEXT_MAX)));
	if (after_data)
		buf_put(&whole, SLICE(" (in reply to end of DATA command)"));
	reply.text = buf_data(&whole);
	judge_reply(w->judge, &reply, &called);
	buf_free(&whole);
	to->class = called.class;
	to->hard = called.hard;
	return called.class != JUDGE_OTHER;
}

/* The host's own words come first.  Where they say nothing, those for people may. */
static void judge_one(const struct work *w, const struct report *r, struct report_recipient *to)
{
	const struct prose_said *said = &w->said[to - r->recipients];
	struct buf both = { 0 };

	if (!to->code && said->code >= 400)
		to->code = said->code;
	if (letters(to->text) < 8 || !ask(w, to, to->text, said->after_data)) {
		buf_put(&both, to->text);
		buf_put(&both, SLICE("\n"));
		buf_put(&both, said->text);
		if (!ask(w, to, buf_data(&both), said->after_data) && r->n == 1 &&
		    !ask(w, to, w->notice, false))
			(void)ask(w, to, w->parts.head[HEAD_SUBJECT], false);
		if (letters(to->text) < 8)
			to->text = said->text.n || r->n > 1 ? said->text : w->notice;
		buf_free(&both);
	}
}

static void judge_all(const struct work *w, struct report *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct report_recipient *to = &r->recipients[i];
		if (to->action == REPORT_FAILED || to->action == REPORT_DELAYED)
			judge_one(w, r, to);
		to->hard = to->hard && r->kind == REPORT_DSN && to->action == REPORT_FAILED;
	}
}

/* ---- ids, and copies of all that is kept --------------------------------------------------- */

static struct slice keep(struct slice s, size_t max)
{
	struct slice ret = { must_copy(slice_of(s.p, MIN_OF(s.n, max))), MIN_OF(s.n, max) };

	for (size_t i = 0; i < ret.n; i++)
		if ((unsigned char)ret.p[i] < ' ' || ret.p[i] == 0x7f)
			((char *)(uintptr_t)ret.p)[i] = ' ';
	while (ret.n && (ret.p[ret.n - 1] & 0xc0) == 0x80 && ret.n == max)
		ret.n--; /* not half a character */
	if (ret.n == max && (ret.p[ret.n - 1] & 0x80))
		ret.n--;
	return ret;
}

static void keep_extra(struct report *r, struct slice header)
{
	struct slice name, value;

	while (r->n_extra < REPORT_EXTRA_MAX && fields_next(&header, &name, &value))
		if (name.n > 2 && slice_starts_nocase(name, SLICE("X-")))
			r->extra[r->n_extra++] =
			    (struct report_extra){ keep(name, REPORT_ID_MAX),
						   keep(value, REPORT_ID_MAX) };
}

static struct slice address_in(struct slice value)
{
	struct slice found = { "", 0 };
	struct mailbox box;
	size_t at = 0;

	return prose_address(value, &at, &found, &box) ? found : slice_of("", 0);
}

static void keep_all(struct report *r, const struct work *w)
{
	const struct slice *head = w->parts.head;
	struct slice to = address_in(head[HEAD_DELIVERED_TO]);
	struct slice id =
	    slice_trim_set(fields_value(w->returned, SLICE("Message-ID")), " \t\r\n<>");

	if (!to.n)
		to = address_in(head[HEAD_TO]);
	if (!id.n && r->kind != REPORT_OTHER)
		id = slice_trim_set(head[HEAD_IN_REPLY_TO], " \t\r\n<>");
	r->returned_to = keep(to, REPORT_ID_MAX);
	r->message_id = keep(id, REPORT_ID_MAX);
	r->envelope_id = keep(r->envelope_id, REPORT_ID_MAX);
	r->feedback_type = keep(r->feedback_type, REPORT_ID_MAX);
	r->return_path =
	    keep(address_in(fields_value(w->returned, SLICE("Return-Path"))), REPORT_ID_MAX);
	keep_extra(r, w->returned);
	for (unsigned i = 0; i < r->n; i++)
		r->recipients[i].text = keep(r->recipients[i].text, REPORT_TEXT_MAX);
}

/* ---- together ------------------------------------------------------------------------------ */

static void read_fields(struct report *r, struct work *w)
{
	struct parts *p = &w->parts;
	struct buf *text = buf_len(&p->prose) ? &p->prose : &p->html;

	if (p->types & PART_FEEDBACK)
		fields_feedback(r, buf_data(&p->feedback));
	else
		fields_status(r, buf_data(&p->status));
	prose_cut(buf_data(text), &w->notice, &w->returned);
	if (buf_len(&p->returned))
		w->returned = buf_data(&p->returned);
	if (!r->n && !(p->types & PART_FEEDBACK))
		fields_status(r, w->notice);
}

struct report *report_read(const struct judge *j, struct slice message)
{
	struct report *r = must_alloc(sizeof(*r));
	struct work w = { .judge = j };
	bool by_fields;

	w.said = must_alloc(REPORT_RECIPIENTS_MAX * sizeof(*w.said));
	r->envelope_id = r->feedback_type = slice_of("", 0);
	parts_read(&w.parts, message);
	read_fields(r, &w);
	by_fields = r->n > 0;
	r->kind = kind_of(&w.parts, r, w.notice);
	find_recipients(r, &w, by_fields);
	set_actions(r, by_fields);
	judge_all(&w, r);
	keep_all(r, &w);
	parts_clear(&w.parts);
	free(w.said);
	return r;
}

static void drop(struct slice s)
{
	free((void *)(uintptr_t)s.p);
}

struct report *report_free(struct report *r)
{
	if (!r)
		return NULL;
	for (unsigned i = 0; i < r->n; i++)
		drop(r->recipients[i].text);
	for (unsigned i = 0; i < r->n_extra; i++) {
		drop(r->extra[i].name);
		drop(r->extra[i].value);
	}
	drop(r->returned_to);
	drop(r->message_id);
	drop(r->envelope_id);
	drop(r->return_path);
	drop(r->feedback_type);
	free(r->recipients);
	free(r);
	return NULL;
}
