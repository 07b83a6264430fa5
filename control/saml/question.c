/* control/saml/question.c - the two records, and the names of faults. */
#include "control/saml/question.h"

#include "control/contract/plain.h"

/* clang-format off */
static const struct {
	const char *name, *text;
} faults[SAML_FAULTS] = {
	[SAML_FINE]        = {"fine", ""},
	[SAML_MALFORMED]   = {"malformed", "it is not XML that is taken here"},
	[SAML_DOCTYPE]     = {"doctype", "it has a document type declaration"},
	[SAML_STRUCTURE]   = {"structure", "it is not one response with one assertion"},
	[SAML_ENCRYPTED]   = {"encrypted", "it is encrypted: turn the encryption of assertions off for this service"},
	[SAML_UNSIGNED]    = {"unsigned", "neither the response nor the assertion is signed"},
	[SAML_ALGORITHM]   = {"algorithm", "its signature is of a kind that is not taken: use RSA or ECDSA with SHA-256"},
	[SAML_SIGNATURE]   = {"signature", "none of the provider's certificates made its signature"},
	[SAML_ISSUER]      = {"issuer", "another identity provider made it"},
	[SAML_STATUS]      = {"status", "the identity provider did not sign anybody in"},
	[SAML_DESTINATION] = {"destination", "it was meant for another address"},
	[SAML_REQUEST]     = {"request", "it answers another request, or none"},
	[SAML_TIME]        = {"time", "it is too old, or the clocks differ"},
	[SAML_AUDIENCE]    = {"audience", "it is meant for another service"},
	[SAML_RECIPIENT]   = {"recipient", "it has no confirmation for this service"},
	[SAML_SUBJECT]     = {"subject", "it has no lasting name of the person: send a persistent NameID or the e-mail address"},
	[SAML_CERTIFICATE] = {"certificate", "a certificate has neither an RSA key of 2048 bits nor one on P-256, P-384 or P-521"},
	[SAML_BROKEN]      = {"broken", "it could not be read"},
};
/* clang-format on */

const char *saml_fault_name(enum saml_fault f)
{
	return faults[f].name;
}

const char *saml_fault_text(enum saml_fault f)
{
	return faults[f].text;
}

/* ---- pieces ------------------------------------------------------------------------------ */

static void put_text(struct buf *out, struct slice s)
{
	uint32_t n = (uint32_t)s.n;

	buf_put(out, slice_of(&n, sizeof(n)));
	buf_put(out, s);
}

static void put_number(struct buf *out, int64_t n)
{
	put_text(out, slice_of(&n, sizeof(n)));
}

static void put_list(struct buf *out, const struct slice *list, unsigned n)
{
	struct buf all = { 0 };

	for (unsigned i = 0; i < n; i++)
		put_text(&all, list[i]);
	put_text(out, buf_data(&all));
	buf_free(&all);
}

static int get_text(struct slice *rest, size_t most, struct slice *ret)
{
	uint32_t n;

	if (rest->n < sizeof(n))
		return E_SYNTAX;
	memcpy(&n, rest->p, sizeof(n));
	*rest = slice_skip(*rest, sizeof(n));
	if (n > rest->n || n > most)
		return n > rest->n ? E_SYNTAX : E_LIMIT;
	*ret = slice_of(rest->p, n);
	*rest = slice_skip(*rest, n);
	return 0;
}

static int get_line(struct slice *rest, size_t most, struct slice *ret)
{
	int r = get_text(rest, most, ret);

	return r == 0 && ret->n && !plain_text(*ret, false) ? E_SYNTAX : r;
}

static int get_number(struct slice *rest, int64_t *ret)
{
	struct slice s;
	int r = get_text(rest, sizeof(*ret), &s);

	if (r < 0 || s.n != sizeof(*ret))
		return r < 0 ? r : E_SYNTAX;
	memcpy(ret, s.p, sizeof(*ret));
	return 0;
}

