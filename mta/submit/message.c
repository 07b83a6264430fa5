/* mta/submit/message.c - a message becomes a job: recipients, trace line, missing fields, meta. */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "message/header.h"
#include "message/mend.h"
#include "message/received.h"
#include "mta/deliver/deliverer.h"
#include "mta/submit/auth.h"
#include "mta/submit/fields.h"
#include "mta/submit/room.h"
#include "mta/submit/sender.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"

enum { HOPS_MAX = 100 }; /* RFC 5321 section 6.3 */

struct slice submit_message_rcpt(void *state, struct smtpd_session *s, const struct mailbox *to)
{
	const struct submit_session *own = smtpd_session_own(s);
	struct slice refusal = submit_sender_rcpt(state, s, to);

	if (refusal.n)
		return refusal;
	if (wire_dsn_put(&smtpd_session_mail(s)->rcpts, mailbox_text(to), &own->envelope.rcpt) < 0)
		return SLICE("452 4.3.1 no memory for more recipients, send again to the rest\r\n");
	return SMTPD_GO_ON;
}

static struct slice protocol(struct smtpd_session *s)
{
	bool tls = conn_is_tls(smtpd_session_conn(s));
	bool known = ((const struct submit_session *)smtpd_session_own(s))->cred;

	if (known) /* RFC 3848; there is no AUTH without TLS and EHLO */
		return smtpd_session_mail(s)->utf8 ? SLICE("UTF8SMTPSA") : SLICE("ESMTPSA");
	if (smtpd_session_mail(s)->utf8) /* RFC 6531 section 4.3 */
		return tls ? SLICE("UTF8SMTPS") : SLICE("UTF8SMTP");
	if (!smtpd_session_esmtp(s))
		return SLICE("SMTP");
	return tls ? SLICE("ESMTPS") : SLICE("ESMTP");
}

/* The trace line is put in front before the first byte comes, so that nothing has to move. */
int submit_message_begin(void *state, struct smtpd_session *s)
{
	const struct submit_lane *on = state;
	struct smtpd_mail *m = smtpd_session_mail(s);
	struct conn *conn = smtpd_session_conn(s);
	char id[ID_TEXT_MAX], tls[128];
	struct received r = {
		.helo = smtpd_session_helo(s),
		.ip = *smtpd_session_peer(s),
		.by = slice_str(on->host->hostname),
		.protocol = protocol(s),
		.rcpt = m->n_rcpts == 1 ? mailbox_text(&m->first_rcpt) : (struct slice){ 0 },
		.at_ms = clock_wall_ms(),
	};

	/* It is random, because no id may be used again after a restart.  If the spool knows it
	 * already, the client is told to try again. */
	m->id = (struct id128){ 0, random_u64() };
	r.id = slice_str(id_format(m->id, id));
	if (conn_is_tls(conn))
		r.tls = slice_str(conn_tls_text(conn, tls, sizeof(tls)));
	return received_line(&r, &m->message);
}

static int insert(struct buf *message, size_t at, struct slice text)
{
	int r = buf_append(message, text); /* makes room; then everything moves behind it */
	char *p = message->p + message->start + at;

	if (r < 0 || !text.n)
		return r;
	memmove(p + text.n, p, buf_len(message) - text.n - at);
	memcpy(p, text.p, text.n);
	return 0;
}

/* What came from the client, behind our own fields. */
static struct slice part_that_came(const struct smtpd_mail *m)
{
	return slice_skip(buf_data(&m->message), m->own_n);
}

/* RFC 6409 section 8: Date and Message-ID where they are missing; then the scan is made again,
 * because everything has moved.  A message without any header is taken: `bare`. */
static int complete(struct submit_lane *on, struct smtpd_mail *m, bool bare,
		    struct header_scan *scan)
{
	struct slice came = part_that_came(m);
	struct buf *own = &on->own_fields;
	char id[ID_TEXT_MAX];
	int r;

	r = header_scan(bare ? slice_of(came.p, 0) : came, scan);
	if (r < 0)
		return r;
	if (scan->date && scan->message_id)
		return 0;
	buf_clear(own);
	r = header_complete(scan, clock_wall_ms(), slice_str(id_format(m->id, id)),
			    slice_str(on->host->hostname), own);
	if (r == 0 && bare)
		r = buf_append(own, SLICE("\r\n"));
	if (r == 0)
		r = insert(&m->message, m->own_n, buf_data(own));
	if (r < 0)
		return r;
	return header_scan(part_that_came(m), scan);
}

/* RFC 5322 section 3.6.  Of two such fields one reader shows the first and another the last. */
#define ONE(member, name)                                                                          \
	{                                                                                          \
		offsetof(struct header_scan, member),                                              \
		    SLICE("554 5.6.0 the message has more than one " name " field\r\n")            \
	}
static const struct {
	size_t offset;
	struct slice refusal;
} only_one[] = {
	ONE(from, "From"),
	ONE(sender, "Sender"),
	ONE(reply_to, "Reply-To"),
	ONE(to, "To"),
	ONE(cc, "Cc"),
	ONE(subject, "Subject"),
	ONE(date, "Date"),
	ONE(message_id, "Message-ID"),
	ONE(in_reply_to, "In-Reply-To"),
	ONE(references, "References"),
};

