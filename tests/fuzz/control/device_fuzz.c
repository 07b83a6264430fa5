/* tests/fuzz/control/device_fuzz.c - user agents in words.
 * Laws: the words are ours alone, plain letters that fill their room and never more; what stands
 *       past the part that is looked at changes nothing. */
#include "base/buf.h"
#include "control/auth/device.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[DEVICE_TEXT_MAX], cut[DEVICE_TEXT_MAX];
	struct slice agent = slice_of((const char *)data, size);

	(void)device_text(agent, text);
	if (!text[0] || strlen(text) >= DEVICE_TEXT_MAX)
		abort();
	for (const char *p = text; *p; p++)
		if (*p != ' ' && (*p < '0' || *p > 'z'))
			abort();
	agent.n = MIN_OF(agent.n, (size_t)DEVICE_LOOK_MAX);
	if (strcmp(device_text(agent, cut), text))
		abort();
	return 0;
}
