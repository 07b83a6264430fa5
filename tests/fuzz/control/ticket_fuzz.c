/* Law: text that opens as a ticket is the one spelling of what it opens to. */
#include "base/base.h"
#include "control/tracking/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ticket_key key;
	struct ticket_subject subject;
	char text[TICKET_TEXT_MAX];

	if (ticket_key_init(&key, 1, SLICE("0123456789abcdef0123456789abcdef")) < 0)
		abort();
	if (ticket_open(&key, slice_of(data, size), &subject) < 0)
		return 0;
	if (!slice_eq(slice_str(ticket_make(&key, &subject, text)), slice_of(data, size)))
		abort();
	return 0;
}
