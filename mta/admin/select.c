/* mta/admin/select.c - what an operator may write for a selector, and what is made of it: one text
 * per selector, by which orders about the same are found. */
#include <inttypes.h>
#include <stdio.h>

#include "message/mailbox.h"
#include "mta/admin/query.h"

static int refuse(struct query *q, const char *why)
{
	(void)snprintf(q->fault, sizeof(q->fault),
		       "\"%.*s\" %s; a selector is all, or terms such as tenant/7 "
		       "provider/gmail age>2h, an ID, ID:ROW, an address or a domain; see "
		       "postern(1)",
		       150, q->what, why);
	return E_SYNTAX;
}

/* An apostrophe elsewhere is a part of an address. */
static bool begins_value(struct slice s, size_t at)
{
	return !at || memchr("/<>=", s.p[at - 1], 4);
}

/* The word up to a blank outside quotes. */
static struct slice take_word(struct slice *rest)
{
	char quote = '\0';
	size_t n = 0;

	for (; n < rest->n && (quote || rest->p[n] != ' '); n++) {
		char c = rest->p[n];
		if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || (c == '\'' && begins_value(*rest, n)))
			quote = c;
	}
	struct slice word = slice_of(rest->p, n);
	*rest = slice_trim_set(slice_skip(*rest, n), " ");
	return word;
}

/* The key of a word that has none. */
static const char *kind_of(struct slice word)
{
	struct slice id = word, row, after = word;
	struct id128 unused;

	if (slice_eq(word, SLICE("all")) || selector_key_of(&after) != SELECT_KEYS)
		return "";
	bool has_row = slice_cut(word, ':', &id, &row);
	if (id_parse(id, &unused) == 0)
		return has_row ? "rcpt/" : "job/";
	if (memchr(word.p, '/', word.n))
		return "";
	return memchr(word.p, '@', word.n) ? "recipient/" : "domain/";
}

static void put_words(const struct query *q, struct buf *out)
{
	struct slice rest = slice_trim_set(slice_str(q->what), " ");

	while (rest.n) {
		struct slice word = take_word(&rest);
		buf_putf(out, "%s%s", buf_len(out) ? " " : "", kind_of(word));
		buf_put(out, word);
	}
}

/* Names become what the queue has; room keeps them. */
struct rooms {
	char domain[MAILBOX_MAX + 2], recipient[MAILBOX_MAX + 2];
};

static int look_at_names(struct query *q, struct selector *s, struct rooms *rooms)
{
	struct mailbox box;

	for (unsigned i = 0; i < s->n; i++) {
		struct selector_term *t = &s->terms[i];
		if (t->key == SELECT_DOMAIN &&
		    (memchr(t->text.p, '@', t->text.n) ||
		     mailbox_domain_parse(t->text, MAILBOX_IDN | MAILBOX_LITERAL, rooms->domain,
					  &t->text) < 0))
			return refuse(q, "has something that is no domain");
		if (t->key != SELECT_RECIPIENT)
			continue;
		if (mailbox_parse(t->text, MAILBOX_UTF8 | MAILBOX_LITERAL | MAILBOX_QUOTED_ANY,
				  &box) < 0)
			return refuse(q, "has something that is no address");
		slice_copy(rooms->recipient, sizeof(rooms->recipient), mailbox_text(&box));
		t->text = slice_str(rooms->recipient);
	}
	return 0;
}

int query_selector(struct query *q)
{
	char fault[SELECTOR_FAULT_MAX], text[SELECTOR_TEXT_MAX];
	struct rooms rooms;
	struct buf words;
	int r;

	buf_init(&words, 0);
	put_words(q, &words);
	r = selector_read(buf_data(&words), &q->selector, fault);
	if (r < 0)
		(void)refuse(q, fault);
	if (r == 0)
		r = look_at_names(q, &q->selector, &rooms);
	if (r == 0 && selector_print(&q->selector, text, sizeof(text)) < 0)
		r = refuse(q, "is too long");
	buf_free(&words);
	if (r < 0)
		return r;
	memcpy(q->what, text, strlen(text) + 1);
	return selector_parse(slice_str(q->what), &q->selector);
}

int query_selector_as_written(struct query *q)
{
	char text[sizeof(q->what)];

	if (snprintf(text, sizeof(text), "%s%s", kind_of(slice_str(q->what)), q->what) >=
	    (int)sizeof(text))
		return E_LIMIT;
	memcpy(q->what, text, strlen(text) + 1);
	return selector_parse_single(slice_str(q->what), &q->selector);
}
