/* message/sanitise: what mail must not carry leaves, what it may carry stays byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "message/sanitise.h"
#include "tests/unit/message/parsed.h"

static char *sanitised(const char *html, struct sanitise_report *report)
{
	struct buf out;
	char *text;

	buf_init(&out, 0);
	assert_int_equal(sanitise_html(&out, slice_str(html), report), 0);
	text = must_copy(buf_data(&out));
	buf_free(&out);
	return text;
}

static void becomes(const char *html, const char *want)
{
	char *out = sanitised(html, NULL), *again = sanitised(out, NULL);

	if (strcmp(out, want) != 0)
		fail_msg("%s\nbecomes\n%s\nnot\n%s", html, out, want);
	assert_string_equal(again, out);
	free(again);
	free(out);
}

static void what_mail_is_made_of_stays_byte_for_byte(void **state UNUSED)
{
	static const char *const fine[] = {
		"<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "
		"\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n",
		"<html xmlns=\"http://www.w3.org/1999/xhtml\" "
		"xmlns:v=\"urn:schemas-microsoft-com:vml\" lang=en>",
		"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\" />",
		"<link href=\"https://fonts.example/css?family=A\" rel=\"stylesheet\">",
		"<style type=\"text/css\">@import url('https://fonts.example/a');\n"
		"a[x-apple-data-detectors] { color: inherit !important }\n"
		"v\\:* { behavior: url(#default#VML); display: inline-block }\n"
		"p { scroll-behavior: smooth; background: url(data:image/png;base64,AA==) "
		"}</style>",
		"<style><!-- td > p { color: red } --></style>",
		"<TABLE ALIGN=center BGCOLOR='#ffffff' cellpadding=0 background=bg.gif "
		"width=\"600\">",
		"<td "
		"style=\"mso-line-height-rule:exactly;background:url('https://a.example/b.png')\">",
		"<!--[if mso]><v:rect xmlns:v=\"urn:x\" fill=\"true\" style='width:600px'>"
		"<v:fill type=\"tile\" src=\"https://a.example/b.png\" color=\"#7bceeb\" />"
		"<v:textbox inset=\"0,0,0,0\"><![endif]--><p>x</p>"
		"<!--[if mso]></v:textbox></v:rect><![endif]-->",
		"<!--[if gte mso 9]><xml><o:OfficeDocumentSettings><o:AllowPNG/>"
		"<o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></"
		"xml><![endif]-->",
		"<!--[if mso]><noscript><xml><o:PixelsPerInch>96</o:PixelsPerInch></xml></noscript>"
		"<![endif]-->",
		"<!--[if !mso]><!--><p>x</p><!--<![endif]-->",
		"<!--[if !mso]><!-- --><p>x</p><!-- <![endif]-->",
		"<![if !mso]><p>x</p><![endif]>",
		"<!-- a <b> comment -- with dashes -->",
		"<a href=\"HTTPS://a.example/?a=1&amp;b=javascript:x\" target=_blank>x</a>",
		"<a href='mailto:a@b.example?subject=x'>m</a><a href=tel:+123>t</a><a "
		"href=\"#top\">",
		"<a href=\"/a:b\"><a href=\"?a:b\"><a href=\"a/b:c\"><a href=''><a name=top>",
		"<a href=\"*|UNSUB:http://x|*\">x</a>",
		"<img src=\"cid:logo@x\" alt=\"a > b\"><img src=data:image/gif;base64,R0lGOD>",
		"<img srcset=\"a.png 1x, https://a.example/b.png 2x\" src=a.png>",
		"<p>a < b, 1 <2 and <3; a && b; &lt;script&gt;</p>",
		"<td {{#x}}class=\"y\"{{/x}}{{^x}} nowrap{{/x}}>{{name}}</td>",
		"<a href=\"{{url}}\"><a href=\"{{#x}}https://a{{/x}}{{^x}}http://b{{/x}}/c:d\">",
		"<a href=\"https://{{host}}:8080/{{path}}?x={{x}}\">",
		"<p title=\"{{a}}\" style=\"color:{{color}};width:{{#w}}{{w}}{{/w}}px\">",
		"{{! a <script> in a comment }}<p>{{#a}}{{b}}{{/a}}</p>",
		"<br/><hr noshade><o:p>&nbsp;</o:p>",
		"<title>A < B & {{name}}</title>",
	};
	struct sanitise_report report;

	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		char *out = sanitised(fine[i], &report);

		if (strcmp(out, fine[i]) != 0 || report.total)
			fail_msg("%s\nbecomes\n%s\n%s", fine[i], out, report.findings[0].what);
		free(out);
	}
}

static void what_acts_leaves_and_the_rest_stays(void **state UNUSED)
{
	becomes("a<script>alert('</p>')</script>b", "ab");
	becomes("a<SCRIPT\nsrc=x></SCRIPT >b", "ab");
	becomes("a<script>x", "a");
	becomes("<p onclick=\"x\" class=a>y</p>", "<p  class=a>y</p>");
	becomes("<img src=x onerror=alert(1) alt=\"a\">", "<img src=x  alt=\"a\">");
	becomes("<img/src=x/onerror=y>", "<img/src=x/onerror=y>"); /* one value */
	becomes("<img/onerror=y src=x>", "<img/ src=x>");
	becomes("<a href=x onclick=\"y\"title=\"z\">k</a>", "<a href=x  title=\"z\">k</a>");
	becomes("<a href=\"javascript:alert(1)\">x</a>", "<a >x</a>");
	becomes("<a href=' jAvA\tscRipt:x'>x</a>", "<a >x</a>");
	becomes("<a href=\"java&#x73;cript&colon;x\">x</a>", "<a >x</a>");
	becomes("<a href=\"&#1;javascript:x\">x</a>", "<a >x</a>");
	becomes("<a href=\"java&Tab;script&#0058x\">x</a>", "<a >x</a>");
	becomes("<a href=\"data:text/html,x\">x</a>", "<a >x</a>");
	becomes("<a href=\"data:image/svg+xml,x\">x</a>", "<a >x</a>");
	becomes("<img src=\"data:text/html,x\">", "<img >");
	becomes("<a href=\"x-unknown:y\">x</a>", "<a >x</a>");
	becomes("<table background=\"vbscript:x\"><tr></table>", "<table ><tr></table>");
	becomes("<meta content=\"vbscript:x\">", "<meta >");
	becomes("<form action=x>a<input name=y>b<button>c</button></form>", "abc");
	becomes("<iframe src=x>a</iframe>b", "b");
	becomes("<object data=x><embed src=y>a</object>", "a");
	becomes("<base href=x><p>", "<p>");
	becomes("<meta http-equiv=\"Refresh\" content=\"0\"><meta name=a content=b>",
		"<meta name=a content=b>");
	becomes(
	    "<link rel=import href=x><link href=y><link rel=\"stylesheet\" href=\"javascript:x\">",
	    "<link rel=\"stylesheet\" >");
	becomes("<svg onload=x><g>t</g><script>y</script></svg>z", "tz");
	becomes("<math><mtext><style><img src=x onerror=y></style>",
		"<style><img src=x onerror=y></style>");
	becomes("<select><style><img src=x onerror=y></style></select>",
		"<style><img src=x onerror=y></style>");
	becomes("<noscript><p title=\"</noscript><img src=x onerror=y>\">",
		"<p title=\"</noscript><img src=x onerror=y>\">");
	becomes("<textarea></textarea><b onfocus=x>", "<b >");
	becomes("<p style=\"width:expression(x)\">", "<p >");
	becomes("<p style=\"width:exp/**/res\\73ion (x)\">", "<p >");
	becomes("<p style=\"-moz-binding:url(x)\"><p style='behavior:url(x.htc)'>", "<p ><p >");
	becomes("<p style=\"background:url(javascript:x)\">", "<p >");
	becomes("<style>@import 'javascript:x';</style>a", "a");
	becomes("<style>p{behavior:url(x.htc)}</style>a", "a");
	becomes("<style>p{", "");
	becomes("<!--[if mso]><script>x</script><v:rect onclick=x><![endif]-->",
		"<!--[if mso]><v:rect ><![endif]-->");
	becomes("<!--[if mso]><noscript><p title='</noscript><x>'><![endif]-->",
		"<!--[if mso]><noscript><p ><![endif]-->");
	becomes("<!--[if mso]>-<x>->", "");
	becomes("<!--[if IE <SCRIPT>]>x<![endif]-->", "");
	becomes("<!-- x", "");
	becomes("<p title=\"x", "");
	becomes("<?import namespace=x><![CDATA[x]]></ x>", "");
}

