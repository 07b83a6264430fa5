/* Laws: the case of letters does not matter; and a text that begins with "mailbox full" never says
 * that the mailbox is gone. */
#include "message/refusal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATUS_BYTES = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char full[] = "mailbox full ";
	char upper[2048], behind[sizeof(full) + 2048];
	struct slice status, text;
	unsigned code;
	bool gone;

	if (size < 1 + STATUS_BYTES)
		return 0;
	code = 500 + data[0] % 100;
	status = slice_trim(slice_of(data + 1, STATUS_BYTES));
	text = slice_of(data + 1 + STATUS_BYTES, MIN_OF(size - 1 - STATUS_BYTES, sizeof(upper)));
	for (size_t i = 0; i < text.n; i++)
		upper[i] =
		    text.p[i] >= 'a' && text.p[i] <= 'z' ? (char)(text.p[i] - 32) : text.p[i];
	gone = refusal_says_gone(code, status, text);
	assert(gone == refusal_says_gone(code, status, slice_of(upper, text.n)));
	memcpy(behind, full, sizeof(full) - 1);
	memcpy(behind + sizeof(full) - 1, text.p, text.n);
	assert(!refusal_says_gone(code, status, slice_of(behind, text.n + sizeof(full) - 1)));
	return 0;
}