static struct slice fault_of_header(const struct header_scan *scan)
{
	for (size_t i = 0; i < ARRAY_LEN(only_one); i++)
		if (*(const unsigned *)(const void *)((const char *)scan + only_one[i].offset) > 1)
			return only_one[i].refusal;
	if (scan->received > HOPS_MAX)
		return SLICE("554 5.4.6 too many hops\r\n");
	return SMTPD_GO_ON;
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

/* The domain that signs: that of the address in a single From field. */
static struct slice author_domain(const struct header_scan *scan, struct mailbox *box)
{
	if (scan->from != 1 ||
	    mailbox_first(scan->from_field.value, MAILBOX_UTF8 | MAILBOX_QUOTED_ANY, box) < 0 ||
	    box->literal)
		return slice_of("", 0);
	return mailbox_domain(box);
}

static int put_job(struct submit_lane *on, struct smtpd_mail *m, struct slice sign_domain,
		   const struct known_sender *who, const struct submit_asked *asked,
		   const struct submit_envelope *e, struct smtpd_taken *ret)
{
	int64_t now = clock_wall_ms();
	int64_t not_before = MAX_OF(asked->not_before_ms, e->not_before_ms);
	bool bulk = slice_eq_nocase(asked->stream, SLICE("bulk"));
	struct wire_content_meta cm = { .body_8bit = has_8bit(buf_data(&m->message)),
					.utf8 = m->utf8,
					.sign_domain = sign_domain };
	struct wire_job_meta jm = { .mail_from = slice_of(m->from.text, m->from.n),
				    .pool = asked->pool,
				    .origin = SLICE("smtp"),
				    .stream = asked->stream,
				    .engaged = slice_eq_nocase(asked->engaged, SLICE("yes")),
				    .tag = asked->tag,
				    .metadata = asked->metadata,
				    .envid = slice_of(e->envid, e->envid_n),
				    .return_headers = e->return_headers,
				    .return_full = e->return_full,
				    .require_tls = e->require_tls,
				    .not_before_ms = not_before > now ? not_before : 0,
				    .date_ms = now };
	struct content_in content = { .id = m->id, .bytes = buf_data(&m->message) };
	struct job_in job = { .id = m->id,
			      .content = m->id,
			      .tenant = who->tenant,
			      .campaign = submit_fields_campaign(who->tenant, asked->campaign),
			      .class = bulk ? CLASS_BULK : CLASS_TRANSACTIONAL,
			      .accepted_ms = now,
			      .expires_ms = MAX_OF(now, not_before) + on->options->expire_after,
			      .rows = m->n_rcpts,
			      .data = buf_data(&m->rcpts) };
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
	return spool_put(engine_spool(on->engine), &content, &job, &ret->job, &ret->lsn);
}

static void log_taken(const struct submit_lane *on, struct smtpd_session *s)
{
	const struct smtpd_mail *m = smtpd_session_mail(s);
	enum log_level level = on->host->log_deliveries ? LOG_INFO : LOG_DEBUG;
	const struct credential *cred = ((struct submit_session *)smtpd_session_own(s))->cred;
	char id[ID_TEXT_MAX], ip[IP_TEXT_MAX];

	if (log_enabled(level))
		log_at(level, "message.taken", kv_str("id", id_format(m->id, id)),
		       kv_slice("from", slice_of(m->from.text, m->from.n)),
		       kv_int("rcpts", m->n_rcpts), kv_int("bytes", buf_len(&m->message)),
		       kv_str("client", ip_format(smtpd_session_peer(s), ip)),
		       kv_slice("name", cred ? cred->name : slice_of("", 0)));
}

static bool begins_with_empty_line(struct slice s)
{
	return s.n >= 2 && s.p[0] == '\r';
}

/* The header as it will travel, and what is in it; or what is wrong with it. */
static struct slice take_header(struct submit_lane *on, struct smtpd_mail *m,
				struct header_scan *scan, struct submit_asked *asked)
{
	bool has_field = mend_header(&m->message, m->own_n);
	struct slice refusal = submit_fields_take(on, m, asked), came = part_that_came(m);
	int r;

	if (refusal.n)
		return refusal;
	if (!has_field && mend_hidden_header(came))
		return SLICE("554 5.6.0 the header does not begin with a field\r\n");
	r = complete(on, m, !has_field && !begins_with_empty_line(came), scan);
	if (r == -ENOMEM)
		return SLICE("452 4.3.1 no memory for the message, try again later\r\n");
	if (r < 0)
		return SLICE("554 5.6.0 the message's header cannot be read\r\n");
	return fault_of_header(scan);
}

struct slice submit_message_take(void *state, struct smtpd_session *s, struct smtpd_taken *ret)
{
	struct submit_lane *on = state;
	struct smtpd_mail *m = smtpd_session_mail(s);
	struct header_scan scan = { 0 };
	const struct submit_session *own = smtpd_session_own(s);
	struct submit_asked asked;
	struct slice refusal = take_header(on, m, &scan, &asked);
	struct known_sender who;
	struct mailbox author;
	struct slice signs;
	int r;

	if (!refusal.n)
		refusal =
		    submit_sender_author(on, s, slice_of(part_that_came(m).p, scan.body), &who);
	if (!refusal.n)
		refusal = submit_fields_check(on, own->cred, &who, &asked);
	if (!refusal.n)
		refusal = submit_auth_may_send(on, s, true);
	if (refusal.n)
		return refusal;
	signs = author_domain(&scan, &author);
	if (m->from.n && deliver_must_refuse(on->lane, signs, who.tenant))
		return SLICE("550 5.7.20 no DKIM key signs for the domain of From\r\n");
	refusal = submit_room_take(on, who.tenant, m->n_rcpts);
	if (refusal.n)
		return refusal;
	r = put_job(on, m, signs, &who, &asked, &own->envelope, ret);
	if (r < 0)
		submit_room_give_back(on, who.tenant, m->n_rcpts);
	if (r == E_FULL)
		return SLICE("452 4.3.1 not enough free disk space, try again later\r\n");
	if (r < 0) {
		log_warn("message.refused", kv_err("reason", r));
		return SLICE("451 4.3.0 the message could not be queued, try again later\r\n");
	}
	log_taken(on, s);
	return SMTPD_GO_ON;
}
