/* Read down the table and you have read what a client may say. */
#include <stdio.h>

#include "base/log.h"
#include "mta/smtpd/session.h"

enum need { NEED_HELO = 1, NEED_MAIL = 2, NEED_RCPT = 4, NO_MAIL = 8 };

static void do_ehlo(struct smtpd_session *s, struct slice arg);
static void do_helo(struct smtpd_session *s, struct slice arg);
static void do_mail(struct smtpd_session *s, struct slice arg);
static void do_rcpt(struct smtpd_session *s, struct slice arg);
static void do_data(struct smtpd_session *s, struct slice arg);
static void do_rset(struct smtpd_session *s, struct slice arg);
static void do_noop(struct smtpd_session *s, struct slice arg);
static void do_vrfy(struct smtpd_session *s, struct slice arg);
static void do_quit(struct smtpd_session *s, struct slice arg);
static void do_starttls(struct smtpd_session *s, struct slice arg);
static void do_help(struct smtpd_session *s, struct slice arg);
static void do_proxy(struct smtpd_session *s, struct slice arg);
static void do_unknown(struct smtpd_session *s, struct slice arg);

/* clang-format off */
static const struct {
	unsigned needs;
	bool no_argument;
	void (*run)(struct smtpd_session *s, struct slice arg);
} commands[SMTPD_VERB_MAX] = {
	[SMTPD_VERB_UNKNOWN]  = { 0,                     false, do_unknown  },
	[SMTPD_VERB_EHLO]     = { 0,                     false, do_ehlo     },
	[SMTPD_VERB_HELO]     = { 0,                     false, do_helo     },
	[SMTPD_VERB_MAIL]     = { NEED_HELO | NO_MAIL,   false, do_mail     },
	[SMTPD_VERB_RCPT]     = { NEED_HELO | NEED_MAIL, false, do_rcpt     },
	[SMTPD_VERB_DATA]     = { NEED_HELO | NEED_MAIL | NEED_RCPT, true, do_data },
	[SMTPD_VERB_RSET]     = { 0,                     true,  do_rset     },
	[SMTPD_VERB_NOOP]     = { 0,                     false, do_noop     },
	[SMTPD_VERB_VRFY]     = { 0,                     false, do_vrfy     },
	[SMTPD_VERB_QUIT]     = { 0,                     true,  do_quit     },
	[SMTPD_VERB_STARTTLS] = { NEED_HELO | NO_MAIL,   true,  do_starttls },
	[SMTPD_VERB_HELP]     = { 0,                     false, do_help     },
	[SMTPD_VERB_AUTH]     = { NEED_HELO | NO_MAIL,   false, smtpd_session_auth },
	[SMTPD_VERB_BDAT]     = { 0,                     false, smtpd_session_bdat }, /* it looks itself */
	[SMTPD_VERB_PROXY]    = { 0,                     false, do_proxy    },
};
/* clang-format on */

void smtpd_session_command(struct smtpd_session *s, struct slice line)
{
	struct slice arg;
	enum smtpd_verb v = smtpd_command_verb(line, &arg);
	unsigned needs = commands[v].needs;

	if ((needs & NEED_HELO) && s->life == SMTPD_STRANGER)
		smtpd_session_refuse(s, SLICE("503 5.5.1 send EHLO first\r\n"));
	else if ((needs & NO_MAIL) && smtpd_session_has_mail(s))
		smtpd_session_refuse(
		    s, SLICE("503 5.5.1 a message is open already; RSET ends it\r\n"));
	else if ((needs & NEED_MAIL) && s->life == SMTPD_CHUNKS)
		smtpd_session_refuse(
		    s, SLICE("503 5.5.1 the message has begun: send BDAT or RSET\r\n"));
	else if ((needs & NEED_MAIL) && s->life != SMTPD_MAIL)
		smtpd_session_refuse(s, SLICE("503 5.5.1 send MAIL first\r\n"));
	else if ((needs & NEED_RCPT) && !s->mail.n_rcpts)
		smtpd_session_refuse(s, SLICE("554 5.5.1 no valid recipients\r\n"));
	else if (commands[v].no_argument && arg.n)
		smtpd_session_refuse(s, SLICE("501 5.5.4 this command takes no argument\r\n"));
	else
		commands[v].run(s, arg);
}

/* ---- greeting ---------------------------------------------------------------------------- */

static bool take_helo(struct smtpd_session *s, struct slice arg, bool esmtp)
{
	if (!arg.n || arg.n > SMTPD_HELO_MAX) {
		smtpd_session_refuse(s, SLICE("501 5.5.4 a host name is missing or too long\r\n"));
		return false;
	}
	s->helo_n = (uint16_t)slice_copy(s->helo, sizeof(s->helo), arg);
	s->esmtp = esmtp;
	smtpd_session_become(s, SMTPD_IDLE);
	return true;
}

static void do_ehlo(struct smtpd_session *s, struct slice arg)
{
	if (take_helo(s, arg, true))
		smtpd_session_offer(s);
}

static void do_helo(struct smtpd_session *s, struct slice arg)
{
	if (take_helo(s, arg, false))
		smtpd_session_sayf(s, "250 %.253s\r\n", smtpd_session_settings(s)->hostname);
}

static void do_starttls(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_starttls(s);
}

/* ---- transaction ------------------------------------------------------------------------- */

/* A quoted local part travels as it came: in a path, in a trace line and in reports it stands
 * between angle brackets again. */
