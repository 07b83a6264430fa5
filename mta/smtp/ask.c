/* What a sender asks to be told (RFC 3461), passed on to a host that offers DSN. */
#include <stdio.h>

#include "mta/smtp/session_int.h"
#include "schema/wire/dsn.h"

/* Guarantee: what goes on the wire is xtext, whoever made it. */
static bool is_xtext(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '=')
			return false;
	return true;
}

size_t ask_mail(char *line, size_t cap, const struct txn *t)
{
	struct buf id = { 0 };
	size_t n = 0;

	if (t->return_headers || t->return_full)
		n = (size_t)snprintf(line, cap, t->return_full ? " RET=FULL" : " RET=HDRS");
	if (!t->envid.n)
		return n;
	wire_xtext_encode(t->envid, &id);
	if (buf_len(&id) <= WIRE_ENVID_MAX)
		n += (size_t)snprintf(line + n, cap - n, " ENVID=%.*s", (int)buf_len(&id),
				      buf_data(&id).p);
	buf_free(&id);
	return n;
}

static size_t put_notify(char *line, size_t cap, unsigned notify)
{
	static const char *const words[] = { "NEVER", "SUCCESS", "FAILURE", "DELAY" };
	size_t n = 0;

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (notify & 1U << i)
			n += (size_t)snprintf(line + n, cap - n, "%s%s",
					      n ? "," : " NOTIFY=", words[i]);
	return n;
}

size_t ask_rcpt(char *line, size_t cap, const struct txn_rcpt *to)
{
	size_t n = to->notify ? put_notify(line, cap, to->notify) : 0;

	if (to->orcpt.n && to->orcpt.n <= WIRE_ORCPT_MAX && is_xtext(to->orcpt))
		n += (size_t)snprintf(line + n, cap - n, " ORCPT=%.*s", (int)to->orcpt.n,
				      to->orcpt.p);
	return n;
}
