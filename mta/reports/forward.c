/* mta/reports/forward.c - a mail to a mailbox of ours as a job of its own. */
#include "mta/reports/forward.h"

#include "base/clock.h"
#include "message/header.h"
#include "message/received.h"
#include "mta/config/host.h"
#include "mta/queue/queue.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"

enum { LIFE_MS = 2 * 86400 * 1000 };
#define MARK "X-Postern-Forwarded"
static const uint64_t id_hi = 0x706f7374666f7277; /* no other job's */

/* Waits until the job is durable; then it is queued. */
struct forwarding {
	struct durable_wait wait;
	struct engine *engine;
	job_no job;
};

static void on_durable(struct durable_wait *w, int err)
{
	struct forwarding *f = container_of(w, struct forwarding, wait);

	if (err == 0)
		queue_job_added(f->engine, f->job);
	free(f);
}

/* Did it come to a mailbox, and not to return paths alone? */
static bool to_mailbox(const struct reports_options *o, struct slice envelope)
{
	struct slice to;
	const char *at;

	(void)slice_take(&envelope, '\0');
	(void)slice_take(&envelope, '\0');
	while (envelope.n) {
		to = slice_take(&envelope, '\0');
		at = to.n ? memrchr(to.p, '@', to.n) : NULL;
		if (at && reports_is_mailbox(o, slice_of(to.p, (size_t)(at - to.p)), to))
			return true;
	}
	return false;
}

static bool loops(struct slice message)
{
	struct header_field f;
	unsigned hops = 0;
	size_t pos = 0;

	while (header_next(message, &pos, &f) > 0) {
		hops += slice_eq_nocase(f.name, SLICE("Received"));
		if (slice_eq_nocase(f.name, SLICE(MARK)) || hops > FORWARD_HOPS_MAX)
			return true;
	}
	return false;
}

static bool has_8bit(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] & 0x80)
			return true;
	return false;
}

static int compose(struct engine *e, struct slice message, struct buf *out)
{
	struct slice host = slice_str(host_options(engine_settings(e))->hostname);
	struct received r = { .by = host, .protocol = SLICE("ESMTP"), .at_ms = clock_wall_ms() };

	buf_put(out, SLICE(MARK ": "));
	buf_put(out, host);
	buf_put(out, SLICE("\r\n"));
	return received_line(&r, out) < 0 ? -ENOMEM : buf_append(out, message);
}

static int put(struct engine *e, struct slice to, struct id128 id, struct slice message)
{
	struct wire_content_meta cm = { .body_8bit = has_8bit(message) };
	struct wire_job_meta jm = { .origin = SLICE("forward") };
	struct forwarding *f = must_alloc(sizeof(*f));
	struct buf parts[3] = { { 0 }, { 0 }, { 0 } };
	lsn_t lsn = 0;
	int r = wire_content_meta_put(&parts[0], &cm);

	if (r == 0)
		r = wire_job_meta_put(&parts[1], &jm);
	if (r == 0)
		r = wire_row_put(&parts[2], to, 0, NULL, 0);
	struct content_in content = { .id = id, .meta = buf_data(&parts[0]), .bytes = message };
	struct job_in job = { .id = id,
			      .content = id,
			      .class = CLASS_TRANSACTIONAL,
			      .accepted_ms = clock_wall_ms(),
			      .expires_ms = clock_wall_ms() + LIFE_MS,
			      .rows = 1,
			      .meta = buf_data(&parts[1]),
			      .data = buf_data(&parts[2]) };
	if (r == 0)
		r = spool_put(engine_spool(e), &content, &job, &f->job, &lsn);
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		buf_free(&parts[i]);
	if (r < 0) {
		free(f);
		return r;
	}
	f->engine = e;
	durable_wait_init(&f->wait, on_durable);
	lane_wait_durable(engine_front(e), &f->wait, lsn);
	return 0;
}

int forward_maybe(struct engine *e, const struct reports_options *o, struct id128 mail,
		  struct slice envelope, struct slice message, const struct said *said)
{
	struct buf whole = { 0 };
	int r;

	if (!*o->forward || !said || said->kind != LATE_OTHER || !to_mailbox(o, envelope) ||
	    loops(message))
		return 0;
	r = compose(e, message, &whole);
	if (r == 0)
		r = put(e, slice_str(o->forward), (struct id128){ id_hi, mail.lo },
			buf_data(&whole));
	buf_free(&whole);
	/* The same mail, read again after a crash; its Received line has another time. */
	return r == E_EXISTS || r == E_CONFLICT ? 0 : r;
}
