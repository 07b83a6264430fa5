/* Laws: a token that is taken from an answer can be said in a command: it is printable, without
 * blanks, and not too long; a reason is printable and in one line; and what a client's file says
 * makes a form of letters, digits and what a form is made of. */
#include "mta/route/grant.h"
#include "mta/token/token_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(struct slice in)
{
	struct token_answer a;
	int r = token_answer_read(in, &a);

	for (const char *p = a.fault; *p; p++)
		assert(*p >= ' ' && *p <= '~');
	assert((r == 0) == !a.fault[0]);
	if (r < 0)
		return;
	assert(a.token[0] && strlen(a.token) <= AUTH_SECRET_MAX && a.life_s >= 0 &&
	       a.life_s <= ANSWER_LIFE_MAX_S);
	for (const char *p = a.token; *p; p++)
		assert(*p > ' ' && *p <= '~');
	for (const char *p = a.refresh; *p; p++)
		assert(*p > ' ' && *p <= '~');
}

static void check_form(struct slice in)
{
	struct grant g = { .user = { NULL, 0 } };
	struct buf form = { 0 };

	if (grant_read(&g, in) < 0)
		return;
	grant_form(&g, slice_of(in.p, MIN_OF(in.n, (size_t)AUTH_SECRET_MAX)), &form);
	for (size_t i = 0; i < buf_len(&form); i++) {
		char c = buf_data(&form).p[i], l = ascii_lower(c);
		assert((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || strchr("-._~%&=", c));
	}
	buf_free(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	check_answer(in);
	check_form(in);
	return 0;
}
