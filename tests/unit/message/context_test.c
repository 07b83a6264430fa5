/* Where a slot stands decides how its value is written; rows are template, value, result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "message/template.h"

static int render(enum template_part part, const char *source, struct slice value, struct buf *out,
		  struct template_error *error)
{
	const struct value_member members[] = {
		{ SLICE("x"), { .type = VALUE_STRING, .s = value } },
		{ SLICE("yes"), { .type = VALUE_BOOL, .b = true } },
		{ SLICE("no"), { .type = VALUE_BOOL, .b = false } },
	};
	const struct value map = { .type = VALUE_MAP, .count = 3, .members = members };
	const struct template_env env = { .any_field = true };

	buf_init(out, 0);
	return template_render(part, slice_str(source), &env, &map, out, error);
}

struct row {
	const char *source;
	struct slice value;
	const char *want;
};
#define V(lit)                                                                                     \
	{                                                                                          \
		lit, sizeof(lit) - 1                                                               \
	}
#define EVIL V("\"><script>'&")

static void rows_hold(enum template_part part, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct template_error e = { 0 };
		struct buf out;
		int r = render(part, rows[i].source, rows[i].value, &out, &e);
		if (r < 0 || strcmp(buf_cstr(&out), rows[i].want) != 0)
			fail_msg("row %zu %s: %s got %s", i, rows[i].source, e.text,
				 buf_cstr(&out));
		buf_free(&out);
	}
}

/* clang-format off */
static const struct row html[] = {
	{"<p>{{x}}</p>", EVIL, "<p>&quot;&gt;&lt;script&gt;&#39;&amp;</p>"},
	{"{{x}}", V("a\r\nb\tc\x01\x7f\0d"), "a\nb\tcd"},
	{"<p>{{{x}}}</p>{{&x}}", V("<b>&amp;</b>"), "<p><b>&amp;</b></p><b>&amp;</b>"},
	{"{{{x}}}", V("a\0\x1b[b\xff"), "a[b\xef\xbf\xbd"},
	{"<title>{{x}}</title><p>{{x}}", EVIL, "<title>&quot;&gt;&lt;script&gt;&#39;&amp;</title><p>&quot;&gt;&lt;script&gt;&#39;&amp;"},
	{"<textarea>a<b {{x}}</textarea>", V("</textarea>"), "<textarea>a<b &lt;/textarea&gt;</textarea>"},
	{"<!-- {{x}} -->", V("--><script>"), "<!-- --&gt;&lt;script&gt; -->"},
	{"<p title=\"{{x}}\">", EVIL, "<p title=\"&quot;&gt;&lt;script&gt;&#39;&amp;\">"},
	{"<p title='a {{x}}'>", V("'b\r\n\tc"), "<p title='a &#39;b&#13;&#10;&#9;c'>"},
	{"<p title = \"{{x}}\" >", V("a"), "<p title = \"a\" >"},
	{"<P TITLE=\"{{x}}\">", V("a"), "<P TITLE=\"a\">"},
	{"<a href=\"{{x}}\">", V("https://a.example/?b=1&c=2#d"), "<a href=\"https://a.example/?b=1&amp;c=2#d\">"},
	{"<a href=\"{{x}}\">", V("HTTP://a.example/"), "<a href=\"HTTP://a.example/\">"},
	{"<a href=\"{{x}}\">", V("mailto:a@b.example"), "<a href=\"mailto:a@b.example\">"},
	{"<a href=\"{{x}}\">", V("javascript:alert(1)"), "<a href=\"#\">"},
	{"<a href=\"{{x}}\">", V(" \tjava\tscript:alert(1)"), "<a href=\"#\">"},
	{"<a href=\"{{x}}\">", V("data:text/html,x"), "<a href=\"#\">"},
	{"<a href=\"{{x}}\">", V("//a.example"), "<a href=\"#\">"},
	{"<a href=\"{{x}}\">", V(""), "<a href=\"#\">"},
	{"<a href=\"{{x}}\">", V("https:"), "<a href=\"#\">"},
	{"<a href='{{x}}'>", V("https://a/'\"<> \\^`{|}\n\xc3\xb6"), "<a href='https://a/%27%22%3C%3E%20%5C%5E%60%7B%7C%7D%0A%C3%B6'>"},
	{"<a HREF=\" {{x}}\">", V("javascript:x"), "<a HREF=\" #\">"},
	{"<a href=\"{{x}}/path?q={{x}}\">", V("https://a"), "<a href=\"https://a/path?q=https%3A%2F%2Fa\">"},
	{"<a href=\"https://a/?q={{x}}\">", V("b c&d=e/\"'<\xc3\xb6~_-."), "<a href=\"https://a/?q=b%20c%26d%3De%2F%22%27%3C%C3%B6~_-.\">"},
	{"<img src=\"{{x}}\"><td background=\"{{x}}\"><form action=\"{{x}}\">", V("x:y"), "<img src=\"#\"><td background=\"#\"><form action=\"#\">"},
	{"<p style=\"color: {{x}}; a\">", V("red"), "<p style=\"color: red; a\">"},
	{"<p style=\"color: {{x}}\">", V("#Ff0 1.5%,-"), "<p style=\"color: #Ff0 1.5%,-\">"},
	{"<p style='{{x}}'>", V("red;background:url('//e')/*\\\xc3\xb6\n*/"), "<p style='redbackgroundurle'>"},
	{"<a href=\"{{#yes}}{{x}}{{/yes}}{{^yes}}https://b/{{/yes}}\">", V("https://a"), "<a href=\"https://a\">"},
	{"<a href=\"{{#no}}https://b/{{/no}}{{x}}\">", V("javascript:x"), "<a href=\"#\">"},
	{"<p {{#yes}}title=\"{{x}}\"{{/yes}} class=\"c\">", V("a"), "<p title=\"a\" class=\"c\">"},
	{"<input {{#yes}}checked{{/yes}} >", V(""), "<input checked >"},
	{"{{#yes}}<p>{{x}}</p>{{/yes}}{{#no}}<b>{{/no}}", V("<"), "<p>&lt;</p>"},
	{"a < b {{x}} <3 {{x}} & {{x}}", V("<"), "a < b &lt; <3 &lt; & &lt;"},
	{"<!DOCTYPE html><html>{{x}}", V("<"), "<!DOCTYPE html><html>&lt;"},
	{"<style>p{color:red}</style>{{x}}", V("<"), "<style>p{color:red}</style>&lt;"},
	{"<STYLE><b></styles></STYLE >{{x}}", V("<"), "<STYLE><b></styles></STYLE >&lt;"},
	{"<script>'</p>'</script>{{x}}", V("<"), "<script>'</p>'</script>&lt;"},
	{"<!-- <p title=\" -->{{x}}", V("<"), "<!-- <p title=\" -->&lt;"},
	{"<!--> {{x}}", V("<"), "<!--> &lt;"},
	{"<!--[if mso]><td width=\"{{x}}\">{{x}} <![endif]-->", V("\"<-->"), "<!--[if mso]><td width=\"&quot;&lt;--&gt;\">&quot;&lt;--&gt; <![endif]-->"},
	{"<!--[if mso]><p><![endif]-->{{{x}}}", V("<b>"), "<!--[if mso]><p><![endif]--><b>"},
	{"<!--[if !mso]><!--><p>{{{x}}}</p><!--<![endif]-->{{{x}}}", V("<b>"), "<!--[if !mso]><!--><p><b></p><!--<![endif]--><b>"},
	{"<a href=\"x\"title=\"{{x}}\"/>{{x}}", V("'"), "<a href=\"x\"title=\"&#39;\"/>&#39;"},
	{"</p x=\"{{x}}\">", V("\""), "</p x=\"&quot;\">"},
	{"{{x}}", V("\xed\xa0\x80\xc3"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	{"<p data-averylongattributename=\"{{x}}\">", V("\""), "<p data-averylongattributename=\"&quot;\">"},
	{"{{email}}.", V(""), "."},
	{"<?xml v?>{{x}}", V("<"), "<?xml v?>&lt;"},
	{"</>{{x}}", V("<"), "</>&lt;"},
	{"</ p>{{x}}", V("<"), "</ p>&lt;"},
	{"<p a/b c='{{x}}'>", V("'"), "<p a/b c='&#39;'>"},
	{"<p a\t=\n'{{x}}'>", V("'"), "<p a\t=\n'&#39;'>"},
	{"<p a b\nc>{{x}}", V("<"), "<p a b\nc>&lt;"},
	{"<input x=>{{x}}", V("<"), "<input x=>&lt;"},
	{"<input x=a>{{x}}<input x=a y='{{x}}'>", V("<"), "<input x=a>&lt;<input x=a y='&lt;'>"},
	{"<!-- a --!>{{x}}", V("<"), "<!-- a --!>&lt;"},
	{"<!-- a -!> -->{{x}}", V("<"), "<!-- a -!> -->&lt;"},
	{"<!->{{x}}", V("<"), "<!->&lt;"},
	{"<!-x>{{x}}", V("<"), "<!-x>&lt;"},
	{"<title>a</title/>{{x}}", V("<"), "<title>a</title/>&lt;"},
	{"<title>a</title\t>{{x}}", V("<"), "<title>a</title\t>&lt;"},
	{"<title>a<<//title></title></title>{{x}}", V("<"), "<title>a<<//title></title></title>&lt;"},
	{"<<<p>{{x}}", V("<"), "<<<p>&lt;"},
};
static const struct row text[] = {
	{"Hi {{x}}!", V("<a> & \"b\""), "Hi <a> & \"b\"!"},
	{"Hi {{{x}}}!", V("<a>"), "Hi <a>!"},
	{"{{x}}", V("a\rb\r\nc\n\0\x07"), "a\nb\nc\n"},
};
static const struct row subject[] = {
	{"Hi {{x}}!", V("a\r\nBcc: b\t\x01 c"), "Hi a Bcc: b  c!"},
	{"\xc3\xb6 {{x}}", V("\xff"), "\xc3\xb6 \xef\xbf\xbd"},
};
static const struct row url[] = {
	{"{{x}}", V("https://a/b c"), "https://a/b%20c"},
	{"{{x}}", V("javascript:a"), ""},
	{"https://u.example/{{x}}?y={{x}}", V("a/b&c"), "https://u.example/a%2Fb%26c?y=a%2Fb%26c"},
};

static const struct {
	const char *source, *why;
	unsigned line, column;
} refusals[] = {
	{"{{=<% =}}", "two words", 1, 1},
	{"{{= =}}", "two words", 1, 1},
	{"{{=a=b c=}}", "two words", 1, 1},
	{"{{=a b=c=}}", "two words", 1, 1},
	{"{{=a b c=}}", "two words", 1, 1},
	{"{{=12345678901234567890 b=}}", "two words", 1, 1},
	{"{{=a 12345678901234567890=}}", "two words", 1, 1},
	{"{{=a b}}", "not closed", 1, 1},
	{"{{ a/b }}", "a name may have", 1, 1},
	{"{{ a[b }}", "a name may have", 1, 1},
	{"{{ a:b }}", "a name may have", 1, 1},
	{"{{ .a }}", "a name may have", 1, 1},
	{"{{ a..b }}", "a name may have", 1, 1},
	{"{{ a. }}", "cannot end", 1, 1},
	{"{{ }}", "no name", 1, 1},
	{"{{", "not closed", 1, 1},
	{"<script>var a = '{{x}}'</script>", "<script>", 1, 18},
	{"<style>p{color:{{x}}}</style>", "<style>", 1, 16},
	{"<noscript>{{x}}", "<script>", 1, 11},
	{"<iframe>{{x}}", "<script>", 1, 9},
	{"<p title={{x}}>", "quotes", 1, 10},
	{"<p title=a{{x}}>", "quotes", 1, 11},
	{"<p {{x}}>", "outside of an attribute", 1, 4},
	{"<p {{x}}=\"a\">", "outside of an attribute", 1, 4},
	{"<p a{{x}}=\"a\">", "attribute's name", 1, 5},
	{"<p a {{x}}>", "outside of an attribute", 1, 6},
	{"<{{x}}>", "tag's name", 1, 2},
	{"</{{x}}>", "tag's name", 1, 3},
	{"<p{{x}}>", "tag's name", 1, 3},
	{"<!{{x}}>", "cannot stand here", 1, 3},
	{"<!DOCTYPE {{x}}>", "declaration", 1, 11},
	{"<p onclick=\"{{x}}\">", "this attribute", 1, 13},
	{"<p ONanything=\"{{x}}\">", "this attribute", 1, 16},
	{"<p onanimationiterationstart=\"{{x}}\">", "this attribute", 1, 31},
	{"<iframe srcdoc=\"{{x}}\">", "this attribute", 1, 17},
	{"<img srcset=\"{{x}}\">", "this attribute", 1, 14},
	{"<meta http-equiv=\"refresh\" content=\"0;url={{x}}\">", "this attribute", 1, 43},
	{"<p title=\"{{{x}}}\">", "unescaped", 1, 11},
	{"<a href=\"{{&x}}\">", "unescaped", 1, 10},
	{"<title>{{{x}}}", "unescaped", 1, 8},
	{"<!-- {{{x}}}", "unescaped", 1, 6},
	{"<!--[if mso]>{{{x}}}", "unescaped", 1, 14},
	{"<!--[if {{x}}]>", "condition", 1, 9},
	{"<!-- {{x}}-->", "end the comment", 1, 11},
	{"<!-- {{#yes}}{{x}}{{/yes}}> -->", "end the comment", 1, 27},
	{"{{#yes}}<p{{/yes}}>", "section must end", 1, 11},
	{"<p title=\"{{#yes}}\"{{/yes}}", "section must end", 1, 20},
	{"{{#yes}}<script>{{/yes}}{{x}}</script>", "section must end", 1, 17},
	{"{{#yes}}<!--{{/yes}}{{x}}-->", "section must end", 1, 13},
	{"<p{{#yes}} title=\"a\"{{/yes}}>", "section must end", 1, 21},
	{"<p {{#yes}}on{{/yes}}click=\"{{x}}\">", "this attribute", 1, 29},
	{"<p on{{#yes}}{{/yes}}click=\"{{x}}\">", "this attribute", 1, 29},
	{"a\n\xc3\xb6\xc3\xb6 {{", "not closed", 2, 4},
	{"a\n{{x", "not closed", 2, 1},
	{"{{{x}}", "not closed", 1, 1},
	{"{{=x}}", "not closed", 1, 1},
	{"{{= a =}}", "delimiters", 1, 1},
	{"{{= a b c =}}", "delimiters", 1, 1},
	{"{{}}", "no name", 1, 1},
	{"{{ a b }}", "a name may have", 1, 1},
	{"{{a..b}}", "a name may have", 1, 1},
	{"{{a.}}", "cannot end", 1, 1},
	{"{{.a}}", "a name may have", 1, 1},
	{"{{a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q}}", "too many parts", 1, 1},
	{"{{#a}}", "not closed: \"a\"", 1, 1},
	{"x{{/a}}", "no section is open", 1, 2},
	{"{{#a}}{{/b}}", "to be closed here is \"a\"", 1, 7},
	{"{{>a}}", "no partials", 1, 1},
	{"a\xff", "UTF-8", 1, 2},
	{"a\x01", "control", 1, 2},
};
/* clang-format on */

static void html_slots_are_escaped_for_their_place(void **state)
{
	(void)state;
	rows_hold(TEMPLATE_HTML, html, ARRAY_LEN(html));
}

static void text_subject_and_url_take_values_their_own_way(void **state)
{
	(void)state;
	rows_hold(TEMPLATE_TEXT, text, ARRAY_LEN(text));
	rows_hold(TEMPLATE_SUBJECT, subject, ARRAY_LEN(subject));
	rows_hold(TEMPLATE_URL, url, ARRAY_LEN(url));
}

static void faults_are_told_with_their_line_and_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct template_error e = { 0 };
		struct buf out;
		int r = render(TEMPLATE_HTML, refusals[i].source, SLICE(""), &out, &e);
		if (r >= 0 || !strstr(e.text, refusals[i].why) || e.line != refusals[i].line ||
		    e.column != refusals[i].column)
			fail_msg("row %zu %s: %d %u:%u %s", i, refusals[i].source, r, e.line,
				 e.column, e.text);
		buf_free(&out);
	}
}

