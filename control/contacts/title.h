/* control/contacts/title.h - what columns are called in files that people have, in the languages of
 * the programs that wrote them.
 * Limits: letters with marks count as those without; what is not Latin script matches nothing. */
#pragma once
#include "base/base.h"

enum title_target {
	TITLE_NONE,
	TITLE_EMAIL,
	TITLE_FIRST,
	TITLE_LAST,
	TITLE_STATUS,  /* a word of control/contacts/standing.h */
	TITLE_OPT_OUT, /* yes, or since when: does not want mail */
	TITLE_BOUNCED, /* yes, or since when: cannot be reached */
	TITLE_OPT_IN,  /* no: does not want mail */
	TITLE_FIELD,   /* an organisation's own field; no title of these tables is one */
};

/* A title or value without blanks around it, and without the formula ="..." by which exports keep
 * spreadsheets from reading a number. */
struct slice title_cell(struct slice raw);

enum { TITLE_FOLDED_MAX = 128 };
/* Lower case without marks, every run of other signs one "_", none at the ends: "E-Mail 1 - Value"
 * is "e_mail_1_value". */
void title_fold(struct slice title, char out[TITLE_FOLDED_MAX]);
/* The same without any "_": "FirstName", "first name" and "First-Name" are one. */
void title_squeeze(struct slice title, char out[TITLE_FOLDED_MAX]);
/* Is the word one of those, which are parted by spaces? */
bool title_among(const char *words, const char *word);
/* Are they the same title, however they are written?  Titles that fold to nothing never are. */
bool title_alike(struct slice a, struct slice b);
/* Of a folded title. */
enum title_target title_find(const char *folded);
/* What a title outside of the tables seems to ask: TITLE_OPT_OUT ("Global Unsubscribe"),
 * TITLE_OPT_IN ("GDPR consent"), or TITLE_NONE. */
enum title_target title_hint(struct slice title);
/* The names that stand for the members every contact has: email, first_name, last_name, status. */
enum title_target title_find_member(const char *folded);
