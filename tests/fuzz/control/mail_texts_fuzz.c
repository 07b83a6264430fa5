/* Law: what a file of texts is taken for can be sent: each of its texts is a template with the
 * fields of its kind, lies inside the file, and is the same when the file is read again. */
#include "control/mail/texts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void law_of_kind(const struct mail_texts *one, const struct mail_texts *two,
			enum mail_kind kind)
{
	struct template_source a = mail_texts_find(one, kind, SLICE("x")),
			       b = mail_texts_find(two, kind, SLICE("x"));
	struct template_env env = mail_kind_env(kind);
	struct template_error why;
	int r;

	assert(slice_eq(a.subject, b.subject) && slice_eq(a.text, b.text) &&
	       slice_eq(a.html, b.html));
	if (!a.subject.n)
		return;
	r = template_check(&a, &env, &why);
	assert(r == 0);
	assert(!memchr(a.subject.p, '\n', a.subject.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(mail_texts) one = mail_texts_new();
	OWNED(mail_texts) two = mail_texts_new();
	char error[MAIL_ERROR_MAX] = "";
	struct slice in = slice_of(data, size);

	if (mail_texts_add(one, "x.txt", SLICE("x"), in, error) < 0) {
		assert(*error);
		return 0;
	}
	assert(mail_texts_add(two, "x.txt", SLICE("x"), in, error) == 0);
	for (unsigned k = 1; k < MAIL_KINDS; k++)
		law_of_kind(one, two, (enum mail_kind)k);
	return 0;
}
