/* control/mail/post.c - hands the platform's mail to the engine: each is a content and a job for
 * one recipient, transactional, of no tenant.
 *
 * Guarantee: a row is deleted only after the engine's ACK; what is handed over again has the same
 *            ids, and the engine takes it once.
 * A mail that cannot be made (its seal's key is gone, its text is not what it was) is logged and
 * dropped: it would hold up the others for ever. */
#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/db/column.h"
#include "control/engine/carrier.h"
#include "control/engine/options.h"
#include "control/mail/background.h"
#include "control/mail/mail.h"
#include "control/mail/options.h"
#include "control/mail/sealed.h"
#include "control/mail/statements.h"
#include "control/mail/texts.h"
#include "message/compose.h"
#include "message/mailbox.h"
#include "message/program.h"
#include "schema/wire/meta.h"
#include "schema/wire/rows.h"

enum { IDLE_MS = 250, RETRY_MS = 2000, OPEN_MS = 5000, ANSWER_MS = 60 * 1000, AT_ONCE = 32 };
#define MINUTES(n) ((int64_t)(n)*60 * 1000)

enum { M_ID, M_KIND, M_ADDRESS, M_LANGUAGE, M_SEALED, M_SEAL, M_HI, M_LO, M_CREATED, M_ORG };

/* After this a mail is of no use. */
static int64_t life_of(enum mail_kind kind)
{
	switch (kind) {
	case MAIL_SECOND_FACTOR:
		return MINUTES(10);
	case MAIL_SIGNUP:
	case MAIL_ADDRESS:
		return MINUTES(30);
	case MAIL_RESET:
		return MINUTES(60);
	default:
		return MINUTES(3 * 24 * 60);
	}
}

struct post {
	struct worker *w;
	struct carrier *link;
	uint64_t request, wanted; /* the last that must be answered */
	struct db_column done;    /* ids of rows */
};

/* ---- one mail ---------------------------------------------------------------------------- */

struct letter {
	const struct mail_options *options;
	struct db_result *rows;
	unsigned i;
	json_t *values;
	struct buf program, content_meta, job_meta, data;
	struct id128 content;
};

static void letter_done(struct letter *m)
{
	json_decref(m->values);
	buf_free(&m->program);
	buf_free(&m->content_meta);
	buf_free(&m->job_meta);
	buf_free(&m->data);
}

static int unseal(struct letter *m, struct app *app)
{
	struct buf about = { 0 }, plain = { 0 };
	json_error_t fault;
	int r;

	mail_about(&about, (uint64_t)db_int(m->rows, m->i, M_HI),
		   (uint64_t)db_int(m->rows, m->i, M_LO));
	r = secrets_open(app->secrets, (int)db_int(m->rows, m->i, M_SEAL), buf_data(&about),
			 db_bytes(m->rows, m->i, M_SEALED), &plain);
	if (r >= 0 && plain.p)
		m->values = json_loadb(plain.p + plain.start, buf_len(&plain), 0, &fault);
	if (plain.p)
		explicit_bzero(plain.p, plain.cap);
	buf_free(&about);
	buf_free(&plain);
	if (r < 0)
		return r;
	if (!m->values)
		return E_CORRUPT;
	(void)json_object_set_new(
	    m->values, "organization",
	    json_stringn(db_text(m->rows, m->i, M_ORG).p, db_text(m->rows, m->i, M_ORG).n));
	return 0;
}

/* The same text makes the same content: its id is its hash. */
static void name_content(struct letter *m)
{
	uint8_t hash[32];
	struct buf all = { 0 };

	buf_put(&all, buf_data(&m->content_meta));
	buf_put(&all, buf_data(&m->program));
	secrets_sha256(buf_data(&all), hash);
	buf_free(&all);
	memcpy(&m->content.hi, hash, 8);
	memcpy(&m->content.lo, hash + 8, 8);
}

static int compose(struct letter *m, enum mail_kind kind)
{
	static const struct compose_header automatic[] = { { SLICE("Auto-Submitted"),
							     SLICE("auto-generated") } };
	char from[512];
	struct compose_error why;
	struct compose_in in = {
		.reply_to = slice_str(m->options->reply_to),
		.source =
		    mail_texts_find(m->options->texts, kind, db_text(m->rows, m->i, M_LANGUAGE)),
		.headers = automatic,
		.n_headers = ARRAY_LEN(automatic),
		.env = mail_kind_env(kind),
	};
	int r;

	(void)snprintf(from, sizeof(from), "\"%s\" <%s>", m->options->service, m->options->from);
	in.from = slice_str(from);
	r = compose_campaign(&in, &m->program, &why);
	if (r < 0)
		log_error("mail.unfit", kv_str("kind", mail_kind_name(kind)),
			  kv_str("error", why.template.text));
	return r;
}

static int put_metas(struct letter *m)
{
	struct slice from = slice_str(m->options->from), local, domain;
	struct wire_job_meta job = { .mail_from = from,
				     .pool = slice_str(m->options->pool),
				     .origin = SLICE("control"),
				     .stream = SLICE("platform"),
				     .date_ms = db_int(m->rows, m->i, M_CREATED) };
	struct wire_content_meta content = { .program = true };
	int r;

	if (!slice_cut_last(from, '@', &local, &domain))
		return E_SYNTAX;
	content.sign_domain = job.message_id_domain = domain;
	r = wire_content_meta_put(&m->content_meta, &content);
	return r < 0 ? r : wire_job_meta_put(&m->job_meta, &job);
}

