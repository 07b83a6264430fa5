/* Law: how the bytes of a form or of a gzip stream are cut changes neither what comes out, nor how
 * it ends. */
#include "base/buf.h"
#include "base/hash.h"
#include "control/http/gunzip.h"
#include "control/http/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PLAIN_MAX = 1 << 18 };
struct tally {
	uint64_t n, sum, parts;
	int end;
};

static int on_content(void *arg, struct slice bytes)
{
	struct tally *t = arg;

	for (size_t i = 0; i < bytes.n; i++)
		t->sum = hash_mix(t->sum + (unsigned char)bytes.p[i]);
	t->n += bytes.n;
	return t->n > PLAIN_MAX ? E_LIMIT : 0;
}

static int on_part(void *arg, struct slice name, bool file)
{
	struct tally *t = arg;

	t->parts++;
	t->sum = hash_mix(t->sum ^ hash_stable(name) ^ file);
	return 0;
}

static struct tally read_form(struct slice in, size_t piece)
{
	static const struct multipart_events events = { on_part, on_content };
	OWNED(multipart) m = NULL;
	struct tally t = { 0 };

	t.end = multipart_open(&m, SLICE("b"), &events, &t);
	for (size_t at = 0; t.end >= 0 && at < in.n; at += piece)
		t.end = multipart_feed(m, slice_of(in.p + at, MIN_OF(piece, in.n - at)));
	if (t.end >= 0)
		t.end = multipart_end(m);
	return t;
}

static struct tally read_gzip(struct slice in, size_t piece)
{
	OWNED(gunzip) z = NULL;
	struct tally t = { 0 };

	t.end = gunzip_open(&z, on_content, &t);
	for (size_t at = 0; t.end >= 0 && at < in.n; at += piece)
		t.end = gunzip_feed(z, slice_of(in.p + at, MIN_OF(piece, in.n - at)));
	if (t.end >= 0)
		t.end = gunzip_end(z);
	return t;
}

/* What had come out when it ended badly depends on the cut; how it ended does not. */
static void compare(struct tally a, struct tally b)
{
	if (a.end != b.end)
		abort();
	if (a.end >= 0 && (a.n != b.n || a.sum != b.sum || a.parts != b.parts))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	for (size_t piece = 1; piece <= 7; piece += 3) {
		compare(read_form(in, size + 1), read_form(in, piece));
		compare(read_gzip(in, size + 1), read_gzip(in, piece));
	}
	return 0;
}
