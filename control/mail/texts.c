/* control/mail/texts.c - reading files of texts, and finding a text. */
#include "control/mail/texts.h"

#include <dirent.h>
#include <stdio.h>

#include "base/file.h"

enum { FILE_MAX = 256 * 1024, PATH_MAX_ = 1024 };

#define FIELD(text)                                                                                \
	{                                                                                          \
		.name = SLICE_INIT(text)                                                           \
	}
#define SLICE_INIT(text)                                                                           \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

/* Fields are text; `link` may be empty, and is asked for by a section. */
static const struct template_field
    code_fields[] = { FIELD("service"), FIELD("organization"), FIELD("code") },
    link_fields[] = { FIELD("service"), FIELD("organization"), FIELD("inviter"), FIELD("link"),
		      FIELD("token") },
    news_fields[] = { FIELD("service"), FIELD("organization"), FIELD("place"), FIELD("device"),
		      FIELD("time"),    FIELD("address"),      FIELD("change") },
    change_fields[] = { FIELD("service"),   FIELD("organization"),  FIELD("place"),
			FIELD("device"),    FIELD("time"),          FIELD("address"),
			FIELD("change"),    FIELD("totp_on"),       FIELD("totp_off"),
			FIELD("mail_on"),   FIELD("mail_off"),      FIELD("codes_new"),
			FIELD("code_used"), FIELD("admin_removed"), FIELD("operator_removed"),
			FIELD("linked"),    FIELD("unlinked") },
    guess_fields[] = { FIELD("service"), FIELD("organization"), FIELD("count"), FIELD("place"),
		       FIELD("time") },
    key_fields[] = { FIELD("service"), FIELD("organization"), FIELD("key"),    FIELD("time"),
		     FIELD("expires"), FIELD("removed"),      FIELD("demoted") };

static const struct kind_row {
	const char *name;
	const struct template_field *fields;
	unsigned n;
} kinds[MAIL_KINDS] = {
	[MAIL_SIGNUP] = { "signup", code_fields, ARRAY_LEN(code_fields) },
	[MAIL_INVITE] = { "invite", link_fields, ARRAY_LEN(link_fields) },
	[MAIL_RESET] = { "reset", link_fields, ARRAY_LEN(link_fields) },
	[MAIL_ADDRESS] = { "address", code_fields, ARRAY_LEN(code_fields) },
	[MAIL_ADDRESS_CHANGED] = { "address_changed", news_fields, ARRAY_LEN(news_fields) },
	[MAIL_PASSWORD_CHANGED] = { "password_changed", news_fields, ARRAY_LEN(news_fields) },
	[MAIL_NEW_DEVICE] = { "new_device", news_fields, ARRAY_LEN(news_fields) },
	[MAIL_SECOND_FACTOR] = { "second_factor", code_fields, ARRAY_LEN(code_fields) },
	[MAIL_FACTOR_CHANGED] = { "factor_changed", change_fields, ARRAY_LEN(change_fields) },
	[MAIL_KEY_ENDS] = { "key_ends", key_fields, ARRAY_LEN(key_fields) },
	[MAIL_GUESSING] = { "guessing", guess_fields, ARRAY_LEN(guess_fields) },
};

struct language {
	char name[MAIL_LANGUAGE_MAX];
	struct template_source texts[MAIL_KINDS]; /* no subject: not here */
};
struct mail_texts {
	struct language languages[MAIL_LANGUAGES];
	unsigned n;
	char *files[2 * MAIL_LANGUAGES]; /* what the sources point into */
	unsigned n_files;
};

const char *mail_kind_name(enum mail_kind kind)
{
	return kind > 0 && kind < MAIL_KINDS ? kinds[kind].name : "none";
}

struct template_env mail_kind_env(enum mail_kind kind)
{
	return (struct template_env){ .fields = kinds[kind].fields, .n_fields = kinds[kind].n };
}

struct mail_texts *mail_texts_new(void)
{
	return must_alloc(sizeof(struct mail_texts));
}

