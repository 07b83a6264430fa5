/* mta/submit/envelope.c - what MAIL and RCPT ask for beside their addresses. */
#include "mta/submit/envelope.h"

#include <stdio.h>

#include "base/clock.h"
#include "mta/submit/when.h"

#define BAD_VALUE SLICE("501 5.5.4 a parameter has a bad value\r\n")
#define TWICE SLICE("501 5.5.4 a parameter stands there twice\r\n")
#define TOO_LATE SLICE("501 5.5.4 that is later than this host holds mail\r\n")

static struct submit_envelope *envelope_of(struct smtpd_session *s)
{
	return &((struct submit_session *)smtpd_session_own(s))->envelope;
}

void submit_envelope_path(void *state, struct smtpd_session *s, enum smtpd_verb verb)
{
	struct submit_envelope *e = envelope_of(s);

	(void)state;
	if (verb == SMTPD_VERB_MAIL)
		*e = (struct submit_envelope){ 0 };
	e->rcpt = (struct wire_dsn){ 0 };
	e->said_notify = false;
}

/* ---- DSN (RFC 3461 section 4) ------------------------------------------------------------ */

static bool is_printable(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] >= 0x7f)
			return false;
	return true;
}

/* Decodes xtext that stands for printable ASCII. */
static int decode(struct slice text, struct buf *out)
{
	int r = wire_xtext_decode(text, out);

	return r == 0 && !is_printable(buf_data(out)) ? E_SYNTAX : r;
}

static struct slice take_ret(void *state, struct smtpd_session *s, struct slice value)
{
	struct submit_envelope *e = envelope_of(s);

	(void)state;
	if (e->said_ret)
		return TWICE;
	e->said_ret = true;
	e->return_headers = slice_eq_nocase(value, SLICE("HDRS"));
	e->return_full = slice_eq_nocase(value, SLICE("FULL"));
	return e->return_headers || e->return_full ? SMTPD_GO_ON : BAD_VALUE;
}

static struct slice take_envid(void *state, struct smtpd_session *s, struct slice value)
{
	struct submit_envelope *e = envelope_of(s);
	struct buf out;
	int r;

	(void)state;
	if (e->envid_n)
		return TWICE;
	if (!value.n || value.n > WIRE_ENVID_MAX)
		return BAD_VALUE;
	buf_init(&out, WIRE_ENVID_MAX);
	r = decode(value, &out);
	if (r == 0)
		e->envid_n = (uint8_t)slice_copy(e->envid, sizeof(e->envid), buf_data(&out));
	buf_free(&out);
	return r == 0 ? SMTPD_GO_ON : BAD_VALUE;
}

static unsigned notify_bit(struct slice word)
{
	static const struct {
		struct slice word;
		unsigned bit;
	} rows[] = {
		{ SLICE("NEVER"), WIRE_NOTIFY_NEVER },
		{ SLICE("SUCCESS"), WIRE_NOTIFY_SUCCESS },
		{ SLICE("FAILURE"), WIRE_NOTIFY_FAILURE },
		{ SLICE("DELAY"), WIRE_NOTIFY_DELAY },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq_nocase(word, rows[i].word))
			return rows[i].bit;
	return 0;
}

/* NEVER stands alone. */
static struct slice take_notify(void *state, struct smtpd_session *s, struct slice value)
{
	struct submit_envelope *e = envelope_of(s);

	(void)state;
	if (e->said_notify)
		return TWICE;
	e->said_notify = true;
	if (!value.n || value.p[value.n - 1] == ',')
		return BAD_VALUE;
	while (value.n) {
		unsigned bit = notify_bit(slice_take(&value, ','));
		if (!bit)
			return BAD_VALUE;
		e->rcpt.notify |= bit;
	}
	if ((e->rcpt.notify & WIRE_NOTIFY_NEVER) && e->rcpt.notify != WIRE_NOTIFY_NEVER)
		return BAD_VALUE;
	return SMTPD_GO_ON;
}

static struct slice take_orcpt(void *state, struct smtpd_session *s, struct slice value)
{
	struct submit_envelope *e = envelope_of(s);
	struct slice type, text;
	struct buf out;
	int r;

