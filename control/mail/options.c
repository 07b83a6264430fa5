/* control/mail/options.c - the option rows of the platform's own mail. */
#include "control/mail/options.h"

#include <stdio.h>

#include "control/mail/texts.h"
#include "message/mailbox.h"

#define AT(member) offsetof(struct mail_options, member)

/* clang-format off */
static const struct option rows[] = {
	{"mail.from", T_STR, AT(from), 0, 0, "", false,
	 "Address that invitations, codes and warnings to people come from; empty: none are sent"},
	{"mail.reply_to", T_STR, AT(reply_to), 0, 0, "", false,
	 "Address that answers to them go to; empty: mail.from"},
	{"mail.service", T_STR, AT(service), 1, 100, "Postern", false,
	 "What this service is called in them"},
	{"mail.texts", T_STR, AT(texts_dir), 0, 0, "", false,
	 "Folder with texts that replace the shipped ones, such as en.txt; empty: none"},
	{"mail.pool", T_STR, AT(pool), 0, 0, "", false,
	 "Pool of sources that they leave from; empty: the engine's default"},
	{"console.url", T_STR, AT(console), 0, 0, "", false,
	 "URL of the web console, without a slash at the end, for links in mail; empty: tokens instead"},
};
/* clang-format on */

static int check_address(struct option_fault *f, const char *option, const char *text)
{
	struct mailbox box;

	if (*text && mailbox_parse(slice_str(text), MAILBOX_CONTACT, &box) < 0)
		return option_bad(f, option, slice_str(text), "an address such as a@b.example");
	return 0;
}

static int derive(void *options, const struct settings *all UNUSED, struct option_fault *f)
{
	struct mail_options *o = options;
	size_t n = strlen(o->console);
	char why[MAIL_ERROR_MAX];
	int r = check_address(f, "mail.from", o->from);

	if (r >= 0)
		r = check_address(f, "mail.reply_to", o->reply_to);
	if (r < 0)
		return r;
	if (n && (o->console[n - 1] == '/' || (strncmp(o->console, "https://", 8) != 0 &&
					       strncmp(o->console, "http://", 7) != 0)))
		return option_bad(f, "console.url", slice_str(o->console),
				  "an http or https URL without a slash at the end");
	if (mail_texts_read(&o->texts, o->texts_dir, why) < 0)
		return option_bad(f, "mail.texts", slice_str(o->texts_dir), why);
	return 0;
}

static void clear(void *options)
{
	struct mail_options *o = options;

	o->texts = mail_texts_free(o->texts);
}

const struct option_set mail_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct mail_options),
	.derive = derive,
	.clear = clear,
};