static const struct template_field known[] = {
	{ .name = SLICE("first_name") },
	{ .name = SLICE("orders"), .tree = true },
	{ .name = SLICE("teaser"), .html = true },
	{ .name = SLICE("rows"), .tree = true, .html = true },
};
static const struct template_env contacts = { .fields = known, .n_fields = ARRAY_LEN(known) };

static int check(const char *html_source, struct template_error *e)
{
	const struct template_source s = { SLICE("x"), slice_str(html_source), { 0 } };

	return template_check(&s, &contacts, e);
}

static void only_known_fields_are_taken_and_entries_of_trees(void **state)
{
	static const char *const good[] = {
		"{{first_name}} {{email}}",
		"{{#first_name}}{{first_name}}{{.}}{{/first_name}}",
		"{{#orders}}{{title}} {{item.price}}{{#parts}}{{n}}{{/parts}}{{/orders}}",
		"{{orders.first.title}}",
		"{{^orders}}{{first_name}}{{/orders}}",
	};
	static const struct {
		const char *source, *why;
		unsigned column;
	} bad[] = {
		{ "{{last_name}}", "no field \"last_name\"", 1 },
		{ "<p>{{#vip}}x{{/vip}}", "no field \"vip\"", 4 },
		{ "{{#first_name}}{{nick}}{{/first_name}}", "no field \"nick\"", 16 },
		{ "{{^orders}}{{title}}{{/orders}}", "no field \"title\"", 12 },
		{ "{{first_name.length}}", "no parts: \"first_name\"", 1 },
	};
	struct template_error e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (check(good[i], &e) != 0)
			fail_msg("%s: %s", good[i], e.text);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_int_equal(check(bad[i].source, &e), E_SYNTAX);
		if (!strstr(e.text, bad[i].why) || e.column != bad[i].column ||
		    e.part != TEMPLATE_HTML)
			fail_msg("%s: %u %s", bad[i].source, e.column, e.text);
	}
}

