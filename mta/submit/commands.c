/* Read down the table and you have read what a client may say. */
#include "base/log.h"
#include "mta/submit/command.h"
#include "mta/submit/session.h"
#include "schema/wire/rows.h"

enum need { NEED_HELO = 1, NEED_MAIL = 2, NEED_RCPT = 4, NO_MAIL = 8 };

static void do_ehlo(struct submit_session *s, struct slice arg);
static void do_helo(struct submit_session *s, struct slice arg);
static void do_mail(struct submit_session *s, struct slice arg);
static void do_rcpt(struct submit_session *s, struct slice arg);
static void do_data(struct submit_session *s, struct slice arg);
static void do_rset(struct submit_session *s, struct slice arg);
static void do_noop(struct submit_session *s, struct slice arg);
static void do_vrfy(struct submit_session *s, struct slice arg);
static void do_quit(struct submit_session *s, struct slice arg);
static void do_starttls(struct submit_session *s, struct slice arg);
static void do_help(struct submit_session *s, struct slice arg);
static void do_unknown(struct submit_session *s, struct slice arg);

/* clang-format off */
static const struct {
	unsigned needs;
	bool no_argument;
	void (*run)(struct submit_session *s, struct slice arg);
} commands[VERB_MAX] = {
	[VERB_UNKNOWN]  = { 0,                     false, do_unknown  },
	[VERB_EHLO]     = { 0,                     false, do_ehlo     },
	[VERB_HELO]     = { 0,                     false, do_helo     },
	[VERB_MAIL]     = { NEED_HELO | NO_MAIL,   false, do_mail     },
	[VERB_RCPT]     = { NEED_HELO | NEED_MAIL, false, do_rcpt     },
	[VERB_DATA]     = { NEED_HELO | NEED_MAIL | NEED_RCPT, true, do_data },
	[VERB_RSET]     = { 0,                     true,  do_rset     },
	[VERB_NOOP]     = { 0,                     false, do_noop     },
	[VERB_VRFY]     = { 0,                     false, do_vrfy     },
	[VERB_QUIT]     = { 0,                     true,  do_quit     },
	[VERB_STARTTLS] = { NEED_HELO | NO_MAIL,   true,  do_starttls },
	[VERB_HELP]     = { 0,                     false, do_help     },
};
/* clang-format on */

void smtpd_session_command(struct submit_session *s, struct slice line)
{
	struct slice arg;
	enum verb v = command_verb(line, &arg);
	unsigned needs = commands[v].needs;

	if ((needs & NEED_HELO) && !s->greeted)
		smtpd_session_say(s, SLICE("503 5.5.1 EHLO first\r\n"));
	else if ((needs & NO_MAIL) && s->has_from)
		smtpd_session_say(s, SLICE("503 5.5.1 a transaction is open\r\n"));
	else if ((needs & NEED_MAIL) && !s->has_from)
		smtpd_session_say(s, SLICE("503 5.5.1 MAIL first\r\n"));
	else if ((needs & NEED_RCPT) && !s->n_rcpts)
		smtpd_session_say(s, SLICE("554 5.5.1 no valid recipients\r\n"));
	else if (commands[v].no_argument && arg.n)
		smtpd_session_say(s, SLICE("501 5.5.4 this command takes no argument\r\n"));
	else
		commands[v].run(s, arg);
}

/* ---- greeting ---------------------------------------------------------------------------- */

static bool take_helo(struct submit_session *s, struct slice arg)
{
	if (!arg.n || arg.n > SUBMIT_HELO_MAX) {
		smtpd_session_say(s, SLICE("501 5.5.4 a host name is missing or too long\r\n"));
		return false;
	}
	s->helo_n = (uint16_t)slice_copy(s->helo, sizeof(s->helo), arg);
	s->greeted = true;
	smtpd_session_reset(s);
	return true;
}

