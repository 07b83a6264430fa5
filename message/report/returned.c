/* message/report/returned.c - a report from its parts: kind, recipients, what they mean, and by
 * which ids the message that was sent can be found. */
#include "base/encode.h"
#include "message/report/inside.h"

const char *returned_kind_name(enum returned_kind k)
{
	static const char *const names[RETURNED_KINDS] = {
		[RETURNED_OTHER] = "other",           [RETURNED_DSN] = "dsn",
		[RETURNED_DELAY] = "delay",           [RETURNED_ARF] = "arf",
		[RETURNED_AUTO_REPLY] = "auto-reply", [RETURNED_UNSUBSCRIBE] = "unsubscribe",
		[RETURNED_DMARC] = "dmarc",           [RETURNED_TLSRPT] = "tlsrpt",
	};

	return names[k];
}

const char *returned_action_name(enum returned_action a)
{
	static const char *const names[RETURNED_ACTIONS] = { "failed", "delayed", "delivered",
							     "complained" };

	return names[a];
}

struct returned_recipient *returned_add(struct returned *r, const struct mailbox *box)
{
	for (unsigned i = 0; i < r->n; i++)
		if (slice_eq_nocase(mailbox_text(&r->recipients[i].box), mailbox_text(box)))
			return &r->recipients[i];
	if (r->n == RETURNED_RECIPIENTS_MAX)
		return NULL;
	if ((r->n & (r->n - 1)) == 0) /* a power of two: full */
		r->recipients =
		    must_resize(r->recipients, (r->n ? 2 * r->n : 1) * sizeof(*r->recipients));
	r->recipients[r->n] = (struct returned_recipient){ .box = *box };
	return &r->recipients[r->n++];
}

/* ---- recipients ---------------------------------------------------------------------------- */

/* What the rest of the work needs at hand. */
struct work {
	const struct judge *judge;
	struct parts parts;
	struct slice notice, returned;
	struct prose_said *said; /* RETURNED_RECIPIENTS_MAX */
};

static void add_from(struct returned *r, struct slice header_value)
{
	struct slice found;
	struct mailbox box;

	for (size_t at = 0; prose_address(header_value, &at, &found, &box);)
		(void)returned_add(r, &box);
}

/* Nobody is named: the one to whom the returned message was written, when it is one. */
static void add_by_returned(struct returned *r, struct slice returned)
{
	static const char *const names[] = { "X-HmXmrOriginalRecipient", "X-Envelope-To",
					     "Envelope-To", "Delivered-To", "To" };

	for (size_t i = 0; i < ARRAY_LEN(names) && !r->n; i++)
		add_from(r, stated_value(returned, slice_str(names[i])));
	if (r->n > 1)
		r->n = 0;
}

static void find_recipients(struct returned *r, struct work *w, bool by_fields)
{
	if (r->kind == RETURNED_ARF) {
		if (!r->n)
			add_by_returned(r, w->returned);
	} else if (r->kind == RETURNED_DSN || r->kind == RETURNED_DELAY) {
		if (!r->n)
			add_from(r, w->parts.head[HEAD_FAILED_RECIPIENTS]);
		prose_recipients(r, w->notice, &w->parts, by_fields, w->said);
		if (!r->n)
			add_by_returned(r, w->returned);
		if (!r->n)
			prose_last_resort(r, w->notice, &w->parts);
		if (!r->n)
			r->kind = kind_of_nobody(&w->parts, r->kind, w->notice);
	} else {
		r->n = 0;
	}
}

static void set_actions(struct returned *r, bool by_fields)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (r->kind == RETURNED_ARF)
			r->recipients[i].action = RETURNED_COMPLAINED;
		else if (r->kind == RETURNED_DELAY && !by_fields)
			r->recipients[i].action = RETURNED_DELAYED;
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
static bool ask(const struct work *w, struct returned_recipient *to, struct slice text,
		bool after_data)
{
	struct judge_reply reply = { .code = to->code, .status = to->status };
	struct judgement called;
	struct buf whole = { 0 };

	buf_put(&whole, slice_of(text.p, MIN_OF(text.n, (size_t)RETURNED_TEXT_MAX)));
	if (after_data)
		buf_put(&whole, SLICE(" (in reply to end of DATA command)"));
	reply.text = parts_text(&whole);
	judge_reply(w->judge, &reply, &called);
	buf_free(&whole);
	to->class = called.class;
	to->hard = called.hard;
	return called.class != JUDGE_OTHER;
}

enum { SHORT_NOTICE = 400 };

static bool has_code(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (stated_reply_code(slice_skip(s, i)) >= 400)
			return true;
	return false;
}

/* A few words for people, with no reply quoted in them, that speak of a mailbox that is there or of
 * trouble of the host's own: who wrote them knows better than a status that a program chose, and a
 * wrong "hard" costs a good address.  Long ones name every reason there is. */
static void believe_people(const struct work *w, const struct returned *r,
			   struct returned_recipient *to)
{
	struct returned_recipient other = { .box = to->box };

	if (!to->hard || r->n != 1 || w->notice.n > SHORT_NOTICE || has_code(w->notice) ||
	    !ask(w, &other, w->notice, false))
		return;
	if (other.class == JUDGE_QUOTA || other.class == JUDGE_INACTIVE_MAILBOX ||
	    other.class == JUDGE_SYSTEM) {
		to->class = other.class;
		to->hard = false;
	}
}