	(void)state;
	if (e->rcpt.orcpt.n)
		return TWICE;
	if (value.n > WIRE_ORCPT_MAX || !slice_cut(value, ';', &type, &text) || !type.n || !text.n)
		return BAD_VALUE;
	for (size_t i = 0; i < type.n; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-", ascii_lower(type.p[i])) ||
		    !type.p[i])
			return BAD_VALUE;
	buf_init(&out, WIRE_ORCPT_MAX);
	r = decode(text, &out);
	buf_free(&out);
	if (r < 0)
		return BAD_VALUE;
	memcpy(e->orcpt, value.p, value.n);
	e->rcpt.orcpt = slice_of(e->orcpt, value.n);
	return SMTPD_GO_ON;
}

/* RFC 4954 section 5: who the client says has authenticated the message.  Nothing is believed of
 * it, as "<>" is, because whose mail it is follows from the session alone. */
static struct slice take_auth(void *state, struct smtpd_session *s, struct slice value)
{
	struct buf out;
	int r;

	(void)state, (void)s;
	buf_init(&out, WIRE_ORCPT_MAX);
	r = value.n ? decode(value, &out) : E_SYNTAX;
	buf_free(&out);
	return r == 0 ? SMTPD_GO_ON : BAD_VALUE;
}

/* ---- FUTURERELEASE (RFC 4865) ------------------------------------------------------------ */

static bool offers_future(void *state, const struct smtpd_session *s)
{
	const struct submit_lane *on = state;

	(void)s;
	return on->options->hold_max > 0;
}

static void put_future(void *state, const struct smtpd_session *s, struct buf *out)
{
	const struct submit_lane *on = state;
	char text[40];

	(void)s;
	buf_putf(out, " %lld %s", (long long)(on->options->hold_max / 1000),
		 clock_rfc3339(clock_wall_ms() + on->options->hold_max, text));
}

static struct slice hold_until(struct submit_lane *on, struct smtpd_session *s, int64_t at_ms)
{
	struct submit_envelope *e = envelope_of(s);

	if (e->not_before_ms)
		return SLICE("501 5.5.4 HOLDFOR and HOLDUNTIL do not go together\r\n");
	if (at_ms > clock_wall_ms() + on->options->hold_max)
		return TOO_LATE;
	e->not_before_ms = MAX_OF(at_ms, 1);
	return SMTPD_GO_ON;
}

static struct slice take_holdfor(void *state, struct smtpd_session *s, struct slice value)
{
	uint64_t seconds;

	if (slice_u64(value, 999999999, &seconds) < 0)
		return BAD_VALUE;
	return hold_until(state, s, clock_wall_ms() + (int64_t)seconds * 1000);
}

static struct slice take_holduntil(void *state, struct smtpd_session *s, struct slice value)
{
	int64_t at;

	return when_parse(value, &at) < 0 ? BAD_VALUE : hold_until(state, s, at);
}

/* ---- REQUIRETLS (RFC 8689) --------------------------------------------------------------- */

static bool offers_require_tls(void *state, const struct smtpd_session *s)
{
	(void)state;
	return smtpd_session_is_tls(s);
}

static struct slice take_require_tls(void *state, struct smtpd_session *s, struct slice value)
{
	(void)state;
	if (value.n || !smtpd_session_is_tls(s))
		return SLICE(
		    "555 5.5.4 REQUIRETLS has no value, and is offered under TLS alone\r\n");
	envelope_of(s)->require_tls = true;
	return SMTPD_GO_ON;
}

/* ---- the rows ---------------------------------------------------------------------------- */

const struct smtpd_keyword submit_keywords[SUBMIT_KEYWORDS] = {
	{ "DSN", NULL, NULL },
	{ "FUTURERELEASE", offers_future, put_future },
	{ "REQUIRETLS", offers_require_tls, NULL },
};
const struct smtpd_param submit_params[SUBMIT_PARAMS] = {
	{ SMTPD_VERB_MAIL, SLICE("RET"), take_ret },
	{ SMTPD_VERB_MAIL, SLICE("ENVID"), take_envid },
	{ SMTPD_VERB_RCPT, SLICE("NOTIFY"), take_notify },
	{ SMTPD_VERB_RCPT, SLICE("ORCPT"), take_orcpt },
	{ SMTPD_VERB_MAIL, SLICE("HOLDFOR"), take_holdfor },
	{ SMTPD_VERB_MAIL, SLICE("HOLDUNTIL"), take_holduntil },
	{ SMTPD_VERB_MAIL, SLICE("REQUIRETLS"), take_require_tls },
	{ SMTPD_VERB_MAIL, SLICE("AUTH"), take_auth },
};
