/* mta/smtpd/sasl.c - names and passwords out of base64. */
#include "mta/smtpd/sasl.h"

#include "base/encode.h"

void sasl_forget(struct sasl_answer *a)
{
	explicit_bzero(a, sizeof(*a));
}

static int decode(struct slice base64, struct sasl_answer *a, struct slice *ret)
{
	struct buf out;
	int r;

	if (base64.n > (SASL_TEXT_MAX + 2) / 3 * 4)
		return E_LIMIT;
	buf_init(&out, 0);
	r = base64_decode(&out, base64);
	if (r >= 0 && buf_len(&out) > SASL_TEXT_MAX)
		r = E_LIMIT;
	if (r >= 0) {
		memcpy(a->text, buf_data(&out).p, buf_len(&out));
		*ret = slice_of(a->text, buf_len(&out));
	}
	if (out.cap)
		explicit_bzero(out.p, out.cap);
	buf_free(&out);
	return r < 0 ? r : 0;
}

static int check_name(struct slice s)
{
	if (s.n > SASL_NAME_MAX)
		return E_LIMIT;
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return E_SYNTAX;
	return s.n ? 0 : E_SYNTAX;
}

static int check_password(struct slice s)
{
	if (s.n > SASL_PASSWORD_MAX)
		return E_LIMIT;
	return s.n && !memchr(s.p, '\0', s.n) ? 0 : E_SYNTAX;
}

int sasl_plain(struct slice base64, struct sasl_answer *ret)
{
	struct slice all = { NULL, 0 }, authzid, rest, name, password;
	int r = decode(base64, ret, &all);

	if (r < 0)
		return r;
	if (!all.n || !slice_cut(all, '\0', &authzid, &rest) ||
	    !slice_cut(rest, '\0', &name, &password))
		return E_SYNTAX;
	r = check_name(name);
	if (r == 0)
		r = check_password(password);
	if (r < 0)
		return r;
	if (authzid.n && !slice_eq(authzid, name))
		return E_DENIED;
	ret->name = name;
	ret->password = password;
	return 0;
}

int sasl_login_name(struct slice base64, struct sasl_answer *ret)
{
	int r = decode(base64, ret, &ret->name);

	return r < 0 ? r : check_name(ret->name);
}

int sasl_login_password(struct slice base64, struct sasl_answer *ret)
{
	int r = decode(base64, ret, &ret->password);

	return r < 0 ? r : check_password(ret->password);
}
