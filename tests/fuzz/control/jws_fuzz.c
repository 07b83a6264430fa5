/* tests/fuzz/control/jws_fuzz.c - signed tokens; after a newline, a set of keys.
 * Laws: with our keys only a text that their owners have signed opens, whatever else the token
 *       says; with any keys what opens is an object. */
#include "control/federation/jws.h"
#include "tests/unit/control/federation/tokens.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Header and payload, without the signature. */
static struct slice text_of(struct slice token)
{
	struct slice text = SLICE(""), sig;

	(void)slice_cut_last(token, '.', &text, &sig);
	return text;
}

static bool was_signed(struct slice token)
{
	static const char *const signed_tokens[] = { TOKEN_RS256, TOKEN_ES256, TOKEN_EDDSA };

	for (size_t i = 0; i < ARRAY_LEN(signed_tokens); i++)
		if (slice_eq(text_of(token), text_of(slice_str(signed_tokens[i]))))
			return true;
	return false;
}

static void open_with(struct slice token, const json_t *keys, bool ours)
{
	json_t *payload = NULL;

	if (jws_open(token, keys, &payload) < 0)
		return;
	if (!json_is_object(payload) || (ours && !was_signed(token)))
		abort();
	json_decref(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static json_t *ours;
	struct slice token = slice_of(data, size), set = SLICE("");
	json_t *theirs;

	if (!ours)
		ours = json_loads(TOKEN_KEYS, 0, NULL);
	(void)slice_cut(token, '\n', &token, &set);
	open_with(token, ours, true);
	theirs = json_loadb(set.p, set.n, 0, NULL);
	if (theirs)
		open_with(token, theirs, false);
	json_decref(theirs);
	return 0;
}