static void only_what_is_html_by_declaration_stands_unescaped(void **state UNUSED)
{
	static const char *const good[] = {
		"{{{teaser}}}{{&teaser}}",
		"{{#teaser}}{{{.}}}{{/teaser}}",
		"{{#rows}}{{{title}}}{{/rows}}{{{rows.a}}}",
	};
	static const char *const bad[] = {
		"{{{first_name}}}",
		"{{& first_name}}",
		"{{{email}}}",
		"{{#first_name}}{{{.}}}{{/first_name}}",
		"{{#orders}}{{{title}}}{{/orders}}",
		"{{#orders}}{{{.}}}{{/orders}}",
		"{{#rows}}{{{first_name}}}{{{email}}}{{/rows}}",
		"{{#teaser}}{{{email}}}{{/teaser}}",
		"{{=| |=}}|{first_name}|",
	};
	static const struct value_member members[] = {
		{ SLICE("first_name"), { .type = VALUE_STRING, .s = SLICE("<b>") } },
	};
	const struct value map = { .type = VALUE_MAP, .count = 1, .members = members };
	struct template_env older = contacts;
	struct template_error e;
	struct buf out;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		if (check(good[i], &e) != 0)
			fail_msg("%s: %s", good[i], e.text);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (check(bad[i], &e) != E_SYNTAX || !strstr(e.text, "is no HTML"))
			fail_msg("%s: %s", bad[i], e.text);
	older.raw_escaped = true;
	buf_init(&out, 0);
	assert_int_equal(template_render(TEMPLATE_HTML,
					 SLICE("{{{first_name}}}{{#first_name}}{{{.}}}"
					       "{{/first_name}}"),
					 &older, &map, &out, &e),
			 0);
	assert_string_equal(buf_cstr(&out), "&lt;b&gt;&lt;b&gt;");
	buf_free(&out);
}

