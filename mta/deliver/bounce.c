/* mta/deliver/bounce.c - the report of a failure as a job of its own. */
#include "mta/deliver/bounce.h"

#include "base/log.h"
#include "base/random.h"
#include "message/sevenbit.h"

enum { REPORT_LIFE_MS = 2 * 86400 * 1000 };

/* Waits until the report is durable; then it is queued. */
struct report {
	struct durable_wait wait;
	struct engine *engine;
	job_no job;
};

static void on_durable(struct durable_wait *w, int err)
{
	struct report *r = container_of(w, struct report, wait);

	if (err == 0)
		queue_job_added(r->engine, r->job);
	free(r);
}

/* The header up to the empty line, cut between lines, so that a cut makes no new field. */
static struct slice header_of(struct slice message)
{
	size_t end = 0;

	while (end < message.n && end < BOUNCE_HEADER_MAX) {
		const char *lf = memchr(message.p + end, '\n', message.n - end);
		size_t next = lf ? (size_t)(lf + 1 - message.p) : message.n;
		if (next - end <= 2 || next > BOUNCE_HEADER_MAX)
			break;
		end = next;
	}
	return slice_of(message.p, end);
}

static int put(struct deliverer *dr, const struct chunk *k, struct id128 id, struct slice message)
{
	struct wire_content_meta cm = { .body_8bit = false }; /* bounce_compose() gives ASCII */
	/* What asked for TLS is answered with TLS (RFC 8689 section 4.4); only headers go back. */
	struct wire_job_meta jm = { .origin = SLICE("bounce"), .require_tls = k->meta.require_tls };
	int64_t now = clock_wall_ms();
	struct content_in content = { .id = id, .bytes = message };
	struct job_in job = {
		.id = id,
		.content = id,
		.class = CLASS_TRANSACTIONAL,
		.accepted_ms = now,
		.expires_ms = now + REPORT_LIFE_MS,
		.rows = 1,
	};
	struct report *report = must_alloc(sizeof(*report));
	struct buf parts[3];
	lsn_t lsn;
	int r;

	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		buf_init(&parts[i], 0);
	r = wire_content_meta_put(&parts[0], &cm);
	if (r == 0)
		r = wire_job_meta_put(&parts[1], &jm);
	if (r == 0)
		r = wire_row_put(&parts[2], k->meta.mail_from, 0, NULL, 0);
	content.meta = buf_data(&parts[0]);
	job.meta = buf_data(&parts[1]);
	job.data = buf_data(&parts[2]);
	if (r == 0)
		r = spool_put(dr->spool, &content, &job, &report->job, &lsn);
	for (unsigned i = 0; i < ARRAY_LEN(parts); i++)
		buf_free(&parts[i]);
	if (r < 0) {
		free(report);
		return r;
	}
	report->engine = dr->engine;
	durable_wait_init(&report->wait, on_durable);
	lane_wait_durable(dr->lane, &report->wait, lsn);
	return 0;
}

/* What goes back of the message: all of it, or nothing in *ret_whole. */
static void take_whole(struct deliverer *dr, const struct chunk *k, const struct content *c,
		       enum bounce_action action, struct buf *seven_bit, struct slice *ret_whole)
{
	struct slice message = buf_data(&c->bytes);

	if (action != BOUNCE_FAILED || !k->meta.return_full || c->program || c->meta.utf8 ||
	    message.n > (size_t)dr->options->bounce_size)
		return;
	if (bounce_is_plain(message)) {
		*ret_whole = message;
		return;
	}
	if (sevenbit_append(seven_bit, message) == 0 && bounce_is_plain(buf_data(seven_bit)))
		*ret_whole = buf_data(seven_bit);
}

void bounce_send(struct deliverer *dr, const struct chunk *k, const struct outcome *o,
		 enum bounce_action action, const struct wire_dsn *asked)
{
	struct bounce_facts f = {
		.hostname = slice_str(dr->host->hostname),
		.sender = k->meta.mail_from,
		.rcpt = o->rcpt,
		.text = o->text,
		.host = o->host,
		.class = o->class,
		.status = o->status,
		.code = o->code,
		.id = { 0, random_u64() },
		.now_ms = clock_wall_ms(),
		.action = action,
		.envid = k->meta.envid,
		.orcpt = asked->orcpt,
		.until_ms = k->info.expires_ms,
	};
	struct buf out = { 0 }, seven_bit = { 0 };
	struct content *content;
	int r;

	r = contents_get(&dr->queue->contents, k->info.content, true, &content);
	if (r == 0) {
		f.header = header_of(buf_data(&content->bytes));
		take_whole(dr, k, content, action, &seven_bit, &f.whole);
		bounce_compose(&f, &out);
		contents_unref(&dr->queue->contents, content);
		r = put(dr, k, f.id, buf_data(&out));
	}
	if (r < 0)
		log_error("bounce.failed", kv_slice("sender", k->meta.mail_from),
			  kv_err("reason", r));
	buf_free(&out);
	buf_free(&seven_bit);
}
