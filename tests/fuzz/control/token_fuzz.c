/* Law: text that opens as a token is the one spelling of what it opens to. */
#include "base/base.h"
#include "control/public/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct token_key key;
	struct token_subject subject;
	char text[TOKEN_TEXT_MAX];

	if (token_key_init(&key, 1, SLICE("0123456789abcdef0123456789abcdef")) < 0)
		abort();
	if (token_open(&key, slice_of(data, size), &subject) < 0)
		return 0;
	if (!slice_eq(slice_str(token_make(&key, &subject, text)), slice_of(data, size)))
		abort();
	return 0;
}