static void fields_are_listed_once_in_order_of_use(void **state)
{
	const struct template_source s = { SLICE("{{b}}{{email}}"), SLICE("{{c}}{{b}}"),
					   SLICE("{{a.x}}{{#b}}{{c}}{{/b}}") };
	const struct template_env env = { .any_field = true };
	struct template_error e;
	struct slice names[2];

	(void)state;
	assert_int_equal(template_fields(&s, &env, names, 2, &e), 3);
	assert_true(slice_eq(names[0], SLICE("b")));
	assert_true(slice_eq(names[1], SLICE("a")));
}

/* What editors and MJML write: Outlook's comments, styles, loops over table rows. */
static const char page[] =
    "<!doctype html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:v=\"urn:v\">\n"
    "<head><title>{{first_name}}</title>\n"
    "<!--[if !mso]><!--><meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\"><!--<![endif]-->\n"
    "<style type=\"text/css\">\n@media (max-width:480px) { .a { width:100%!important } "
    "}\n</style>\n"
    "<!--[if "
    "mso]><noscript><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml></noscript><![endif]-->\n"
    "<!--[if lte mso 11]><style type=\"text/css\">.x { width:100% }</style><![endif]-->\n"
    "</head>\n<body style=\"margin:0;background:{{first_name}}\">\n"
    "<div style='display:none'>{{first_name}} &zwnj;&nbsp;</div>\n"
    "<!--[if mso | IE]><table width=\"600\"><tr><td style=\"line-height:0px\"><![endif]-->\n"
    "<table role=\"presentation\" border=0 cellpadding=0>\n"
    "{{#orders}}\n<tr{{! a row }}><td align=\"left\" "
    "{{#gift}}class=\"gift\"{{/gift}}>{{title}}</td>\n"
    "<td><a href=\"https://shop.example/o/{{id}}\" "
    "target=\"_blank\">{{price}}</a></td></tr>\n{{/orders}}\n"
    "{{^orders}}<tr><td>None, {{first_name}}.</td></tr>{{/orders}}\n</table>\n"
    "<!--[if mso]><v:roundrect href=\"{{email}}\" "
    "fillcolor=\"#123456\"><center>{{first_name}}</center>"
    "</v:roundrect><![endif]-->\n<img src=\"{{first_name}}\" alt=\"\"/><br/>5 < 6 && 7 > 2\n"
    "<!-- footer: {{first_name}} --><a href='{{first_name}}'>x</a>{{{teaser}}}</body></html>\n";