static int put_row(struct letter *m)
{
	OWNED(program) p = NULL;
	struct value values[PROGRAM_FIELDS_MAX] = { 0 };
	int r = program_load(&p, buf_data(&m->program));
	unsigned n;

	if (r < 0)
		return r;
	n = program_field_count(p);
	for (unsigned i = 0; i < n; i++) {
		struct slice name = program_field_name(p, i);
		const json_t *v = json_object_getn(m->values, name.p, name.n);
		if (json_is_string(v))
			values[i] = (struct value){ .type = VALUE_STRING,
						    .s = slice_of(json_string_value(v),
								  json_string_length(v)) };
	}
	return wire_row_put(&m->data, db_text(m->rows, m->i, M_ADDRESS), 0, values, n);
}

static int make(struct letter *m, struct app *app)
{
	const enum mail_kind kind = (enum mail_kind)db_int(m->rows, m->i, M_KIND);
	int r = kind > 0 && kind < MAIL_KINDS ? unseal(m, app) : E_SYNTAX;

	if (r >= 0)
		r = compose(m, kind);
	if (r >= 0)
		r = put_metas(m);
	if (r >= 0)
		r = put_row(m);
	if (r >= 0)
		name_content(m);
	return r;
}

/* ---- handing over ------------------------------------------------------------------------ */

static int send_letter(struct post *p, const struct letter *m)
{
	const int64_t created = db_int(m->rows, m->i, M_CREATED);
	struct link_frame content = { .type = LINK_CONTENT,
				      .request = ++p->request,
				      .content = { m->content, buf_data(&m->content_meta),
						   buf_data(&m->program) } };
	struct link_frame job = { .type = LINK_JOB,
				  .job = { .id = { (uint64_t)db_int(m->rows, m->i, M_HI),
						   (uint64_t)db_int(m->rows, m->i, M_LO) },
					   .content = m->content,
					   .class = LINK_TRANSACTIONAL,
					   .accepted_ms = created,
					   .expires_ms = created + life_of((enum mail_kind)db_int(
								       m->rows, m->i, M_KIND)),
					   .rows = 1,
					   .meta = buf_data(&m->job_meta),
					   .data = buf_data(&m->data) } };
	int r = carrier_send(p->link, &content);

	job.request = p->wanted = ++p->request;
	return r < 0 ? r : carrier_send(p->link, &job);
}

static int drop(struct post *p, struct db_result *rows, unsigned i, int why)
{
	log_error("mail.dropped", kv_int("mail", db_int(rows, i, M_ID)),
		  kv_int("kind", db_int(rows, i, M_KIND)), kv_str("error", err_text(why)));
	db_column_int(&p->done, db_int(rows, i, M_ID));
	return 0;
}

static int hand_over(struct post *p, struct db_result *rows, unsigned i)
{
	struct letter m = { .options = mail_options(p->w->app), .rows = rows, .i = i };
	int r = make(&m, p->w->app);

	if (r < 0) {
		letter_done(&m);
		return drop(p, rows, i, r);
	}
	r = send_letter(p, &m);
	letter_done(&m);
	if (r >= 0)
		db_column_int(&p->done, db_int(rows, i, M_ID));
	return r;
}

static int take_answer(struct post *p, const struct link_frame *f)
{
	if (f->type == LINK_ERROR)
		return f->error.code < 0 ? f->error.code : E_DENIED;
	return f->type == LINK_ACK && f->request == p->wanted;
}

/* Until the engine has all of them on its disk. */
static int wait_for_answers(struct post *p)
{
	const int64_t until = clock_mono_ms() + ANSWER_MS;
	struct link_frame f;
	int r = 0;

	while (r == 0) {
		int64_t left = until - clock_mono_ms();
		if (worker_stopping(p->w) || left <= 0)
			return E_TIMEOUT;
		r = carrier_wait(p->link, (int)MIN_OF(left, (int64_t)500), -1);
		while (r >= 0 && (r = carrier_next(p->link, &f)) > 0) {
			r = take_answer(p, &f);
			if (r != 0)
				break;
		}
	}
	return r < 0 ? r : 0;
}

static int hand_over_some(struct db *db, void *arg)
{
	struct post *p = arg;
	OWNED(db_result) rows = NULL;
	int n, r = n = db_run(db, &rows, sql_mail_next, p_int(AT_ONCE));

	if (r <= 0)
		return r;
	if (!p->link)
		r = carrier_open(&p->link, carrier_options(p->w->app)->socket, SLICE(""), OPEN_MS);
	db_column_clear(&p->done);
	p->wanted = 0;
	for (int i = 0; i < n && r >= 0; i++)
		r = hand_over(p, rows, (unsigned)i);
	if (r >= 0 && p->wanted)
		r = wait_for_answers(p);
	if (r >= 0)
		r = db_columns_run(db, sql_mail_done, &p->done, 1, NULL, 0);
	return r < 0 ? r : n;
}

static void *begin(struct worker *w)
{
	struct post *p = must_alloc(sizeof(*p));

	p->w = w;
	db_column_init(&p->done);
	return p;
}

static void end(void *state)
{
	struct post *p = state;

	carrier_free(p->link);
	db_column_free(&p->done);
	free(p);
}

static int step(struct worker *w)
{
	struct post *p = w->state;
	int r = mail_on(w->app) ? db_tx(w->ingest, 0, hand_over_some, p) : 0;

	if (r < 0)
		p->link = carrier_free(p->link);
	return r;
}

const struct worker_row mail_worker = {
	.name = "mail",
	.step = step,
	.idle_ms = IDLE_MS,
	.retry_ms = RETRY_MS,
	.failed = "mail.failed",
	.begin = begin,
	.end = end,
};
