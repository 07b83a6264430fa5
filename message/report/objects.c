/* message/report/objects.c - notices that relays send as JSON in the text of a mail (Amazon SES by
 * way of SNS): the objects of "bouncedRecipients", put as the fields of RFC 3464.
 *
 *	"bouncedRecipients": [ { "emailAddress": "...", "action": "failed", "status": "5.1.1",
 *				 "diagnosticCode": "smtp; 550 ..." } ]
 *
 * The document may itself be a string of another one, its quotes escaped, and cut by line ends. */
#include "message/report/inside.h"

/* The array's text, its quotes plain. */
static void plain_quotes(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.n && s.p[i] != ']'; i++)
		if (s.p[i] != '\\' && s.p[i] != '\r' && s.p[i] != '\n')
			buf_put(out, slice_of(s.p + i, 1));
}

static bool take_string(struct slice *rest, struct slice *ret)
{
	const char *begin = memchr(rest->p, '"', rest->n);

	if (!begin)
		return false;
	*rest = slice_skip(*rest, (size_t)(begin - rest->p) + 1);
	if (!memchr(rest->p, '"', rest->n))
		return false;
	*ret = slice_take(rest, '"');
	return true;
}

static void put_field(struct slice key, struct slice value, struct buf *out)
{
	static const char *const names[][2] = { { "emailAddress", "\nFinal-Recipient: rfc822; " },
						{ "action", "Action: " },
						{ "status", "Status: " },
						{ "diagnosticCode", "Diagnostic-Code: " } };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!slice_eq_nocase(key, slice_str(names[i][0])))
			continue;
		buf_put(out, slice_str(names[i][1]));
		buf_put(out, value);
		buf_put(out, SLICE("\n"));
	}
}

void objects_as_fields(struct slice text, struct buf *out)
{
	static const char name[] = "bouncedRecipients";
	const char *at = text.n ? memmem(text.p, text.n, name, sizeof(name) - 1) : NULL;
	struct buf plain = { 0 };
	struct slice rest, key, value;

	if (!at)
		return;
	rest = slice_skip(text, (size_t)(at - text.p) + sizeof(name) - 1);
	at = rest.n ? memchr(rest.p, '[', MIN_OF(rest.n, (size_t)16)) : NULL;
	if (!at)
		return;
	plain_quotes(slice_skip(rest, (size_t)(at - rest.p) + 1), &plain);
	rest = parts_text(&plain);
	while (rest.n && take_string(&rest, &key) && take_string(&rest, &value))
		put_field(key, value, out);
	buf_free(&plain);
}