static void a_page_as_editors_make_it_is_taken(void **state)
{
	struct template_error e = { 0 };

	(void)state;
	if (check(page, &e) != 0)
		fail_msg("%u:%u %s", e.line, e.column, e.text);
}

static void repeat(struct buf *b, const char *what, unsigned n)
{
	buf_init(b, 0);
	for (unsigned i = 0; i < n; i++)
		buf_put(b, slice_str(what));
}

static void limits_are_told_and_kept(void **state)
{
	static const struct {
		const char *what;
		unsigned n;
		const char *why;
	} rows[] = {
		{ "{{#a}}", TEMPLATE_DEPTH_MAX + 1, "too deep" },
		{ "{{a}}", TEMPLATE_TAGS_MAX + 1, "too many tags" },
		{ "0123456789abcdef", TEMPLATE_SOURCE_MAX / 16 + 1, "too large" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct template_error e;
		struct buf source, out;
		repeat(&source, rows[i].what, rows[i].n);
		assert_int_equal(render(TEMPLATE_HTML, buf_cstr(&source), SLICE(""), &out, &e),
				 E_LIMIT);
		assert_non_null(strstr(e.text, rows[i].why));
		buf_free(&out);
		buf_free(&source);
	}
}

static int self(void *arg, struct slice name, struct slice *ret)
{
	(void)name;
	*ret = slice_str(arg);
	return 0;
}

static void partials_that_never_end_are_limits_not_crashes(void **state)
{
	static char *const sources[] = { "{{>a}}", "{{>a}}{{>a}}", "  {{>a}}\n" };
	const struct value none = { .type = VALUE_MAP };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		const struct template_env env = { .any_field = true,
						  .partial = self,
						  .partial_arg = sources[i] };
		struct template_error e;
		struct buf out;
		buf_init(&out, 0);
		assert_int_equal(
		    template_render(TEMPLATE_TEXT, SLICE("{{>a}}"), &env, &none, &out, &e),
		    E_LIMIT);
		assert_int_equal(buf_len(&out), 0);
		buf_free(&out);
	}
}