static void do_ehlo(struct submit_session *s, struct slice arg)
{
	const struct mta_config *c = smtpd_session_config(s);

	if (!take_helo(s, arg))
		return;
	s->esmtp = true;
	smtpd_session_sayf(s,
			   "250-%.253s\r\n250-PIPELINING\r\n250-SIZE %lld\r\n250-8BITMIME\r\n"
			   "250-ENHANCEDSTATUSCODES\r\n%s250 SMTPUTF8\r\n",
			   c->hostname, (long long)c->submission_max_size,
			   s->on->tls && !conn_is_tls(s->conn) ? "250-STARTTLS\r\n" : "");
}

static void do_helo(struct submit_session *s, struct slice arg)
{
	if (!take_helo(s, arg))
		return;
	s->esmtp = false;
	smtpd_session_sayf(s, "250 %.253s\r\n", smtpd_session_config(s)->hostname);
}

/* The reply must have left before the first byte of the handshake. */
static void begin_tls(struct turn_end *t)
{
	struct submit_session *s = container_of(t, struct submit_session, turn);
	size_t discarded;

	if (s->phase != PHASE_STARTTLS)
		return;
	if (conn_unsent(s->conn)) {
		loop_at_turn_end(lane_loop(s->on->lane), t);
		return;
	}
	if (conn_input(s->conn).n) {
		/* RFC 3207 section 4.2 and common sense: what was sent in the clear after STARTTLS
		 * is nobody's command. */
		log_warn("submit.early-input", kv_int("bytes", conn_input(s->conn).n));
		smtpd_session_end(s);
		return;
	}
	if (conn_start_tls(s->conn, s->on->tls, NULL, NULL, &discarded) < 0)
		smtpd_session_end(s);
}

static void do_starttls(struct submit_session *s, struct slice arg)
{
	(void)arg;
	if (!s->on->tls || conn_is_tls(s->conn)) {
		smtpd_session_say(s, SLICE("502 5.5.1 STARTTLS is not offered\r\n"));
		return;
	}
	if (!list_empty(&s->waiting)) {
		smtpd_session_say(s, SLICE("454 4.7.0 wait for the replies before STARTTLS\r\n"));
		return;
	}
	smtpd_session_say(s, SLICE("220 2.0.0 go ahead\r\n"));
	smtpd_session_reset(s);
	s->greeted = false;
	s->phase = PHASE_STARTTLS;
	s->turn.run = begin_tls;
	loop_at_turn_end(lane_loop(s->on->lane), &s->turn);
}

/* ---- transaction ------------------------------------------------------------------------- */

enum param { PARAM_FINE, PARAM_UNKNOWN, PARAM_BAD, PARAM_TOO_BIG };

static enum param mail_param(struct submit_session *s, const struct path_param *p, bool *utf8)
{
	uint64_t size;

	if (!s->esmtp)
		return PARAM_UNKNOWN;
	if (slice_eq_nocase(p->name, SLICE("SIZE"))) {
		int r = slice_u64(p->value, INT64_MAX, &size);
		if (r < 0)
			return PARAM_BAD;
		return size > (uint64_t)smtpd_session_config(s)->submission_max_size ? PARAM_TOO_BIG
										     : PARAM_FINE;
	}
	if (slice_eq_nocase(p->name, SLICE("BODY")))
		return slice_eq_nocase(p->value, SLICE("7BIT")) ||
			       slice_eq_nocase(p->value, SLICE("8BITMIME"))
			   ? PARAM_FINE
			   : PARAM_BAD;
	if (slice_eq_nocase(p->name, SLICE("SMTPUTF8")) && !p->value.n) {
		*utf8 = true;
		return PARAM_FINE;
	}
	return PARAM_UNKNOWN;
}

