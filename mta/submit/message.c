/* From DATA to a job in the log. */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "message/header.h"
#include "message/received.h"
#include "mta/submit/session.h"
#include "schema/wire/meta.h"

enum { HOPS_MAX = 100 }; /* RFC 5321 section 6.3 */

/* Room past the largest message for what we put in front of it. */
enum { OWN_FIELDS_MAX = 8 * 1024 };

static struct slice protocol(const struct submit_session *s)
{
	bool tls = conn_is_tls(s->conn);

	if (s->utf8) /* RFC 6531 section 4.3 */
		return tls ? SLICE("UTF8SMTPS") : SLICE("UTF8SMTP");
	if (!s->esmtp)
		return SLICE("SMTP");
	return tls ? SLICE("ESMTPS") : SLICE("ESMTP");
}

/* The trace line goes in front before the first byte comes, so that nothing has to move. */
void message_begin(struct submit_session *s)
{
	char id[ID_TEXT_MAX], tls[128];
	struct received r = {
		.helo = slice_of(s->helo, s->helo_n),
		.ip = s->peer,
		.by = slice_str(session_config(s)->hostname),
		.protocol = protocol(s),
		.rcpt = s->n_rcpts == 1 ? mailbox_text(&s->first_rcpt) : (struct slice){ 0 },
		.at_ms = clock_wall_ms(),
	};

	/* Drawn by chance: it must not come again after a restart. Should it ever be one that the
	 * spool knows, the client is told to try again. */
	s->id = (struct id128){ 0, random_u64() };
	r.id = slice_str(id_format(s->id, id));
	if (conn_is_tls(s->conn))
		r.tls = slice_str(conn_tls_text(s->conn, tls, sizeof(tls)));
	buf_clear(&s->message);
	s->message.max = (size_t)session_config(s)->submission_max_size + OWN_FIELDS_MAX;
	body_begin(&s->body);
	s->body.overflow = received_line(&r, &s->message) < 0;
	s->received_n = buf_len(&s->message);
}

static void refuse(struct submit_session *s, struct slice text)
{
	atomic_fetch_add_explicit(&s->on->stats.refused, 1, memory_order_relaxed);
	session_say(s, text);
	session_reset(s);
}

/* Is the first line no header field?  Then the client sent a body alone. */
static bool headless(struct slice message)
{
	struct header_field f;
	size_t pos = 0;

	return header_next(message, &pos, &f) < 0;
}

static int insert(struct buf *message, size_t at, struct slice text)
{
	int r = buf_append(message, text); /* for the room; then everything moves behind it */
	char *p = message->p + message->start + at;

	if (r < 0 || !text.n)
		return r;
	memmove(p + text.n, p, buf_len(message) - text.n - at);
	memcpy(p, text.p, text.n);
	return 0;
}

/* RFC 6409 section 8: Date and Message-ID where they are missing; then the scan is made again,
 * because everything has moved. */
static int complete(struct submit_session *s, struct header_scan *scan)
{
	struct slice came = buf_data(&s->message);
	struct buf *own = &s->on->scratch;
	char id[ID_TEXT_MAX];
	bool bare;
	int r;

	came = slice_of(came.p + s->received_n, came.n - s->received_n);
	bare = headless(came);
	r = header_scan(bare ? slice_of(came.p, 0) : came, scan);
	if (r < 0)
		return r;
	if (scan->date && scan->message_id)
		return 0;
	buf_clear(own);
	r = header_complete(scan, clock_wall_ms(), slice_str(id_format(s->id, id)),
			    slice_str(session_config(s)->hostname), own);
	if (r == 0 && bare)
		r = buf_append(own, SLICE("\r\n"));
	if (r == 0)
		r = insert(&s->message, s->received_n, buf_data(own));
	if (r < 0)
		return r;
	came = buf_data(&s->message);
	return header_scan(slice_of(came.p + s->received_n, came.n - s->received_n), scan);
}