static int get_list(struct slice *rest, struct slice *list, unsigned *ret_n)
{
	struct slice all;
	int r = get_text(rest, SAML_CERTIFICATES_MAX * (SAML_CERTIFICATE_MAX + 4UL), &all);

	*ret_n = 0;
	while (r == 0 && all.n) {
		if (*ret_n == SAML_CERTIFICATES_MAX)
			return E_LIMIT;
		r = get_text(&all, SAML_CERTIFICATE_MAX, &list[(*ret_n)++]);
	}
	return r;
}

/* ---- records ----------------------------------------------------------------------------- */

int saml_question_put(struct buf *out, const struct saml_question *q)
{
	if (q->document.n > SAML_QUESTION_MAX / 10 * 9 || q->n > SAML_CERTIFICATES_MAX)
		return E_LIMIT;
	put_number(out, q->kind);
	put_text(out, q->document);
	put_text(out, q->issuer);
	put_text(out, q->audience);
	put_text(out, q->acs);
	put_text(out, q->request);
	put_number(out, q->now_ms);
	put_list(out, q->certificates, q->n);
	return buf_len(out) > SAML_QUESTION_MAX ? E_LIMIT : 0;
}

int saml_question_get(struct slice s, struct saml_question *ret)
{
	struct saml_question q = { 0 };
	int64_t kind = 0;
	int r = get_number(&s, &kind);

	if (r == 0)
		r = get_text(&s, SAML_QUESTION_MAX, &q.document);
	if (r == 0)
		r = get_line(&s, SAML_URL_MAX, &q.issuer);
	if (r == 0)
		r = get_line(&s, SAML_URL_MAX, &q.audience);
	if (r == 0)
		r = get_line(&s, SAML_URL_MAX, &q.acs);
	if (r == 0)
		r = get_line(&s, SAML_TEXT_MAX, &q.request);
	if (r == 0)
		r = get_number(&s, &q.now_ms);
	if (r == 0)
		r = get_list(&s, q.certificates, &q.n);
	if (r < 0 || s.n || (kind != SAML_RESPONSE && kind != SAML_METADATA))
		return r < 0 ? r : E_SYNTAX;
	q.kind = (enum saml_kind)kind;
	*ret = q;
	return 0;
}

int saml_answer_put(struct buf *out, const struct saml_answer *a)
{
	put_number(out, a->fault);
	put_text(out, a->subject);
	put_text(out, a->format);
	put_text(out, a->email);
	put_text(out, a->name);
	put_text(out, a->session);
	put_text(out, a->assertion);
	put_number(out, a->until_ms);
	put_text(out, a->entity);
	put_text(out, a->sso);
	put_list(out, a->certificates, a->n);
	return buf_len(out) > SAML_ANSWER_MAX ? E_LIMIT : 0;
}

int saml_answer_get(struct slice s, struct saml_answer *ret)
{
	struct saml_answer a = { 0 };
	struct slice *const texts[] = { &a.subject, &a.format,  &a.email,
					&a.name,    &a.session, &a.assertion };
	int64_t fault = 0;
	int r = get_number(&s, &fault);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(texts); i++)
		r = get_line(&s, SAML_TEXT_MAX, texts[i]);
	if (r == 0)
		r = get_number(&s, &a.until_ms);
	if (r == 0)
		r = get_line(&s, SAML_URL_MAX, &a.entity);
	if (r == 0)
		r = get_line(&s, SAML_URL_MAX, &a.sso);
	if (r == 0)
		r = get_list(&s, a.certificates, &a.n);
	if (r < 0 || s.n || fault < 0 || fault >= SAML_FAULTS)
		return r < 0 ? r : E_SYNTAX;
	if (fault != SAML_FINE && (a.subject.n || a.entity.n))
		return E_SYNTAX;
	a.fault = (enum saml_fault)fault;
	*ret = a;
	return 0;
}