static bool mail_params(struct submit_session *s, const struct path *path, bool *utf8)
{
	static const struct slice refusals[] = {
		[PARAM_UNKNOWN] = SLICE("555 5.5.4 parameter not known\r\n"),
		[PARAM_BAD] = SLICE("501 5.5.4 parameter has a bad value\r\n"),
		[PARAM_TOO_BIG] = SLICE("552 5.3.4 message too big\r\n"),
	};

	for (unsigned i = 0; i < path->n; i++) {
		enum param p = mail_param(s, &path->params[i], utf8);
		if (p != PARAM_FINE) {
			smtpd_session_say(s, refusals[p]);
			return false;
		}
	}
	return true;
}

static bool take_address(struct submit_session *s, struct slice text, bool utf8,
			 struct mailbox *ret)
{
	int r = mailbox_parse(text, utf8 ? MAILBOX_UTF8 : 0, ret);

	if (r == 0)
		return true;
	if (!utf8 && mailbox_parse(text, MAILBOX_UTF8, ret) == 0)
		smtpd_session_say(s, SLICE("553 5.6.7 this address needs SMTPUTF8\r\n"));
	else
		smtpd_session_say(s, SLICE("553 5.1.3 this is no mail address\r\n"));
	return false;
}

static void do_mail(struct submit_session *s, struct slice arg)
{
	struct path path;
	bool utf8 = false;
	int r = command_path(arg, SLICE("FROM:"), &path);

	if (engine_stopping(s->on->engine)) {
		smtpd_session_bye(s, SLICE("421 4.3.2 shutting down\r\n"));
		return;
	}
	if (spool_failed(engine_spool(s->on->engine))) {
		smtpd_session_say(s, SLICE("451 4.3.0 the disk has failed, try again later\r\n"));
		return;
	}
	if (r < 0) {
		smtpd_session_say(s, SLICE("501 5.5.4 expected FROM:<address>\r\n"));
		return;
	}
	if (!mail_params(s, &path, &utf8))
		return;
	if (!path.address.n)
		s->from.n = 0; /* the null reverse-path */
	else if (!take_address(s, path.address, utf8, &s->from))
		return;
	s->has_from = true;
	s->utf8 = utf8;
	smtpd_session_say(s, SLICE("250 2.1.0 sender ok\r\n"));
}

static void do_rcpt(struct submit_session *s, struct slice arg)
{
	struct mailbox box;
	struct path path;

	if (command_path(arg, SLICE("TO:"), &path) < 0 || !path.address.n) {
		smtpd_session_say(s, SLICE("501 5.5.4 expected TO:<address>\r\n"));
		return;
	}
	if (path.n) {
		smtpd_session_say(s, SLICE("555 5.5.4 parameter not known\r\n"));
		return;
	}
	if (s->n_rcpts >= (unsigned)smtpd_session_config(s)->submission_max_rcpts) {
		smtpd_session_say(s, SLICE("452 4.5.3 too many recipients\r\n"));
		return;
	}
	if (!take_address(s, path.address, s->utf8, &box))
		return;
	if (wire_row_put(&s->rows, mailbox_text(&box), 0, NULL, 0) < 0) {
		smtpd_session_say(s, SLICE("452 4.3.1 no room\r\n"));
		return;
	}
	if (s->n_rcpts++ == 0)
		s->first_rcpt = box;
	smtpd_session_say(s, SLICE("250 2.1.5 recipient ok\r\n"));
}

static void do_data(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("354 end with CRLF.CRLF\r\n"));
	s->data_ms = timers_now(lane_loop(s->on->lane)->timers);
	s->phase = PHASE_DATA;
	message_begin(s);
}

/* ---- the rest ---------------------------------------------------------------------------- */

static void do_rset(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_reset(s);
	smtpd_session_say(s, SLICE("250 2.0.0 forgotten\r\n"));
}

static void do_noop(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("250 2.0.0 ok\r\n"));
}

static void do_vrfy(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("252 2.1.5 send some mail, and see\r\n"));
}

static void do_quit(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_bye(s, SLICE("221 2.0.0 bye\r\n"));
}

static void do_help(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("214 2.0.0 see RFC 5321\r\n"));
}

static void do_unknown(struct submit_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("500 5.5.2 command not known\r\n"));
}
