/* spool/cli/style.c - formats, widths and colours. */
#include "spool/cli/style.h"

#include <locale.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/encode.h"
#include "spool/cli/cli.h"

enum { NARROWEST = 40, WIDEST = 1000 };

struct style style;

static const char *const formats[] = { "table", "wide", "json", "ndjson", "yaml" };

static int take_format(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (strcmp(name, formats[i]) == 0) {
			style.format = (enum format)i;
			style.chosen = true;
			return EXIT_DONE;
		}
	}
	(void)fprintf(stderr, "postern: -o takes table, wide, json, ndjson or yaml, not \"%s\"\n",
		      name);
	return EXIT_BAD_USAGE;
}

static int take_fields(const char *text)
{
	struct slice rest = slice_str(text), one;

	while (rest.n) {
		if (!slice_cut(rest, ',', &one, &rest)) {
			one = rest;
			rest = slice_of("", 0);
		}
		one = slice_trim(one);
		if (!one.n || style.n_fields == FIELDS_MAX) {
			(void)fprintf(stderr,
				      "postern: --fields takes up to %d names, as in "
				      "--fields domain,queued\n",
				      FIELDS_MAX);
			return EXIT_BAD_USAGE;
		}
		style.fields[style.n_fields++] = one;
	}
	return EXIT_DONE;
}

static unsigned screen_width(bool terminal)
{
	struct winsize size;
	uint64_t columns = 0;

	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
		columns = size.ws_col;
	else if (slice_u64(slice_str(getenv("COLUMNS")), WIDEST, &columns) < 0 || !columns)
		columns = SCREEN_USUAL;
	return (unsigned)MIN_OF(MAX_OF(columns, (uint64_t)NARROWEST), (uint64_t)WIDEST);
}

int style_begin(const char *output, bool json, const char *fields)
{
	const bool terminal = isatty(STDOUT_FILENO) == 1;
	const char *plain = getenv("NO_COLOR");
	int r = EXIT_DONE;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	style = (struct style){ .format = terminal ? FORMAT_TABLE : FORMAT_JSON };
	if (output)
		r = take_format(output);
	else if (json)
		r = take_format("json");
	if (r == EXIT_DONE && fields)
		r = take_fields(fields);
	style.colour = terminal && !(plain && *plain);
	style.width = style.format == FORMAT_WIDE ? 0 : screen_width(terminal);
	return r;
}

/* Bytes and columns of the first character; a broken one is a byte and a column. */
static size_t measure(struct slice s, unsigned *ret_columns)
{
	size_t n = utf8_length(s);
	int wide = n ? wcwidth((wchar_t)utf8_code_point(s)) : 1;

	*ret_columns = wide < 0 ? 1 : (unsigned)wide;
	return MAX_OF(n, (size_t)1);
}

unsigned style_columns(struct slice s)
{
	unsigned all = 0, one;

	for (; s.n; all += one)
		s = slice_skip(s, measure(s, &one));
	return all;
}

struct slice style_cut(struct slice s, unsigned columns)
{
	size_t at = 0;
	unsigned used = 0, one;

	while (at < s.n) {
		size_t n = measure(slice_skip(s, at), &one);
		if (used + one > columns)
			break;
		used += one;
		at += n;
	}
	return slice_of(s.p, at);
}

struct slice style_next_line(struct slice *rest, unsigned columns)
{
	struct slice part = style_cut(*rest, MAX_OF(columns, (unsigned)1)), words, unused;

	if (part.n < rest->n && slice_cut_last(part, ' ', &words, &unused) && words.n)
		part = words;
	if (!part.n && rest->n) /* a character that is wider than the line */
		part = slice_of(rest->p, MAX_OF(utf8_length(*rest), (size_t)1));
	*rest = slice_skip(*rest, part.n);
	while (rest->n && rest->p[0] == ' ')
		*rest = slice_skip(*rest, 1);
	return part;
}

const char *style_of_word(struct slice word)
{
	static const struct {
		const char *word, *colour;
	} words[] = {
		{ "working", "32" },   { "delivered", "32" }, { "ok", "32" },
		{ "held", "33" },      { "deferred", "33" },  { "draining", "33" },
		{ "disabled", "33" },  { "failing", "31" },   { "suspended", "31" },
		{ "bounced", "31" },   { "expired", "31" },   { "damaged", "31" },
		{ "cancelled", "33" }, { "no source", "31" },
	};
	static char sequence[16];

	for (size_t i = 0; style.colour && i < ARRAY_LEN(words); i++) {
		if (slice_eq(word, slice_str(words[i].word))) {
			(void)snprintf(sequence, sizeof(sequence), "\033[%sm", words[i].colour);
			return sequence;
		}
	}
	return "";
}

const char *style_heading(void)
{
	return style.colour ? "\033[1m" : "";
}

const char *style_plain(void)
{
	return style.colour ? "\033[0m" : "";
}