struct mail_texts *mail_texts_free(struct mail_texts *t)
{
	for (unsigned i = 0; t && i < t->n_files; i++)
		free(t->files[i]);
	free(t);
	return NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

struct texts_reading {
	struct mail_texts *texts;
	struct language *language;
	const char *file;
	unsigned line;
	char *error;
};

static int bad(const struct texts_reading *r, unsigned line, const char *why)
{
	(void)snprintf(r->error, MAIL_ERROR_MAX, "%s:%u: %s", r->file, line, why);
	return E_SYNTAX;
}

static struct language *language_of(struct mail_texts *t, struct slice name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (slice_eq_nocase(slice_str(t->languages[i].name), name))
			return &t->languages[i];
	if (t->n == MAIL_LANGUAGES || !name.n || name.n >= MAIL_LANGUAGE_MAX)
		return NULL;
	slice_copy(t->languages[t->n].name, MAIL_LANGUAGE_MAX, name);
	return &t->languages[t->n++];
}

static enum mail_kind kind_of(struct slice name)
{
	for (unsigned i = 1; i < MAIL_KINDS; i++)
		if (slice_eq(name, slice_str(kinds[i].name)))
			return (enum mail_kind)i;
	return 0;
}

static struct slice take_line(struct slice *rest)
{
	struct slice line = slice_take(rest, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* Up to the next section; *lines counts them. */
static struct slice take_body(struct slice *rest, unsigned *lines)
{
	const char *from = rest->p;

	while (rest->n && !(rest->n > 3 && memcmp(rest->p, "== ", 3) == 0)) {
		(void)take_line(rest);
		++*lines;
	}
	return slice_of(from, (size_t)(rest->p - from));
}

static void split_html(struct slice body, struct template_source *to)
{
	static const struct slice mark = { "\n-- html --\n", 12 };
	const char *at = body.n ? memmem(body.p, body.n, mark.p, mark.n) : NULL;

	to->text = body;
	if (!at)
		return;
	to->text = slice_of(body.p, (size_t)(at + 1 - body.p));
	to->html = slice_of(at + mark.n, body.n - (size_t)(at + mark.n - body.p));
}

static int check(const struct texts_reading *r, enum mail_kind kind,
		 const struct template_source *source, unsigned line)
{
	struct template_env env = mail_kind_env(kind);
	struct template_error why;
	int e = template_check(source, &env, &why);

	if (e < 0)
		(void)snprintf(r->error, MAIL_ERROR_MAX, "%s:%u: %s, %s, line %u column %u: %s",
			       r->file, line, mail_kind_name(kind), template_part_name(why.part),
			       why.line, why.column, why.text);
	return e;
}

static int read_section(struct texts_reading *r, struct slice head, struct slice *rest)
{
	const unsigned line = r->line;
	enum mail_kind kind = kind_of(slice_trim(slice_skip(head, 3)));
	struct template_source source = { 0 };
	struct slice subject = take_line(rest);

	if (!kind)
		return bad(r, line, "no mail is of this kind: see control.conf(5)");
	if (!slice_strip(&subject, SLICE("Subject: ")) || !slice_trim(subject).n)
		return bad(r, line + 1, "expected \"Subject: \" and a text");
	if (take_line(rest).n)
		return bad(r, line + 2, "expected an empty line after the subject");
	source.subject = subject;
	r->line += 2;
	split_html(take_body(rest, &r->line), &source);
	if (!slice_trim_set(source.text, " \t\r\n").n)
		return bad(r, line, "the mail has no text");
	r->language->texts[kind] = source;
	return check(r, kind, &source, line);
}

static int read_file(struct texts_reading *r, struct slice text)
{
	int e = 0;

	while (text.n && e >= 0) {
		struct slice line = take_line(&text);
		r->line++;
		if (line.n > 3 && memcmp(line.p, "== ", 3) == 0)
			e = read_section(r, line, &text);
		else if (slice_trim(line).n && line.p[0] != '#')
			e = bad(r, r->line, "expected \"== \" and a kind of mail");
	}
	return e;
}

int mail_texts_add(struct mail_texts *t, const char *file, struct slice language, struct slice text,
		   char *error)
{
	struct texts_reading r = { .texts = t, .file = file, .error = error };

	r.language = language_of(t, language);
	if (!r.language || t->n_files == ARRAY_LEN(t->files))
		return bad(&r, 0,
			   "is no file of a language, such as de.txt; or there are too many");
	t->files[t->n_files] = must_copy(text);
	text.p = t->files[t->n_files++];
	return read_file(&r, text);
}

static int add_shipped(struct mail_texts *t, char *error)
{
	int r = 0;

	for (unsigned i = 0; i < mail_shipped_n && r >= 0; i++) {
		const struct mail_shipped *s = &mail_shipped[i];
		r = mail_texts_add(t, s->name, slice_of(s->name, strcspn(s->name, ".")),
				   slice_of(s->text, s->n), error);
	}
	return r;
}

static int add_one(struct mail_texts *t, const char *dir, const char *name, char *error)
{
	char path[PATH_MAX_];
	struct buf text = { 0 };
	int r;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	r = file_read(path, FILE_MAX, &text);
	if (r < 0)
		(void)snprintf(error, MAIL_ERROR_MAX, "%.200s: %s", path, err_text(r));
	else
		r = mail_texts_add(t, path, slice_of(name, strlen(name) - 4), buf_data(&text),
				   error);
	buf_free(&text);
	return r;
}

static int add_own(struct mail_texts *t, const char *dir, char *error)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int r = 0;

	if (!d) {
		(void)snprintf(error, MAIL_ERROR_MAX, "%.200s: %s", dir, err_text(-errno));
		return -ENOENT;
	}
	while (r >= 0 && (e = readdir(d))) {
		size_t n = strlen(e->d_name);
		if (e->d_name[0] != '.' && n > 4 && strcmp(e->d_name + n - 4, ".txt") == 0)
			r = add_one(t, dir, e->d_name, error);
	}
	(void)closedir(d);
	return r;
}

int mail_texts_read(struct mail_texts **ret, const char *dir, char *error)
{
	OWNED(mail_texts) t = mail_texts_new();
	int r = add_shipped(t, error);

	if (r >= 0 && *dir)
		r = add_own(t, dir, error);
	if (r < 0)
		return r;
	*ret = TAKE(t);
	return 0;
}

/* ---- finding ----------------------------------------------------------------------------- */

static const struct language *find(const struct mail_texts *t, struct slice name)
{
	for (unsigned i = 0; i < t->n; i++)
		if (slice_eq_nocase(slice_str(t->languages[i].name), name))
			return &t->languages[i];
	return NULL;
}

static struct slice first_part(struct slice language)
{
	struct slice part, rest;

	return slice_cut(language, '-', &part, &rest) ? part : language;
}

bool mail_texts_speaks(const struct mail_texts *t, struct slice language)
{
	return find(t, language) || find(t, first_part(language));
}

struct template_source mail_texts_find(const struct mail_texts *t, enum mail_kind kind,
				       struct slice language)
{
	const struct slice names[] = { language, first_part(language), SLICE("en") };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct language *l = find(t, names[i]);
		if (l && l->texts[kind].subject.n)
			return l->texts[kind];
	}
	return (struct template_source){ 0 };
}
