/* Laws: how bytes are cut into reads does not matter to the commands heard; a line that is heard
 *       holds no CR, LF or NUL; an address is what stands between its brackets, and written again
 *       it is read again. */
#include "base/buf.h"
#include "base/hash.h"
#include "mta/smtpd/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void path_law(struct slice line)
{
	struct slice arg;
	struct smtpd_path p, q;
	struct buf again = { 0 };
	enum smtpd_verb v = smtpd_command_verb(line, &arg);
	struct slice prefix = v == SMTPD_VERB_MAIL ? SLICE("FROM:") : SLICE("TO:");
	int r;

	if ((v != SMTPD_VERB_MAIL && v != SMTPD_VERB_RCPT) ||
	    smtpd_command_path(arg, prefix, &p) < 0)
		return;
	buf_put(&again, prefix);
	buf_put(&again, SLICE("<"));
	buf_put(&again, p.address);
	buf_put(&again, SLICE(">"));
	for (unsigned i = 0; i < p.n; i++) {
		buf_put(&again, SLICE(" "));
		buf_put(&again, p.params[i].name);
		if (p.params[i].value.n) {
			buf_put(&again, SLICE("="));
			buf_put(&again, p.params[i].value);
		}
	}
	r = smtpd_command_path(buf_data(&again), prefix, &q);
	assert(r == 0 && q.n == p.n && slice_eq(q.address, p.address));
	buf_free(&again);
}

static uint64_t feed(const uint8_t *data, size_t size, size_t step)
{
	size_t at = 0, have = 0, used;
	uint64_t sum = 0;
	struct slice line;

	while (have < size) {
		have = MIN_OF(size, have + step);
		for (int r;
		     (r = smtpd_command_line(slice_of(data + at, have - at), &line, &used)) != 0;
		     at += used) {
			assert(used > 0 && used <= have - at);
			sum = hash_mix(sum + (uint64_t)r + used);
			if (r < 0)
				continue;
			assert(!memchr(line.p, '\r', line.n) && !memchr(line.p, '\n', line.n) &&
			       !memchr(line.p, '\0', line.n));
			sum = hash_mix(sum ^ hash_stable(line));
			path_law(line);
		}
	}
	return hash_mix(sum + at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t whole = feed(data, size, size ? size : 1), drip = feed(data, size, 1),
		 odd = feed(data, size, 7);

	assert(whole == drip && whole == odd);
	return 0;
}