static void nothing_is_made_by_what_leaves(void **state UNUSED)
{
	becomes("<<x>script>alert(1)</script>", "&lt;script>alert(1)");
	becomes("<scr<script>ipt>alert(1)</script>", "ipt>alert(1)");
	becomes("<<script></script>img src=x onerror=y>", "&lt;img src=x onerror=y>");
	becomes("<{{#x}}{{/x}}script>", "&lt;{{#x}}{{/x}}script>");
	becomes("{<x>{#a}}<script>{{/a}}", "{{#a}}");
}

static void sections_and_values_make_nothing(void **state UNUSED)
{
	becomes("<a href=\"java{{#x}}y{{/x}}script:z\">", "<a >");
	becomes("<a href=\"{{#x}}javascript{{/x}}:z\">", "<a >");
	becomes("<a href=\"{{#x}}/{{/x}}javascript:z\">", "<a >");
	becomes("<a href=\"j{{x}}:z\">", "<a >");
	becomes("<a href=\"{{x}}{{y}}:z\">", "<a >");
	becomes("<a href=\"javascript&#{{x}};z\">", "<a >");
	becomes("<a href=\"javascript&col{{x}};z\">", "<a >");
	becomes("<p style=\"{{x}}:url(y)\">", "<p >");
	becomes("<p style=\"width:{{x}}(y)\">", "<p >");
	becomes("<p style=\"width:exp{{#x}}y{{/x}}ression(z)\">", "<p >");
	becomes("<b on{{#x}} {{/x}}click=y>", "");
	becomes("<b {{#x}}on{{/x}}click=y>", "");
	becomes("<b a{{#x}} {{/x}}=y>", "");
	becomes("<b {{#x}}onclick=\"y\"{{/x}} class=a>", "<b {{#x}}{{/x}} class=a>");
	becomes("<!-- -{{#x}}y{{/x}}-> <img src=x onerror=y> -->", "");
	becomes("<style></sty{{#x}}{{/x}}le><img src=x onerror=y></style>a", "a");
	becomes("<script>{{=| |=}}</script>|! <img src=x onerror=y> |", "|! <img src=x > |");
}