/* The host's own words come first.  Where they say nothing, those for people may. */
static void judge_one(const struct work *w, const struct returned *r, struct returned_recipient *to)
{
	const struct prose_said *said = &w->said[to - r->recipients];
	struct buf both = { 0 };

	if (!to->code && said->code >= 400)
		to->code = said->code;
	if (letters(to->text) < 8 || !ask(w, to, to->text, said->after_data)) {
		buf_put(&both, to->text);
		buf_put(&both, SLICE("\n"));
		buf_put(&both, said->text);
		if (!ask(w, to, parts_text(&both), said->after_data) && r->n == 1 &&
		    !ask(w, to, w->notice, false))
			(void)ask(w, to, w->parts.head[HEAD_SUBJECT], false);
		if (letters(to->text) < 8)
			to->text = said->text.n || r->n > 1 ? said->text : w->notice;
		buf_free(&both);
	}
	believe_people(w, r, to);
}

static void judge_all(const struct work *w, struct returned *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct returned_recipient *to = &r->recipients[i];
		if (to->action == RETURNED_FAILED || to->action == RETURNED_DELAYED)
			judge_one(w, r, to);
		to->hard = to->hard && r->kind == RETURNED_DSN && to->action == RETURNED_FAILED;
	}
}

/* ---- ids, and copies of all that is kept --------------------------------------------------- */

/* A copy in one line, whole characters only. */
static struct slice keep(struct slice s, size_t max)
{
	char *copy = must_alloc(MIN_OF(s.n, max) + 1);
	size_t n = 0, length;

	for (; s.n && n < max; s = slice_skip(s, MAX_OF(length, (size_t)1))) {
		length = utf8_length(s);
		if (n + length > max)
			break;
		if (length <= 1)
			copy[n++] = length && *s.p >= ' ' && *s.p != 0x7f ? *s.p : ' ';
		else
			memcpy(copy + n, s.p, length);
		n += length > 1 ? length : 0;
	}
	return slice_of(copy, n);
}

static void keep_extra(struct returned *r, struct slice header)
{
	struct slice name, value;

	while (r->n_extra < RETURNED_EXTRA_MAX && stated_next(&header, &name, &value))
		if (name.n > 2 && slice_starts_nocase(name, SLICE("X-")))
			r->extra[r->n_extra++] =
			    (struct returned_extra){ keep(name, RETURNED_ID_MAX),
						     keep(value, RETURNED_ID_MAX) };
}

static struct slice address_in(struct slice value)
{
	struct slice found = { "", 0 };
	struct mailbox box;
	size_t at = 0;

	return prose_address(value, &at, &found, &box) ? found : slice_of("", 0);
}

static void keep_all(struct returned *r, const struct work *w)
{
	const struct slice *head = w->parts.head;
	struct slice to = address_in(head[HEAD_DELIVERED_TO]);
	struct slice id =
	    slice_trim_set(stated_value(w->returned, SLICE("Message-ID")), " \t\r\n<>");

	if (!to.n)
		to = address_in(head[HEAD_TO]);
	if (!id.n && r->kind != RETURNED_OTHER)
		id = slice_trim_set(head[HEAD_IN_REPLY_TO], " \t\r\n<>");
	r->returned_to = keep(to, RETURNED_ID_MAX);
	r->message_id = keep(id, RETURNED_ID_MAX);
	r->envelope_id = keep(r->envelope_id, RETURNED_ID_MAX);
	r->feedback_type = keep(r->feedback_type, RETURNED_ID_MAX);
	r->return_path =
	    keep(address_in(stated_value(w->returned, SLICE("Return-Path"))), RETURNED_ID_MAX);
	keep_extra(r, w->returned);
	if (buf_len(&w->parts.attachment))
		r->attachment = slice_of(must_copy(parts_text(&w->parts.attachment)),
					 buf_len(&w->parts.attachment));
	for (unsigned i = 0; i < r->n; i++)
		r->recipients[i].text = keep(r->recipients[i].text, RETURNED_TEXT_MAX);
}

/* ---- together ------------------------------------------------------------------------------ */

static void read_fields(struct returned *r, struct work *w)
{
	struct parts *p = &w->parts;
	struct buf *text = buf_len(&p->prose) ? &p->prose : &p->html;

	if (p->types & PART_FEEDBACK)
		stated_feedback(r, parts_text(&p->feedback));
	else
		stated_status(r, parts_text(&p->status));
	prose_cut(parts_text(text), &w->notice, &w->returned);
	if (buf_len(&p->returned))
		w->returned = parts_text(&p->returned);
	if (!r->n && !(p->types & PART_FEEDBACK)) {
		objects_as_fields(w->notice, &p->objects);
		stated_status(r, parts_text(&p->objects));
	}
	if (!r->n && !(p->types & PART_FEEDBACK))
		stated_status(r, w->notice);
}

struct returned *returned_read(const struct judge *j, struct slice message)
{
	struct returned *r = must_alloc(sizeof(*r));
	struct work w = { .judge = j };
	bool by_fields;

	w.said = must_alloc(RETURNED_RECIPIENTS_MAX * sizeof(*w.said));
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

void returned_prepare(void)
{
	parts_prepare();
	decode_prepare();
}

struct returned *returned_free(struct returned *r)
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
	drop(r->attachment);
	free(r->recipients);
	free(r);
	return NULL;
}
