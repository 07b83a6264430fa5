/* Law: how the bytes of a CSV stream are cut does not matter: the same records, the same lines, the
 * same end, by every separator. */
#include "base/base.h"
#include "base/hash.h"
#include "control/contacts/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
	uint64_t records, fields, sum;
	int end;
};

static int each(void *arg, const struct sheet_record *r)
{
	struct tally *t = arg;

	t->records++;
	t->fields += r->n_seen;
	t->sum = hash_mix(t->sum ^ r->line);
	for (unsigned i = 0; i < r->n; i++)
		t->sum = hash_mix(t->sum + hash_stable(r->fields[i]) + i);
	return 0;
}

static struct tally feed(const uint8_t *data, size_t size, size_t piece, char separator)
{
	OWNED(sheet) s = NULL;
	struct tally t = { 0 };

	t.end = sheet_open(&s, separator, each, &t);
	for (size_t at = 0; t.end >= 0 && at < size; at += piece)
		t.end = sheet_feed(s, slice_of(data + at, MIN_OF(piece, size - at)));
	if (t.end >= 0)
		t.end = sheet_end(s);
	return t;
}

static void try_separator(const uint8_t *data, size_t size, char separator)
{
	struct tally whole = feed(data, size, size + 1, separator);

	for (size_t piece = 1; piece <= 7; piece += 3) {
		struct tally cut = feed(data, size, piece, separator);

		if (whole.records != cut.records || whole.fields != cut.fields ||
		    whole.sum != cut.sum || whole.end != cut.end)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_separator(data, size, ',');
	try_separator(data, size, '\t');
	try_separator(data, size, ';');
	return 0;
}
