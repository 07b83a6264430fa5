/* Extensions of RFC 821: a row per EHLO keyword, a row per parameter; then a service's own rows. */
#include "mta/smtpd/session.h"

#define NOT_KNOWN SLICE("555 5.5.4 unknown parameter\r\n")
#define BAD_VALUE SLICE("501 5.5.4 a parameter has a bad value\r\n")

/* ---- EHLO -------------------------------------------------------------------------------- */

static void put_size(void *state, const struct smtpd_session *s, struct buf *out)
{
	(void)state;
	buf_putf(out, " %lld", (long long)smtpd_session_settings(s)->max_size);
}

static bool offers_tls(void *state, const struct smtpd_session *s)
{
	(void)state;
	return s->on->tls && !conn_is_tls(s->conn);
}

static bool offers_auth(void *state, const struct smtpd_session *s)
{
	(void)state;
	return smtpd_session_auth_offered(s);
}

static void put_mechanisms(void *state, const struct smtpd_session *s, struct buf *out)
{
	(void)state, (void)s;
	buf_put(out, SLICE(" PLAIN LOGIN"));
}

static bool offers_chunks(void *state, const struct smtpd_session *s)
{
	(void)state;
	return smtpd_session_service(s)->chunking;
}

static const struct smtpd_keyword keywords[] = {
	{ "PIPELINING", NULL, NULL },
	{ "SIZE", NULL, put_size },
	{ "8BITMIME", NULL, NULL },
	{ "ENHANCEDSTATUSCODES", NULL, NULL },
	{ "STARTTLS", offers_tls, NULL },
	{ "SMTPUTF8", NULL, NULL },
	{ "AUTH", offers_auth, put_mechanisms },
	{ "CHUNKING", offers_chunks, NULL },
};

static void put_keywords(const struct smtpd_session *s, const struct smtpd_keyword *k, size_t n,
			 struct buf *out, size_t *last)
{
	for (; n; n--, k++) {
		if (k->offered && !k->offered(s->on->with.state, s))
			continue;
		*last = buf_len(out);
		buf_putf(out, "250-%s", k->name);
		if (k->value)
			k->value(s->on->with.state, s, out);
		buf_put(out, SLICE("\r\n"));
	}
}

void smtpd_session_offer(struct smtpd_session *s)
{
	const struct smtpd_service *service = smtpd_session_service(s);
	struct buf *out = &s->on->greeting;
	size_t last = 0;

	buf_clear(out);
	buf_putf(out, "250-%.253s\r\n", smtpd_session_settings(s)->hostname);
	put_keywords(s, keywords, ARRAY_LEN(keywords), out, &last);
	put_keywords(s, service->keywords, service->n_keywords, out, &last);
	out->p[out->start + last + 3] = ' ';
	smtpd_session_say(s, buf_data(out));
}

/* ---- parameters -------------------------------------------------------------------------- */

static struct slice take_size(void *state, struct smtpd_session *s, struct slice value)
{
	uint64_t size;

	(void)state;
	if (slice_u64(value, INT64_MAX, &size) < 0)
		return BAD_VALUE;
	if (size > (uint64_t)smtpd_session_settings(s)->max_size)
		return SLICE("552 5.3.4 message too big\r\n");
	return SMTPD_GO_ON;
}

static struct slice take_body(void *state, struct smtpd_session *s, struct slice value)
{
	(void)state, (void)s;
	if (slice_eq_nocase(value, SLICE("7BIT")) || slice_eq_nocase(value, SLICE("8BITMIME")))
		return SMTPD_GO_ON;
	return BAD_VALUE;
}

static struct slice take_utf8(void *state, struct smtpd_session *s, struct slice value)
{
	(void)state;
	if (value.n)
		return NOT_KNOWN;
	s->mail.utf8 = true;
	return SMTPD_GO_ON;
}

static const struct smtpd_param params[] = {
	{ SMTPD_VERB_MAIL, SLICE("SIZE"), take_size },
	{ SMTPD_VERB_MAIL, SLICE("BODY"), take_body },
	{ SMTPD_VERB_MAIL, SLICE("SMTPUTF8"), take_utf8 },
};

static const struct smtpd_param *find_param(const struct smtpd_param *p, size_t n,
					    enum smtpd_verb verb, struct slice name)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].verb == verb && slice_eq_nocase(p[i].name, name))
			return &p[i];
	return NULL;
}

static struct slice take_param(struct smtpd_session *s, enum smtpd_verb verb,
			       const struct smtpd_path_param *given)
{
	const struct smtpd_service *service = smtpd_session_service(s);
	const struct smtpd_param *p = find_param(params, ARRAY_LEN(params), verb, given->name);

	if (!p)
		p = find_param(service->params, service->n_params, verb, given->name);
	if (!p || !s->esmtp) /* HELO has no extensions */
		return NOT_KNOWN;
	return p->take(s->on->with.state, s, given->value);
}

struct slice smtpd_session_params(struct smtpd_session *s, enum smtpd_verb verb,
				  const struct smtpd_path *path)
{
	for (unsigned i = 0; i < path->n; i++) {
		struct slice refusal = take_param(s, verb, &path->params[i]);
		if (refusal.n)
			return refusal;
	}
	return SMTPD_GO_ON;
}
