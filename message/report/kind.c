/* message/report/kind.c - which kind of report a message is: by its types, its fields, and then by
 * what its header and its first lines say. */
#include "message/report/inside.h"

bool kind_has(struct slice text, const char *const *words)
{
	for (size_t i = 0; i < text.n; i++)
		for (const char *const *w = words; *w; w++)
			if (ascii_lower(text.p[i]) == ascii_lower(**w) &&
			    slice_starts_nocase(slice_skip(text, i), slice_str(*w)))
				return true;
	return false;
}

/* ---- from whom ----------------------------------------------------------------------------- */

static bool from_a_daemon(const struct parts *p)
{
	static const char *const names[] = { "mailer-daemon",
					     "mailerdaemon",
					     "postmaster",
					     "mail delivery",
					     "mail-daemon",
					     "mail deliver",
					     "maildaemon",
					     "mailer daemon",
					     "system administrator",
					     "microsoft exchange",
					     "internet mail delivery",
					     "mdaemon",
					     "mail system",
					     "mmdf",
					     "bounce@",
					     "double-bounce",
					     "mail administrator",
					     NULL };

	return kind_has(p->head[HEAD_FROM], names) ||
	       slice_eq(slice_trim(p->head[HEAD_FROM]), SLICE("<>"));
}

static bool from_nobody(const struct parts *p)
{
	return slice_eq(slice_trim(p->head[HEAD_RETURN_PATH]), SLICE("<>"));
}

/* ---- what it is about ---------------------------------------------------------------------- */

static bool subject_of_notice(const struct parts *p)
{
	static const char *const words[] = { "undeliver",
					     "returned mail",
					     "returned message",
					     "delivery failure",
					     "delivery status",
					     "delivery notification",
					     "delivery report",
					     "failure notice",
					     "delivery fail",
					     "mail failure",
					     "failed mail",
					     "mail system error",
					     "delivery error",
					     "delivery problem",
					     "non-deliver",
					     "nondeliver",
					     "could not be deliver",
					     "unable to deliver",
					     "not delivered",
					     "mail could not",
					     "message could not",
					     "delivery has failed",
					     "delivery unsuccess",
					     "bounced mail",
					     "error sending your",
					     "rejected mail",
					     "message rejected",
					     "mail delivery",
					     "delayed",
					     "warning: could not send",
					     "status notification",
					     "unzustellbar",
					     "nicht zugestellt",
					     "zustellung",
					     "unzustellbarkeit",
					     "fehlgeschlagen",
					     "non remis",
					     "non délivr",
					     "échec de",
					     "no entregado",
					     "no se pudo entregar",
					     "devuelto",
					     "mancato recapito",
					     "impossibile recapitare",
					     "mensagem não entregue",
					     "não foi possível",
					     "não entregue",
					     "onbestelbaar",
					     "niet bezorgd",
					     "не доставлен",
					     "недоставлен",
					     "доставк",
					     "配信",
					     "送信できません",
					     "戻",
					     "エラー",
					     "退信",
					     "投递失败",
					     "无法送达",
					     "未送达",
					     "반송",
					     "nie dostarczon",
					     "niedostarcz",
					     "doručen",
					     "teslim edilemedi",
					     "kunde inte levereras",
					     "quota exceeded",
					     "mailbox full",
					     "mailbox is full",
					     "user unknown",
					     "notification d'",
					     "message expired",
					     "mail error",
					     "delivery incomplete",
					     "failed delivery",
					     "failure delivery",
					     "message undeliver",
					     "mail returned",
					     "returning message",
					     NULL };

	return kind_has(p->head[HEAD_SUBJECT], words);
}

static bool text_of_notice(struct slice notice)
{
	static const char *const words[] = { "could not be delivered",
					     "couldn't be delivered",
					     "unable to deliver",
					     "wasn't able to deliver",
					     "was not delivered",
					     "delivery to the following",
					     "did not reach the following",
					     "permanent fatal errors",
					     "delivery has failed",
					     "delivery failed",
					     "message that you sent could not",
					     "undeliverable",
					     "cannot be delivered",
					     "not be delivered",
					     "rejected recipient",
					     "user unknown",
					     "konnte nicht zugestellt",
					     "nicht zugestellt werden",
					     "n'a pas pu être",
					     "no se ha podido entregar",
					     "no pudo ser entregado",
					     "non è stato possibile",
					     "não pôde ser entregue",
					     "не может быть доставлено",
					     "не удалось доставить",
					     "送信できません",
					     "配信できません",
					     "無法送達",
					     "无法投递",
					     "未能送达",
					     NULL };

	return kind_has(slice_of(notice.p, MIN_OF(notice.n, (size_t)16384)), words);
}

