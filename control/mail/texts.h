/* control/mail/texts.h - what the platform writes to people: a text for each kind of mail and each
 * language.  The shipped ones are built in; an operator's files, of the same form, replace them one
 * by one.
 *
 *	file    = section...          named <language>.txt: en.txt, de.txt, pt-br.txt
 *	section = "== " kind, "Subject: " text, "", text [ "-- html --" html ]
 *
 * Texts are templates of message/template.h; each kind has its fields, and other names are refused.
 * Owns:    mail_texts_read() gives the caller the texts; sources point into them.
 * Fails:   E_SYNTAX, -errno; error (MAIL_ERROR_MAX bytes) says file, line and fault.
 * Limits:  a file of 256 KiB, MAIL_LANGUAGES languages. */
#pragma once
#include "control/mail/codes.h"
#include "message/template.h"

enum { MAIL_ERROR_MAX = 400, MAIL_LANGUAGES = 32, MAIL_LANGUAGE_MAX = 16 };

struct mail_texts;
struct mail_texts *mail_texts_free(struct mail_texts *t);
DEFINE_OWNED(mail_texts)
struct mail_texts *mail_texts_new(void); /* without any text */
/* dir: the operator's folder, or "" for none. */
int mail_texts_read(struct mail_texts **ret, const char *dir, char *error) MUST_CHECK;
/* Adds the sections of one file; those that are there are replaced. */
int mail_texts_add(struct mail_texts *t, const char *file, struct slice language, struct slice text,
		   char *error) MUST_CHECK;
/* The text in this language; else in its first part ("pt" of "pt-br"); else in English. */
struct template_source mail_texts_find(const struct mail_texts *t, enum mail_kind kind,
				       struct slice language);
/* Is there any text in this language, or in its first part? */
bool mail_texts_speaks(const struct mail_texts *t, struct slice language);

const char *mail_kind_name(enum mail_kind kind);
/* The fields that texts of a kind may use. */
struct template_env mail_kind_env(enum mail_kind kind);

/* The files that are built in. */
struct mail_shipped {
	const char *name, *text;
	size_t n;
};
extern const struct mail_shipped mail_shipped[];
extern const size_t mail_shipped_n;
