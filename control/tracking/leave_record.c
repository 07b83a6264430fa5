/* control/tracking/leave_record.c - lines of those who left, written and read. */
#include "control/tracking/leave_record.h"

#include <inttypes.h>

#include "base/hash.h"

void leave_record_put(struct buf *out, const struct leave_record *r)
{
	size_t from = buf_len(out);
	struct slice line;

	buf_putf(out, "%" PRId64 " %d %s", r->at_ms, r->one_click, r->ticket);
	line = slice_skip(buf_data(out), from);
	buf_putf(out, " %08x\n", hash_crc32c(0, line.p, line.n));
}

static int parse(struct slice line, struct leave_record *ret)
{
	struct slice at, click, ticket, crc;
	uint64_t ms;

	if (!slice_cut(line, ' ', &at, &line) || !slice_cut(line, ' ', &click, &line) ||
	    !slice_cut(line, ' ', &ticket, &crc))
		return E_SYNTAX;
	if (slice_u64(at, INT64_MAX, &ms) < 0 || ticket.n >= sizeof(ret->ticket) ||
	    memchr(ticket.p, '\0', ticket.n))
		return E_SYNTAX;
	*ret = (struct leave_record){ (int64_t)ms, slice_eq(click, SLICE("1")), "" };
	slice_copy(ret->ticket, sizeof(ret->ticket), ticket);
	return 0;
}

/* Its checksum, and that it is spelt as we spell it. */
static bool is_ours(struct slice line, const struct leave_record *r)
{
	struct buf again;
	bool same;

	buf_init(&again, 0);
	leave_record_put(&again, r);
	same = slice_eq(line, buf_data(&again));
	buf_free(&again);
	return same;
}

int leave_record_next(struct slice *rest, struct leave_record *ret)
{
	struct slice line, after;
	struct leave_record r = { 0 };

	if (!rest->n)
		return 0;
	if (!slice_cut(*rest, '\n', &line, &after)) {
		*rest = SLICE("");
		return E_SYNTAX;
	}
	line = slice_of(line.p, line.n + 1);
	*rest = after;
	if (parse(slice_of(line.p, line.n - 1), &r) < 0 || !is_ours(line, &r))
		return E_SYNTAX;
	*ret = r;
	return 1;
}
