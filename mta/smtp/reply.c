/* Replies out of the input, their enhanced status, and the verdict a reply gives. */
#include "mta/smtp/reply.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The code at the start of a line without its end, or E_SYNTAX. */
static int line_code(struct slice line, bool *ret_more)
{
	const char *p = line.p;

	if (line.n < 3 || p[0] < '2' || p[0] > '5' || !is_digit(p[1]) || !is_digit(p[2]))
		return E_SYNTAX;
	if (line.n > 3 && is_digit(p[3]))
		return E_SYNTAX;
	*ret_more = line.n > 3 && p[3] == '-';
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static size_t digits_at(struct slice s, size_t at, uint16_t *ret)
{
	size_t n = 0;

	*ret = 0;
	while (at + n < s.n && n < 3 && is_digit(s.p[at + n]))
		*ret = (uint16_t)(*ret * 10 + (s.p[at + n++] - '0'));
	return n;
}

/* Length of the enhanced status at the start of text, 0 when there is none of this class. */
static size_t enhanced_status(struct slice text, unsigned class, struct status *ret)
{
	size_t n, at = 2;

	if (text.n < 5 || text.p[0] != (char)('0' + class) || text.p[1] != '.')
		return 0;
	ret->class = (uint16_t) class;
	n = digits_at(text, at, &ret->subject);
	at += n;
	if (!n || at >= text.n || text.p[at] != '.')
		return 0;
	at++;
	n = digits_at(text, at, &ret->detail);
	at += n;
	if (!n || (at < text.n && !is_blank(text.p[at])))
		return 0;
	return at;
}

static struct slice without_end(struct slice line)
{
	if (line.n && line.p[line.n - 1] == '\n')
		line.n--;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static void fill_reply(struct reply_scan *scan, struct slice input, struct reply *ret)
{
	struct slice text;
	size_t pos = 0;

	*ret = (struct reply){ .code = scan->code,
			       .lines = scan->lines,
			       .raw = slice_of(input.p, scan->off) };
	if (reply_line(ret, &pos, &text) && !enhanced_status(text, ret->code / 100U, &ret->status))
		ret->status = (struct status){ 0 };
	*scan = (struct reply_scan){ 0 };
}

/* What is kept of a reply that goes on: whole lines, or the beginning of the only one. */
static int cut_reply(struct reply_scan *scan, struct slice input, struct reply *ret)
{
	struct reply_scan rest = { .skipping = true };

	if (!scan->lines) {
		int code = line_code(slice_of(input.p, REPLY_MAX), &rest.more);

		if (code < 0)
			return code;
		*scan = (struct reply_scan){ .off = REPLY_MAX, .lines = 1, .code = (uint16_t)code };
		rest.column = 4;
	}
	rest.code = scan->code;
	fill_reply(scan, input, ret);
	ret->cut = true;
	*scan = rest;
	return 1;
}

/* One byte more of a cut reply; `more` is known at the fourth byte of each line. */
static int skip_byte(struct reply_scan *scan, char c)
{
	unsigned digits[] = { scan->code / 100U, scan->code / 10U % 10, scan->code % 10U };

	if (scan->column < 3)
		return c == (char)('0' + digits[scan->column++]) ? 0 : E_SYNTAX;
	if (scan->column == 3) {
		if (is_digit(c))
			return E_SYNTAX;
		scan->more = c == '-';
		scan->column = 4;
	}
	if (c != '\n')
		return 0;
	scan->column = 0;
	if (!scan->more)
		*scan = (struct reply_scan){ 0 };
	return 0;
}

int reply_skip(struct reply_scan *scan, struct slice input)
{
	size_t n = 0;

	while (scan->skipping && n < input.n) {
		if (++scan->skipped > REPLY_SKIP_MAX)
			return E_LIMIT;
		if (skip_byte(scan, input.p[n++]) < 0)
			return E_SYNTAX;
	}
	return (int)n;
}

int reply_next(struct reply_scan *scan, struct slice input, struct reply *ret)
{
	while (!scan->skipping && scan->off < input.n) {
		const char *p = input.p + scan->off;
		size_t left = input.n - scan->off;
		const char *end = memchr(p, '\n', MIN_OF(left, (size_t)REPLY_MAX - scan->off));
		bool more;
		int code;

		if (!end)
			return input.n >= REPLY_MAX ? cut_reply(scan, input, ret) : 0;
		code = line_code(without_end(slice_of(p, (size_t)(end + 1 - p))), &more);
		if (code < 0 || (scan->lines && code != scan->code))
			return E_SYNTAX;
		scan->code = (uint16_t)code;
		scan->lines++;
		scan->off += (uint32_t)(end + 1 - p);
		if (!more) {
			fill_reply(scan, input, ret);
			return 1;
		}
		if (scan->lines == REPLY_LINES_MAX || scan->off == REPLY_MAX)
			return cut_reply(scan, input, ret);
	}
	return 0;
}

bool reply_line(const struct reply *re, size_t *pos, struct slice *ret_text)
{
	struct slice line;
	const char *end;

	if (*pos >= re->raw.n)
		return false;
	line = slice_of(re->raw.p + *pos, re->raw.n - *pos);
	end = memchr(line.p, '\n', line.n);
	if (end)
		line.n = (size_t)(end + 1 - line.p);
	*pos += line.n;
	line = without_end(line);
	line = slice_skip(line, MIN_OF(line.n, (size_t)3));
	*ret_text = line.n && (*line.p == '-' || is_blank(*line.p)) ? slice_skip(line, 1) : line;
	return true;
}

/* ---- verdicts ---------------------------------------------------------------------------- */

/* RFC 3463 status, where the bare code says more than its class (RFC 5321 section 4.2.3). */
static const struct {
	uint16_t code;
	struct status status;
} bare_codes[] = {
	{ 421, { 4, 3, 2 } }, { 452, { 4, 3, 1 } }, { 500, { 5, 5, 2 } }, { 501, { 5, 5, 4 } },
	{ 502, { 5, 5, 1 } }, { 503, { 5, 5, 1 } }, { 504, { 5, 5, 4 } }, { 555, { 5, 5, 4 } },
};

static struct status status_of_code(uint16_t code)
{
	for (size_t i = 0; i < ARRAY_LEN(bare_codes); i++)
		if (bare_codes[i].code == code)
			return bare_codes[i].status;
	return STATUS(code / 100, 0, 0);
}

void reply_verdict(const struct reply *re, struct verdict *ret)
{
	static const uint8_t kinds[10] = {
		[2] = VERDICT_DELIVERED, [4] = VERDICT_DEFERRED, [5] = VERDICT_BOUNCED
	};
	unsigned class = re->code / 100U;
	struct slice text;
	struct status ignored;
	size_t pos = 0;

	ret->kind = (enum verdict_kind)kinds[class % 10];
	ret->code = re->code;
	ret->site = re->code == 421;
	ret->status = status_given(re->status) ? re->status : status_of_code(re->code);
	ret->text_n = 0;
	while (reply_line(re, &pos, &text)) {
		size_t n = enhanced_status(text, class, &ignored);

		while (n < text.n && is_blank(text.p[n]))
			n++;
		if (ret->text_n && n < text.n)
			verdict_add_text(ret, SLICE(" "));
		verdict_add_text(ret, slice_of(text.p + n, text.n - n));
	}
}