/* Eight bytes at a time: every byte of every message comes past here. */
static bool has_8bit(struct slice s)
{
	uint64_t all = 0, word;
	size_t i = 0;

	for (; s.n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		all |= word;
	}
	for (; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all & 0x8080808080808080ULL;
}

/* Whose signature: the domain of the one From field's address. */
static struct slice author_domain(const struct header_scan *scan, struct mailbox *box)
{
	if (scan->from != 1 || mailbox_first(scan->from_field.value, MAILBOX_UTF8, box) < 0 ||
	    box->literal)
		return slice_of("", 0);
	return mailbox_domain(box);
}

static int put_job(struct submit_session *s, struct slice sign_domain, job_no *ret_job,
		   lsn_t *ret_lsn)
{
	struct submit_lane *on = s->on;
	int64_t now = clock_wall_ms();
	struct wire_content_meta cm = { .body_8bit = has_8bit(buf_data(&s->message)),
					.utf8 = s->utf8,
					.sign_domain = sign_domain };
	struct wire_job_meta jm = { .mail_from = slice_of(s->from.text, s->from.n),
				    .origin = SLICE("smtp"),
				    .date_ms = now };
	struct content_in content = { .id = s->id, .bytes = buf_data(&s->message) };
	struct job_in job = { .id = s->id,
			      .content = s->id,
			      .class = CLASS_TRANSACTIONAL,
			      .accepted_ms = now,
			      .expires_ms = now + session_config(s)->expire_after,
			      .rows = s->n_rcpts,
			      .data = buf_data(&s->rows) };
	int r;

	buf_clear(&on->content_meta);
	buf_clear(&on->job_meta);
	r = wire_content_meta_put(&on->content_meta, &cm);
	if (r == 0)
		r = wire_job_meta_put(&on->job_meta, &jm);
	if (r < 0)
		return r;
	content.meta = buf_data(&on->content_meta);
	job.meta = buf_data(&on->job_meta);
	return spool_put(engine_spool(on->engine), &content, &job, ret_job, ret_lsn);
}

static void count(struct submit_session *s)
{
	atomic_fetch_add_explicit(&s->on->stats.messages, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->on->stats.recipients, s->n_rcpts, memory_order_relaxed);
	atomic_fetch_add_explicit(&s->on->stats.bytes, buf_len(&s->message), memory_order_relaxed);
}

static void log_taken(struct submit_session *s)
{
	enum log_level level = session_config(s)->log_deliveries ? LOG_INFO : LOG_DEBUG;
	char id[ID_TEXT_MAX], ip[IP_TEXT_MAX];

	if (log_enabled(level))
		log_at(level, "message.taken", kv_str("id", id_format(s->id, id)),
		       kv_slice("from", slice_of(s->from.text, s->from.n)),
		       kv_int("rcpts", s->n_rcpts), kv_int("bytes", buf_len(&s->message)),
		       kv_str("client", ip_format(&s->peer, ip)));
}

static void take(struct submit_session *s)
{
	struct header_scan scan = { 0 };
	struct mailbox author;
	job_no job;
	lsn_t lsn;
	int r = complete(s, &scan);

	if (r < 0) {
		refuse(s, SLICE("554 5.6.0 the message's header cannot be read\r\n"));
		return;
	}
	if (scan.received > HOPS_MAX) {
		refuse(s, SLICE("554 5.4.6 too many hops\r\n"));
		return;
	}
	r = put_job(s, author_domain(&scan, &author), &job, &lsn);
	if (r == E_FULL) {
		refuse(s, SLICE("452 4.3.1 no room on the disk, try again later\r\n"));
		return;
	}
	if (r < 0) {
		log_warn("message.refused", kv_err("reason", r));
		refuse(s, SLICE("451 4.3.0 the message could not be queued, try again later\r\n"));
		return;
	}
	count(s);
	log_taken(s);
	session_accept(s, job, lsn);
	session_reset(s);
}

void message_end(struct submit_session *s)
{
	if (s->body.lone)
		refuse(s, SLICE("554 5.6.0 a CR or LF that is not part of a CRLF\r\n"));
	else if (s->body.nul)
		refuse(s, SLICE("554 5.6.0 a NUL in the message\r\n"));
	else if (s->no_room)
		refuse(s, SLICE("452 4.3.1 too much mail is coming in, try again later\r\n"));
	else if (s->body.overflow)
		refuse(s, SLICE("552 5.3.4 message too big\r\n"));
	else
		take(s);
}