static struct slice take_address(struct slice text, bool utf8, struct mailbox *ret)
{
	if (mailbox_parse(text, MAILBOX_QUOTED_ANY | (utf8 ? MAILBOX_UTF8 : 0), ret) == 0)
		return SMTPD_GO_ON;
	if (!utf8 && mailbox_parse(text, MAILBOX_QUOTED_ANY | MAILBOX_UTF8, ret) == 0)
		return SLICE("553 5.6.7 this address needs SMTPUTF8\r\n");
	return SLICE("553 5.1.3 not a mail address\r\n");
}

static void tell_path(struct smtpd_session *s, enum smtpd_verb verb)
{
	if (smtpd_session_service(s)->path)
		smtpd_session_service(s)->path(s->on->with.state, s, verb);
}

static struct slice take_mail(struct smtpd_session *s, struct slice arg)
{
	const struct smtpd_service *service = smtpd_session_service(s);
	struct slice refusal = service->closed ? service->closed(s->on->with.state) : SMTPD_GO_ON;
	struct smtpd_path path;

	if (refusal.n)
		return refusal;
	if (smtpd_command_path(arg, SLICE("FROM:"), &path) < 0)
		return SLICE("501 5.5.4 expected FROM:<address>\r\n");
	s->mail.utf8 = false;
	tell_path(s, SMTPD_VERB_MAIL);
	refusal = smtpd_session_params(s, SMTPD_VERB_MAIL, &path);
	if (refusal.n)
		return refusal;
	s->mail.from.n = 0; /* the null reverse-path, unless there is an address */
	if (path.address.n)
		refusal = take_address(path.address, s->mail.utf8, &s->mail.from);
	if (!refusal.n && service->mail)
		refusal = service->mail(s->on->with.state, s);
	return refusal;
}

static void do_mail(struct smtpd_session *s, struct slice arg)
{
	struct slice refusal = take_mail(s, arg);

	if (refusal.n) {
		smtpd_session_refuse(s, refusal);
		return;
	}
	smtpd_session_become(s, SMTPD_MAIL);
	smtpd_session_say(s, SLICE("250 2.1.0 sender ok\r\n"));
}

/* RCPT TO:<postmaster>, without a domain, is the postmaster of this host (RFC 5321 sections
 * 4.1.1.3 and 4.5.1). */
static struct slice take_rcpt_address(struct smtpd_session *s, struct slice text,
				      struct mailbox *ret)
{
	char here[MAILBOX_MAX + 16];
	int n;

	if (!slice_eq_nocase(text, SLICE("postmaster")))
		return take_address(text, s->mail.utf8, ret);
	n = snprintf(here, sizeof(here), "postmaster@%.253s", smtpd_session_settings(s)->hostname);
	return take_address(slice_of(here, (size_t)n), s->mail.utf8, ret);
}

static struct slice take_rcpt(struct smtpd_session *s, struct slice arg)
{
	struct slice refusal;
	struct mailbox box;
	struct smtpd_path path;

	if (smtpd_command_path(arg, SLICE("TO:"), &path) < 0 || !path.address.n)
		return SLICE("501 5.5.4 expected TO:<address>\r\n");
	tell_path(s, SMTPD_VERB_RCPT);
	refusal = smtpd_session_params(s, SMTPD_VERB_RCPT, &path);
	if (refusal.n)
		return refusal;
	if (s->mail.n_rcpts >= (unsigned)smtpd_session_settings(s)->max_rcpts)
		return SLICE("452 4.5.3 too many recipients\r\n");
	refusal = take_rcpt_address(s, path.address, &box);
	if (!refusal.n)
		refusal = smtpd_session_service(s)->rcpt(s->on->with.state, s, &box);
	if (refusal.n)
		return refusal;
	if (s->mail.n_rcpts++ == 0)
		s->mail.first_rcpt = box;
	s->fault = 0;
	return SMTPD_GO_ON;
}

static void do_rcpt(struct smtpd_session *s, struct slice arg)
{
	struct slice refusal = take_rcpt(s, arg);

	if (refusal.n)
		smtpd_session_refuse(s, refusal);
	else
		smtpd_session_say(s, SLICE("250 2.1.5 recipient ok\r\n"));
}

static void do_data(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("354 end with CRLF.CRLF\r\n"));
	smtpd_session_begin_body(s);
}

static void do_rset(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	if (smtpd_session_has_mail(s))
		smtpd_session_become(s, SMTPD_IDLE);
	smtpd_session_say(s, SLICE("250 2.0.0 reset\r\n"));
}

/* ---- the rest ---------------------------------------------------------------------------- */

static void do_noop(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("250 2.0.0 ok\r\n"));
}

static void do_vrfy(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(
	    s, SLICE("252 2.1.5 addresses are not verified, send the message to find out\r\n"));
}

static void do_quit(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_bye(s, SLICE("221 2.0.0 bye\r\n"));
}

static void do_help(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_say(s, SLICE("214 2.0.0 see RFC 5321\r\n"));
}

/* A proxy that is not in the networks of proxies would otherwise go on with the commands of its
 * clients, all in its own name. */
static void do_proxy(struct smtpd_session *s, struct slice arg)
{
	char event[SMTPD_EVENT_MAX], ip[IP_TEXT_MAX];

	(void)arg;
	count_add(&smtpd_session_counters(s)->refused, 1);
	log_warn(smtpd_server_event(s->on, "proxy-refused", event),
		 kv_str("client", ip_format(&s->peer, ip)));
	smtpd_session_bye(
	    s, SLICE("421 4.7.0 no PROXY header is taken here, closing the connection\r\n"));
}

static void do_unknown(struct smtpd_session *s, struct slice arg)
{
	(void)arg;
	smtpd_session_refuse(s, SLICE("500 5.5.2 unknown command\r\n"));
}
