/* control/mail/mail.c - writing a mail, sealed, into the database. */
#include "control/mail/mail.h"

#include <stdio.h>

#include "base/random.h"
#include "control/mail/options.h"
#include "control/mail/sealed.h"
#include "control/mail/statements.h"

bool mail_on(const struct app *app)
{
	return mail_options(app)->from[0] != '\0';
}

json_t *mail_link(const struct app *app, const char *page, const char *token)
{
	const char *console = mail_options(app)->console;

	/* Behind the "#": it reaches no server's log and no Referer. */
	if (*console)
		return json_pack("{s:s++++}", "link", console, "/", page, "#token=", token);
	return json_pack("{s:s}", "token", token);
}

void mail_about(struct buf *about, uint64_t hi, uint64_t lo)
{
	buf_putf(about, "platform_mail %llx.%llx", (unsigned long long)hi, (unsigned long long)lo);
}

static int insert(struct app *app, struct db *db, enum mail_kind kind, const struct mail_to *to,
		  const char *text)
{
	const uint64_t hi = random_u64(), lo = random_u64();
	struct buf sealed = { 0 }, about = { 0 };
	int seal_id = 0, r;

	mail_about(&about, hi, lo);
	r = secrets_seal(app->secrets, buf_data(&about), slice_str(text), &seal_id, &sealed);
	if (r >= 0)
		r = db_run(db, NULL, sql_mail_insert, p_int(to->org), p_int(kind),
			   p_text(to->address), p_text(to->language), p_bytes(buf_data(&sealed)),
			   p_int(seal_id), p_int((int64_t)hi), p_int((int64_t)lo));
	buf_free(&sealed);
	buf_free(&about);
	return r < 0 ? r : 0;
}

int mail_write(struct app *app, struct db *db, enum mail_kind kind, const struct mail_to *to,
	       json_t *values)
{
	char *text;
	int r = 0;

	if (!mail_on(app)) {
		json_decref(values);
		return 0;
	}
	(void)json_object_set_new(values, "service", json_string(mail_options(app)->service));
	text = json_dumps(values, JSON_COMPACT);
	json_decref(values);
	if (!text)
		return -ENOMEM;
	r = insert(app, db, kind, to, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}
