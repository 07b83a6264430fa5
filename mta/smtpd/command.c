/* Command lines: where one ends, its verb, its path and its parameters. */
#include "mta/smtpd/command.h"

static const struct slice verbs[SMTPD_VERB_MAX] = {
	[SMTPD_VERB_EHLO] = SLICE("EHLO"),         [SMTPD_VERB_HELO] = SLICE("HELO"),
	[SMTPD_VERB_MAIL] = SLICE("MAIL"),         [SMTPD_VERB_RCPT] = SLICE("RCPT"),
	[SMTPD_VERB_DATA] = SLICE("DATA"),         [SMTPD_VERB_RSET] = SLICE("RSET"),
	[SMTPD_VERB_NOOP] = SLICE("NOOP"),         [SMTPD_VERB_VRFY] = SLICE("VRFY"),
	[SMTPD_VERB_QUIT] = SLICE("QUIT"),         [SMTPD_VERB_HELP] = SLICE("HELP"),
	[SMTPD_VERB_STARTTLS] = SLICE("STARTTLS"), [SMTPD_VERB_AUTH] = SLICE("AUTH"),
	[SMTPD_VERB_PROXY] = SLICE("PROXY"),       [SMTPD_VERB_BDAT] = SLICE("BDAT"),
};

/* A line ends at its LF, whatever is before it.  A line that does not end in CRLF is refused as a
 * whole, and the next line begins behind it: no other reading can hide a command in it. */
int smtpd_command_line(struct slice in, struct slice *ret_line, size_t *ret_used)
{
	const char *lf = memchr(in.p, '\n', MIN_OF(in.n, (size_t)SMTPD_COMMAND_LINE_MAX));
	size_t n;

	if (!lf && in.n < SMTPD_COMMAND_LINE_MAX)
		return 0;
	if (!lf) {
		*ret_used = SMTPD_COMMAND_LINE_MAX;
		return E_LIMIT;
	}
	n = (size_t)(lf - in.p);
	*ret_used = n + 1;
	if (n == 0 || in.p[n - 1] != '\r')
		return E_SYNTAX;
	*ret_line = slice_of(in.p, n - 1);
	if (memchr(in.p, '\r', n - 1) || memchr(in.p, '\0', n - 1))
		return E_SYNTAX;
	return 1;
}

enum smtpd_verb smtpd_command_verb(struct slice line, struct slice *ret_argument)
{
	const char *space = memchr(line.p, ' ', line.n);
	size_t n = space ? (size_t)(space - line.p) : line.n;

	*ret_argument = slice_trim(slice_skip(line, n));
	for (unsigned i = 1; i < SMTPD_VERB_MAX; i++)
		if (slice_eq_nocase(slice_of(line.p, n), verbs[i]))
			return i;
	return SMTPD_VERB_UNKNOWN;
}

/* Offset of the ">" that ends the address, which is not one inside a quoted string. */
static size_t address_end(struct slice s)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			quoted = !quoted;
		else if (s.p[i] == '>' && !quoted)
			return i;
	}
	return s.n;
}

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-"), section 4.1.2 */
static bool keyword_byte(char c)
{
	c = ascii_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static int one_param(struct slice word, struct smtpd_path_param *ret)
{
	const char *eq = memchr(word.p, '=', word.n);
	size_t n = eq ? (size_t)(eq - word.p) : word.n;

	if (n == 0 || word.p[0] == '-')
		return E_SYNTAX;
	for (size_t i = 0; i < n; i++)
		if (!keyword_byte(word.p[i]))
			return E_SYNTAX;
	if (eq && n + 1 == word.n)
		return E_SYNTAX;
	ret->name = slice_of(word.p, n);
	ret->value = eq ? slice_of(eq + 1, word.n - n - 1) : slice_of(word.p + n, 0);
	return 0;
}

static int take_params(struct slice s, struct smtpd_path *ret)
{
	if (s.n && s.p[0] != ' ')
		return E_SYNTAX;
	for (s = slice_trim(s); s.n; s = slice_trim(s)) {
		const char *space = memchr(s.p, ' ', s.n);
		size_t n = space ? (size_t)(space - s.p) : s.n;
		int r;

		if (ret->n == SMTPD_COMMAND_PARAMS_MAX)
			return E_LIMIT;
		r = one_param(slice_of(s.p, n), &ret->params[ret->n++]);
		if (r < 0)
			return r;
		s = slice_skip(s, n);
	}
	return 0;
}

int smtpd_command_path(struct slice argument, struct slice prefix, struct smtpd_path *ret)
{
	struct smtpd_path path = { .n = 0 };
	struct slice s;
	size_t end;
	int r;

	if (!slice_starts_nocase(argument, prefix))
		return E_SYNTAX;
	s = slice_trim(slice_skip(argument, prefix.n));
	if (!s.n || s.p[0] != '<')
		return E_SYNTAX;
	s = slice_skip(s, 1);
	end = address_end(s);
	if (end == s.n)
		return E_SYNTAX;
	path.address = slice_of(s.p, end);
	r = take_params(slice_skip(s, end + 1), &path);
	if (r < 0)
		return r;
	*ret = path;
	return 0;
}
