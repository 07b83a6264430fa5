/* spool/books.c - the rows of the books. */
#include "spool/books.h"

/* clang-format off */
#define ROW(member, type, help) { #member, type, help, offsetof(struct books, member), false }
#define FLAG(member, help) { #member, "gauge", help, offsetof(struct books, member), true }
static const struct books_row rows[] = {
	ROW(accepted, "counter", "Recipients accepted, since the log began"),
	ROW(delivered, "counter", "Recipients with a delivered record"),
	ROW(bounced, "counter", "Recipients with a bounced record"),
	ROW(expired, "counter", "Recipients with an expired record"),
	ROW(cancelled, "counter", "Recipients with a cancelled record"),
	ROW(queued, "gauge", "Recipients still owed an outcome"),
	ROW(lost, "counter", "Recipients whose records were lost to damage and set aside by a repair"),
	ROW(deferred_attempts, "counter", "Deferred records"),
	ROW(returned, "counter", "Delivery notices that came back as mail, one for each recipient"),
	ROW(returned_delays, "counter", "Notices of a delay that came back as mail"),
	ROW(returned_complaints, "counter", "Complaints that came as feedback reports"),
	ROW(returned_auto_replies, "counter", "Automatic answers that came back"),
	ROW(returned_unsubscribes, "counter", "Unsubscribes that came by mail"),
	ROW(returned_dmarc, "counter", "DMARC aggregate reports"),
	ROW(returned_tlsrpt, "counter", "TLS reports"),
	ROW(returned_other, "counter", "Mails that came back and are none of these"),
	ROW(returned_again, "counter", "Facts that came back and were known already"),
	ROW(returned_mails, "counter", "Mails that came back"),
	ROW(returned_waiting, "gauge", "Mails that came back and were not read yet"),
	ROW(jobs, "gauge", "Live jobs"),
	ROW(contents, "gauge", "Live contents"),
	ROW(rules, "gauge", "Rules"),
	ROW(segments, "gauge", "Segment files"),
	ROW(log_bytes, "gauge", "Bytes of the log on disk"),
	ROW(live_bytes, "gauge", "Bytes of the log still needed"),
	ROW(free_bytes, "gauge", "Free bytes of the file system"),
	ROW(syncs, "counter", "Syncs since the start"),
	ROW(bytes_written, "counter", "Bytes written since the start"),
	FLAG(refusing, "1 when new mail is refused for lack of space"),
};
#undef ROW
#undef FLAG
/* clang-format on */
static_assert(sizeof(struct books) == ARRAY_LEN(rows) * sizeof(uint64_t), "a row for each number");

const struct books_row *books_row(unsigned i)
{
	return i < ARRAY_LEN(rows) ? &rows[i] : NULL;
}

uint64_t books_value(const struct books *k, const struct books_row *row)
{
	uint64_t v;

	memcpy(&v, (const char *)k + row->offset, sizeof(v));
	return v;
}

bool books_balance(const struct books *k)
{
	return k->accepted ==
	       k->delivered + k->bounced + k->expired + k->cancelled + k->queued + k->lost;
}
