/* control/campaigns/footer: bulk mail has a link that people see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "control/campaigns/footer.h"
#include "message/template.h"

#define FOOTER SLICE("Sender Ltd & Co\n1 Road")
#define LINK "<a href=\"{{unsubscribe_url}}\">Unsubscribe</a>"

static const struct template_field fields[] = { { .name = SLICE("unsubscribe_url") },
						{ .name = SLICE("vip") } };
static const struct template_env env = { .fields = fields, .n_fields = ARRAY_LEN(fields) };

static char *with_footer(bool html, const char *source, struct slice footer)
{
	struct buf out;
	char *text;

	buf_init(&out, 0);
	(html ? footer_put_html : footer_put_text)(&out, slice_str(source), footer);
	text = must_copy(buf_data(&out));
	buf_free(&out);
	return text;
}

/* The part compiles with its footer, and shows the link to those without any field. */
static char *shown(bool html, const char *source, struct slice footer)
{
	struct value_member members[] = {
		{ SLICE("unsubscribe_url"),
		  { .type = VALUE_STRING, .s = SLICE("https://u.example/x") } },
	};
	struct value map = { .type = VALUE_MAP, .count = 1, .members = members };
	char *part = with_footer(html, source, footer), *text;
	struct template_error error = { 0 };
	struct buf out;

	buf_init(&out, 0);
	if (template_render(html ? TEMPLATE_HTML : TEMPLATE_TEXT, slice_str(part), &env, &map, &out,
			    &error) < 0)
		fail_msg("%s: %s", part, error.text);
	text = must_copy(buf_data(&out));
	buf_free(&out);
	free(part);
	return text;
}

static void a_part_with_a_link_for_everybody_stays_as_it_is(void **state UNUSED)
{
	static const char *const html[] = {
		"<p>" LINK "</p>",
		"<a href=\"{{unsubscribe_url}}\"><img src=\"out.png\" alt=\"out\"></a>",
		"<a href=\"{{unsubscribe_url}}\"><b>out</b></a>",
		"<a href=\"{{unsubscribe_url}}\">{{unsubscribe_url}}</a>",
		"<a class='x' href='{{unsubscribe_url}}'>out</a></body></html>",
		"<A HREF=\"{{{unsubscribe_url}}}\">out</A>",
		("{{#unsubscribe_url}}<a href=\"{{.}}\">x</a><a href=\"{{unsubscribe_url}}\">o</a>"
		 "{{/unsubscribe_url}}"),
		"{{=<% %>=}}<a href=\"<% unsubscribe_url %>\">out</a>",
		"",
	};
	static const char *const text[] = { "Out: {{unsubscribe_url}}", "{{& unsubscribe_url }}",
					    "" };

	for (size_t i = 0; i < ARRAY_LEN(html); i++) {
		char *out = with_footer(true, html[i], FOOTER);
		assert_string_equal(out, html[i]);
		free(out);
	}
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		char *out = with_footer(false, text[i], FOOTER);
		assert_string_equal(out, text[i]);
		free(out);
	}
}

static void a_part_without_a_link_for_everybody_gets_the_footer(void **state UNUSED)
{
	static const char *const html[] = {
		"<p>Hello</p>",
		"<p>Hello</p></body></html>",
		"<p>Hello</p></BODY >",
		"<!-- " LINK " -->",
		"<!--[if mso]>" LINK "<![endif]-->",
		"{{#vip}}" LINK "{{/vip}}",
		"{{^unsubscribe_url}}" LINK "{{/unsubscribe_url}}",
		"<p>{{unsubscribe_url}}</p>",
		"<img src=\"{{unsubscribe_url}}\">",
		"<a href=\"{{unsubscribe_url}}\"></a><p>Hello</p>",
		"<a href=\"{{unsubscribe_url}}\"> <b>\n</b></a>Hello",
		"<a href=\"{{unsubscribe_url}}\"><!-- out --></a>",
		"<a href=\"{{unsubscribe_url}}\"><!--[if mso]>out<![endif]--></a>",
		"<a href=\"{{unsubscribe_url}}\">{{#vip}}out{{/vip}}</a>",
		"<p title=\"</body>\">x</p>",
		"<!-- </body> --><p>x</p>",
		"{{=<% %>=}}<p>x</p>",
	};
	static const char *const text[] = {
		"Hello",
		"{{#vip}}{{unsubscribe_url}}{{/vip}}",
		"{{! unsubscribe_url }}x",
		"{{=| |=}}x",
	};

	for (size_t i = 0; i < ARRAY_LEN(html); i++) {
		char *out = shown(true, html[i], FOOTER);
		const char *link = strstr(out, "<a href=\"https://u.example/x\">Unsubscribe</a>");

		if (!link || !strstr(out, "Sender Ltd &amp; Co<br>\n1 Road<br>\n"))
			fail_msg("%s\nbecomes\n%s", html[i], out);
		free(out);
	}
	for (size_t i = 0; i < ARRAY_LEN(text); i++) {
		char *out = shown(false, text[i], FOOTER);

		if (!strstr(out, "\n\n-- \nSender Ltd & Co\n1 Road\n\n"
				 "Unsubscribe: https://u.example/x\n"))
			fail_msg("%s\nbecomes\n%s", text[i], out);
		free(out);
	}
}

static void it_stands_before_the_end_of_the_body(void **state UNUSED)
{
	char *out = shown(true, "<body><p title='</body>'>x</p><!-- </body> -->y</body>\n</html>\n",
			  FOOTER);
	const char *end = strstr(out, "\n</div>\n</body>\n</html>\n");

	assert_non_null(end);
	assert_memory_equal(out, "<body><p title='</body>'>x</p><!-- </body> -->y<div ", 52);
	free(out);
}

static void the_footer_is_text_and_may_name_the_place_of_the_link(void **state UNUSED)
{
	char *out = shown(true, "x", SLICE("<b>{{vip}}</b> {{ unsubscribe_url }} {{{x"));

	assert_non_null(strstr(out, "&lt;b&gt;&#123;&#123;vip}}&lt;/b&gt; "
				    "<a href=\"https://u.example/x\">Unsubscribe</a> "
				    "&#123;&#123;&#123;x\n</div>"));
	free(out);
	out = shown(false, "x", SLICE("{{vip}} Leave: {{unsubscribe_url}} {{#x}}"));
	assert_non_null(strstr(out, "{ {vip}} Leave: https://u.example/x { {#x}}\n"));
	assert_null(strstr(out, "Unsubscribe:"));
	free(out);
}

static void an_empty_footer_changes_nothing(void **state UNUSED)
{
	char *out = with_footer(true, "<p>x</p>", SLICE(""));

	assert_string_equal(out, "<p>x</p>");
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_part_with_a_link_for_everybody_stays_as_it_is),
		cmocka_unit_test(a_part_without_a_link_for_everybody_gets_the_footer),
		cmocka_unit_test(it_stands_before_the_end_of_the_body),
		cmocka_unit_test(the_footer_is_text_and_may_name_the_place_of_the_link),
		cmocka_unit_test(an_empty_footer_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