static void the_report_says_what_left_and_where(void **state UNUSED)
{
	struct sanitise_report report;
	char *out = sanitised("<p>\n\xc3\xa9<b onclick=x>y</b><script>z</script>"
			      "<a href=\"javascript:x\"></a>",
			      &report);

	free(out);
	assert_int_equal(report.total, 3);
	assert_int_equal(report.findings[0].line, 2);
	assert_int_equal(report.findings[0].column, 5);
	assert_string_equal(report.findings[0].what, "the attribute onclick");
	assert_string_equal(report.findings[1].what, "the element script");
	assert_string_equal(report.findings[2].what, "the value of the attribute href");
}

static void a_parser_finds_nothing_in_what_comes_out(void **state UNUSED)
{
	static const char *const vectors[] = {
		"<svg><p><style><g title=\"</style><img src onerror=alert(1)>\">",
		"<form><math><mtext></form><form><mglyph><style></math><img src onerror=x>",
		"<table><tr><td><a href=\"&#106;avascript:x\"></table>",
		"<title><style></title><img src=x onerror=x></style>",
		"<style><title></style><img src=x onerror=x></title>",
		"<!--><img src=x onerror=x>-->",
		"<!---><img src=x onerror=x>-->",
		"<!-- --!><img src=x onerror=x>-->",
		"<![CDATA[<!--]]><img src=x onerror=x>-->",
		"<!DOCTYPE x [<!ENTITY a \"<img src=x onerror=x>\">]>",
		"<a href=\"x\" title=`\"onclick=x//`>",
		"<img \"\"\"><script>alert(1)</script>\">",
		"<img src=`x` onerror=x>",
		"<input onfocus=x autofocus><keygen><isindex>",
		"<image src=x onerror=x><video><source onerror=x></video>",
		"<body onload=x><html onclick=x><frameset onload=x>",
		("<a\x0c"
		 "href=\"javascript:x\">"),
		"<xmp><p title=\"</xmp><script>x</script>\">",
		"<plaintext><script>x</script>",
		"<noembed><style></noembed><script>x</script></style>",
		"<template><script>x</script></template>",
		"<details open ontoggle=x><summary>y</summary></details>",
		"<a href=\"\x01javascript:x\">",
		"<a href=\"jav\nascript:x\">",
		"<div style=\"background-image:url(javascript:x)\">",
		"<script>/*<!--<script></script>*/x</script>-->",
		"<v:vmlframe src=\"javascript:x\">",
		"<a xlink:href=\"javascript:x\">",
		"<link rel=stylesheet href=data:text/css,x>",
		"<p title='a\"onclick=x'>",
		"<p a=b\"c onclick=x>",
		"<p/onclick=x>",
	};

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		char *out = sanitised(vectors[i], NULL);
		const char *bad = parsed_find_bad(slice_str(out));

		if (bad)
			fail_msg("%s\nbecomes\n%s\n%s", vectors[i], out, bad);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_mail_is_made_of_stays_byte_for_byte),
		cmocka_unit_test(what_acts_leaves_and_the_rest_stays),
		cmocka_unit_test(nothing_is_made_by_what_leaves),
		cmocka_unit_test(sections_and_values_make_nothing),
		cmocka_unit_test(the_report_says_what_left_and_where),
		cmocka_unit_test(a_parser_finds_nothing_in_what_comes_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
