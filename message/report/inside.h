/* message/report/inside.h - the insides of the reader of reports, shared by its files only. */
#pragma once
#include "message/report/returned.h"

/* part.c: the message taken apart, every text as UTF-8. */
enum part_types {
	PART_REPORT = 1, /* multipart/report */
	PART_STATUS = 2,
	PART_FEEDBACK = 4,
	PART_TLSRPT = 8,
	PART_ARCHIVE = 16, /* zip, gzip, or bytes that may be */
	PART_RETURNED = 32,
};
enum part_head {
	HEAD_SUBJECT,
	HEAD_FROM,
	HEAD_TO,
	HEAD_RETURN_PATH,
	HEAD_DELIVERED_TO,
	HEAD_ORIGINAL_TO,
	HEAD_AUTO_SUBMITTED,
	HEAD_PRECEDENCE,
	HEAD_FAILED_RECIPIENTS,
	HEAD_AUTOREPLY,
	HEAD_AUTORESPOND,
	HEAD_IN_REPLY_TO,
	HEADS
};
struct parts {
	struct slice head[HEADS]; /* decoded, UTF-8; empty when missing */
	unsigned types, n;
	struct buf prose;  /* text for people, up to the returned message */
	struct buf html;   /* its text, when there is no other */
	struct buf status; /* message/delivery-status */
	struct buf
	    objects; /* what a notice in JSON says, as fields; empty before it is looked for */
	struct buf feedback;   /* message/feedback-report */
	struct buf returned;   /* header of the returned message */
	struct buf attachment; /* the first that may be a report about a domain, as it is */
};
/* Also of a buf that never held anything. */
static inline struct slice parts_text(const struct buf *b)
{
	return buf_len(b) ? buf_data(b) : slice_of("", 0);
}
void parts_prepare(void);
void parts_read(struct parts *p, struct slice message);
void parts_clear(struct parts *p);

/* decode.c */
/* Appends text as UTF-8; NULL or an unknown charset: as UTF-8 with what is none replaced. */
void decode_text(struct buf *out, struct slice text, const char *charset);
void decode_prepare(void); /* the character sets of mail are in memory from here on */
/* Appends the text of HTML: tags become nothing or a line end. */
void decode_html(struct buf *out, struct slice html);

/* stated.c: what fields say.  Recipients are added to r; their text points into the fields until
 * returned_read() copies it. */
void stated_status(struct returned *r, struct slice fields);
void stated_feedback(struct returned *r, struct slice fields);
/* The value of a header field, its folds included; empty when there is none. */
struct slice stated_value(struct slice header, struct slice name);
/* The next field; folded lines belong to it. */
bool stated_next(struct slice *rest, struct slice *ret_name, struct slice *ret_value);
/* "550 5.1.1 text", "550-text": the code, 0 when s does not begin with one. */
uint16_t stated_reply_code(struct slice s);

/* objects.c: notices as JSON; appends what they say as fields. */
void objects_as_fields(struct slice text, struct buf *out);

/* prose.c: what people are told. */
void prose_cut(struct slice text, struct slice *ret_notice, struct slice *ret_returned);
struct prose_said {
	struct slice text; /* points into the notice */
	uint16_t code;
	unsigned weight; /* of the address behind which it stands */
	bool after_data; /* RCPT was accepted, the message was not */
};
/* Adds the recipients that the text names, unless r has some by fields.  said has a place for each
 * of RETURNED_RECIPIENTS_MAX. */
void prose_recipients(struct returned *r, struct slice text, const struct parts *p, bool by_fields,
		      struct prose_said *said);
/* The one address that occurs anywhere in the text and is not ours. */
void prose_last_resort(struct returned *r, struct slice text, const struct parts *p);
/* The next address in s from *at on; *at moves past it. */
bool prose_address(struct slice s, size_t *at, struct slice *ret, struct mailbox *box);

/* kind.c */
enum returned_kind kind_of(const struct parts *p, const struct returned *r, struct slice notice);
/* What took itself for a notice and names nobody: postmasters write news, too. */
enum returned_kind kind_of_nobody(const struct parts *p, enum returned_kind kind,
				  struct slice notice);
/* One of the words stands in the text, whatever the case; NULL ends the words. */
bool kind_has(struct slice text, const char *const *words);

/* returned.c */
/* Gives the recipient of that address, a new one when there is none; NULL past the limit. */
struct returned_recipient *returned_add(struct returned *r, const struct mailbox *box);