/* As programs for absent people say it. */
static bool is_absent(const struct parts *p)
{
	static const char *const subjects[] = { "out of office",
						"out of the office",
						"automatic reply",
						"auto reply",
						"autoreply",
						"auto-reply",
						"auto:",
						"autoresponse",
						"automatische antwort",
						"abwesenheit",
						"réponse automatique",
						"absence",
						"respuesta automática",
						"risposta automatica",
						"resposta automática",
						"automatisch antwoord",
						"vacation",
						"автоответ",
						"自動返信",
						"自动回复",
						"自動回覆",
						"on holiday",
						"autoantwort",
						"away from my mail",
						"auto response",
						"자동 응답",
						NULL };
	static const char *const bulk[] = { "auto_reply", "autoreply", NULL };

	return p->head[HEAD_AUTOREPLY].n || p->head[HEAD_AUTORESPOND].n ||
	       kind_has(p->head[HEAD_SUBJECT], subjects) ||
	       kind_has(p->head[HEAD_PRECEDENCE], bulk);
}

/* Bounces are submitted automatically too: this alone says little. */
static bool is_automatic(const struct parts *p)
{
	static const char *const replied[] = { "auto-replied", "auto-generated", "auto-notified",
					       NULL };

	return is_absent(p) || kind_has(p->head[HEAD_AUTO_SUBMITTED], replied);
}

/* People complain about mail that did not arrive, too. */
static bool is_answer(const struct parts *p)
{
	static const char *const words[] = {
		"re:", "aw:", "fwd:", "fw:", "wg:", "rv:", "tr:", "sv:"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (slice_starts_nocase(slice_trim(p->head[HEAD_SUBJECT]), slice_str(words[i])))
			return true;
	return false;
}

/* From a mail system; else two of the signs. */
static bool is_notice(const struct parts *p, struct slice notice)
{
	bool daemon = from_a_daemon(p);

	if (p->head[HEAD_FAILED_RECIPIENTS].n || (p->types & PART_STATUS))
		return true;
	if (is_absent(p) && !subject_of_notice(p))
		return false;
	if (daemon)
		return true;
	if (is_absent(p) || is_answer(p))
		return false;
	return from_nobody(p) + is_automatic(p) + subject_of_notice(p) + text_of_notice(notice) > 1;
}

static bool says_delay(const struct parts *p, struct slice notice)
{
	static const char *const subjects[] = { "delayed",          "warning: could not send",
						"(delay)",          "delivery delay",
						"verzögert",        "retardé",
						"warning: message", NULL };
	static const char *const words[] = { "this is a warning message only",
					     "do not need to resend",
					     "will be retried",
					     "has not yet been delivered",
					     "will continue to try",
					     "has been delayed",
					     "delivery attempts will continue",
					     "you do not have to resend",
					     "no action is required on your part",
					     "will keep trying",
					     "temporarily delayed",
					     "attempts to deliver the message will continue",
					     NULL };
	static const char *const final[] = { "given up",  "permanent error", "permanent fatal",
					     "giving up", "final",           "undeliverable",
					     NULL };

	notice = slice_of(notice.p, MIN_OF(notice.n, (size_t)16384));
	return (kind_has(p->head[HEAD_SUBJECT], subjects) || kind_has(notice, words)) &&
	       !kind_has(notice, final);
}

/* ---- together ------------------------------------------------------------------------------ */

static enum returned_kind kind_by_actions(const struct returned *r)
{
	unsigned n[RETURNED_ACTIONS] = { 0 };

	for (unsigned i = 0; i < r->n; i++)
		n[r->recipients[i].action]++;
	return n[RETURNED_DELAYED] && !n[RETURNED_FAILED] ? RETURNED_DELAY : RETURNED_DSN;
}

static bool is_dmarc(const struct parts *p)
{
	static const char *const words[] = { "report domain:", "dmarc aggregate", NULL };

	return (p->types & PART_ARCHIVE) && kind_has(p->head[HEAD_SUBJECT], words);
}

/* Before there was RFC 5965: the message, and a subject. */
static bool is_old_complaint(const struct parts *p)
{
	static const char *const words[] = { "complaint about message",
					     "abuse report",
					     "spam report",
					     "email feedback report",
					     "fbl report",
					     "[fbl]",
					     NULL };

	return (p->types & PART_RETURNED) && !(p->types & PART_STATUS) &&
	       kind_has(p->head[HEAD_SUBJECT], words);
}

enum returned_kind kind_of_nobody(const struct parts *p, enum returned_kind kind,
				  struct slice notice)
{
	if (p->head[HEAD_FAILED_RECIPIENTS].n || (p->types & PART_STATUS) || subject_of_notice(p) ||
	    text_of_notice(notice))
		return kind;
	return is_automatic(p) ? RETURNED_AUTO_REPLY : RETURNED_OTHER;
}

enum returned_kind kind_of(const struct parts *p, const struct returned *r, struct slice notice)
{
	if ((p->types & PART_FEEDBACK) || is_old_complaint(p))
		return RETURNED_ARF;
	if (p->types & PART_TLSRPT)
		return RETURNED_TLSRPT;
	if (is_dmarc(p))
		return RETURNED_DMARC;
	if (r->n)
		return kind_by_actions(r);
	if (slice_starts_nocase(slice_trim(p->head[HEAD_SUBJECT]), SLICE("unsubscribe")))
		return RETURNED_UNSUBSCRIBE;
	if (is_notice(p, notice))
		return says_delay(p, notice) ? RETURNED_DELAY : RETURNED_DSN;
	return is_automatic(p) ? RETURNED_AUTO_REPLY : RETURNED_OTHER;
}