static void a_partial_is_held_to_the_place_where_it_stands(void **state)
{
	static const struct {
		char *partial;
		const char *source, *want; /* want NULL: refused */
	} rows[] = {
		{ "{{x}}", "<a href=\"{{>p}}\">", "<a href=\"#\">" },
		{ "{{x}}", "<p>{{>p}}</p>", "<p>&lt;</p>" },
		{ "{{x}}", "<p {{>p}}>", NULL },
		{ "{{x}}", "<script>{{>p}}</script>", NULL },
		{ "<script>", "{{>p}}{{x}}", NULL },
		{ "\"", "<a title=\"{{>p}}\">", NULL },
	};
	const struct value_member x = { SLICE("x"), { .type = VALUE_STRING, .s = SLICE("<") } };
	const struct value map = { .type = VALUE_MAP, .count = 1, .members = &x };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct template_env env = { .any_field = true,
						  .partial = self,
						  .partial_arg = rows[i].partial };
		struct template_error e = { 0 };
		struct buf out;
		int r;
		buf_init(&out, 0);
		r = template_render(TEMPLATE_HTML, slice_str(rows[i].source), &env, &map, &out, &e);
		if ((r == 0) != (rows[i].want != NULL))
			fail_msg("%zu: %d %s", i, r, e.text);
		if (r == 0)
			assert_string_equal(buf_cstr(&out), rows[i].want);
		buf_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(html_slots_are_escaped_for_their_place),
		cmocka_unit_test(text_subject_and_url_take_values_their_own_way),
		cmocka_unit_test(faults_are_told_with_their_line_and_column),
		cmocka_unit_test(only_known_fields_are_taken_and_entries_of_trees),
		cmocka_unit_test(only_what_is_html_by_declaration_stands_unescaped),
		cmocka_unit_test(fields_are_listed_once_in_order_of_use),
		cmocka_unit_test(a_page_as_editors_make_it_is_taken),
		cmocka_unit_test(limits_are_told_and_kept),
		cmocka_unit_test(partials_that_never_end_are_limits_not_crashes),
		cmocka_unit_test(a_partial_is_held_to_the_place_where_it_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
