/* Answers of the reader.  Laws:
 *	what is read is within its bounds, and said_put() gives an answer that is read as the same;
 *	facts that are made of it are at least one, the last of them says so, and none is about a
 *	recipient of ours, whom only a token names. */
#include "mta/reports/facts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_facts(const struct said *s)
{
	static struct facts facts;
	static const char envelope[] = "192.0.2.1\0a@b.example\0abuse@r.example\0b+x@r.example";

	facts_make(&facts, NULL, (struct id128){ 1, 2 }, 5, slice_of(envelope, sizeof(envelope)),
		   SLICE("a mail"), s);
	assert(facts.n >= 1 && facts.n <= FACTS_MAX && facts.at[facts.n - 1].last);
	for (unsigned i = 0; i < facts.n; i++) {
		const struct late_fact *f = &facts.at[i];
		assert(f->seq == i && f->last == (i + 1 == facts.n));
		assert(!f->job.hi && !f->job.lo && !f->tenant);
		assert(!(f->flags & OUTCOME_HARD) || f->kind == LATE_DSN);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct said first, second;
	struct buf out = { 0 };

	if (said_get(slice_of(data, size), &first) < 0)
		return 0;
	check_facts(&first);
	assert(said_put(&out, &first) == 0);
	assert(said_get(buf_data(&out), &second) == 0);
	assert(first.kind == second.kind && first.n == second.n && first.n_refs == second.n_refs);
	assert(slice_eq(first.report, second.report) && slice_eq(first.evidence, second.evidence));
	for (unsigned i = 0; i < first.n; i++)
		assert(slice_eq(first.rcpt[i].address, second.rcpt[i].address) &&
		       slice_eq(first.rcpt[i].text, second.rcpt[i].text) &&
		       first.rcpt[i].hard == second.rcpt[i].hard &&
		       first.rcpt[i].class == second.rcpt[i].class);
	buf_free(&out);
	return 0;
}
