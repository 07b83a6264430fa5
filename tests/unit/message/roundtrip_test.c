/* What we compose, read by somebody else's parsers: Python's email package must see the subject,
 * the text and the HTML that the values and the template mean, and the headers as they are; its
 * HTML parser must see the same elements and attributes whatever the values are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/encode.h"
#include "message/compose.h"
#include "message/program.h"

/* Reads lines "message subject text html" in hex; says the first difference. */
static const char reader[] =
    "import sys, email, email.policy\n"
    "bad = n = 0\n"
    "for line in open(sys.argv[1]):\n"
    "    raw, subject, text, html = [bytes.fromhex(x.strip('-')) for x in line.split()]\n"
    "    m = email.message_from_bytes(raw, policy=email.policy.SMTP)\n"
    "    got = (m['Subject'] or '', m.get_body(('plain',)).get_content(),\n"
    "           m.get_body(('html',)).get_content())\n"
    "    want = (subject.decode(), text.decode(), html.decode())\n"
    "    got = tuple(x.replace('\\r\\n', '\\n') for x in got)\n"
    "    n += 1\n"
    "    if got != want or m.defects or m['From'].addresses[0].addr_spec != 'news@sender.example' "
    "\\\n"
    "       or m['From'].addresses[0].display_name != 'J\\u00f6rg \\u4f8b' or len(m.keys()) != 7:\n"
    "        bad += 1\n"
    "        print('want', ascii(want), 'got', ascii(got), m.defects, m.keys())\n"
    "print(n, 'read')\n"
    "sys.exit(bad != 0 or n == 0)\n";

/* Reads documents in hex, one a line; all must have the shape of the first, and
 * links of three kinds. */
static const char html_reader[] =
    "import sys, html.parser\n"
    "class Shape(html.parser.HTMLParser):\n"
    "    def handle_starttag(self, tag, attrs):\n"
    "        self.got.append((tag, [name for name, _ in attrs]))\n"
    "        for name, value in attrs:\n"
    "            if name in ('href', 'src'):\n"
    "                self.bad |= not value.lower().startswith(('https://', 'http://', 'mailto:', "
    "'#'))\n"
    "    def handle_endtag(self, tag):\n"
    "        self.got.append('/' + tag)\n"
    "    def handle_comment(self, data):\n"
    "        self.got.append('comment')\n"
    "    def handle_decl(self, decl):\n"
    "        self.got.append('decl')\n"
    "    handle_pi = unknown_decl = handle_decl\n"
    "first = None\n"
    "bad = n = 0\n"
    "for line in open(sys.argv[1]):\n"
    "    text = bytes.fromhex(line.strip('- \\n')).decode()\n"
    "    p = Shape()\n"
    "    p.got, p.bad = [], False\n"
    "    p.feed(text)\n"
    "    p.close()\n"
    "    first = first or p.got\n"
    "    n += 1\n"
    "    if p.got != first or p.bad or len(first) < 12:\n"
    "        bad += 1\n"
    "        print(ascii(text), p.got)\n"
    "print(n, 'parsed')\n"
    "sys.exit(bad != 0 or n == 0)\n";

static uint64_t seed = 7;

static unsigned next(unsigned n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % n;
}

/* A value of whole characters, with what makes trouble among them. */
static void random_value(struct buf *b, bool lines)
{
	static const char *const pieces[] = {
		"a",
		"word",
		" ",
		"  ",
		"=",
		"=20",
		"\xc3\xb6",
		"\xe6\x97\xa5\xe6\x9c\xac",
		"\xf0\x9f\x98\x80",
		".",
		"From ",
		"<&>",
		"\"'",
		"=?UTF-8?q?x?=",
		"averyveryverylongwordwithoutanyspaceinit",
		"\n",
		"\n.\n",
		" \n",
	};
	unsigned n = next(30);

	buf_init(b, 0);
	for (unsigned i = 0; i < n; i++)
		buf_put(b,
			slice_str(pieces[next(lines ? ARRAY_LEN(pieces) : ARRAY_LEN(pieces) - 3)]));
	buf_put(b,
		SLICE("z")); /* a header's value does not end in white space, nor begin with it */
}

static void put_hex(FILE *f, struct slice s)
{
	struct buf hex;

	buf_init(&hex, 0);
	assert_int_equal(hex_encode(&hex, s), 0);
	(void)fprintf(f, "-%s- ", buf_cstr(&hex));
	buf_free(&hex);
}

static void escape_html(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		buf_put(out, c == '<'    ? SLICE("&lt;")
			     : c == '>'  ? SLICE("&gt;")
			     : c == '&'  ? SLICE("&amp;")
			     : c == '"'  ? SLICE("&quot;")
			     : c == '\'' ? SLICE("&#39;")
					 : slice_of(&c, 1));
	}
}

static void write_message(FILE *f, const struct program *p)
{
	struct buf word, lines, out, text, html;

	random_value(&word, false);
	random_value(&lines, true);
	const struct value fields[] = {
		{ .type = VALUE_STRING, .s = buf_data(&word) },
		{ .type = VALUE_STRING, .s = buf_data(&lines) },
	};
	const struct expand_input in = { fields, 2, SLICE("r@b.example"), SLICE("1@sender.example"),
					 0 };
	buf_init(&out, 0);
	buf_init(&text, 0);
	buf_init(&html, 0);
	assert_int_equal(program_expand(p, &in, &out), 0);
	buf_putf(&text, "Hello %s,\n\n\xc3\xa4 = %s \nend\n", buf_cstr(&word), buf_cstr(&lines));
	buf_put(&html, SLICE("<p>Hello "));
	escape_html(&html, buf_data(&word));
	buf_put(&html, SLICE("</p><p>"));
	escape_html(&html, buf_data(&lines));
	buf_put(&html, SLICE("</p>"));
	put_hex(f, buf_data(&out));
	buf_clear(&out);
	buf_putf(&out, "N: %s", buf_cstr(&word));
	put_hex(f, buf_data(&out));
	put_hex(f, buf_data(&text));
	put_hex(f, buf_data(&html));
	(void)fputc('\n', f);
	buf_free(&word);
	buf_free(&lines);
	buf_free(&out);
	buf_free(&text);
	buf_free(&html);
}

static FILE *open_data(char *path)
{
	FILE *f = fdopen(mkstemp(path), "w");

	assert_non_null(f);
	return f;
}

static void run_python(const char *script, FILE *data, const char *path)
{
	char command[128];
	FILE *f;
	int status;

	(void)fclose(data);
	(void)snprintf(command, sizeof(command), "/usr/bin/python3 - %s", path);
	f = popen(command, "w");
	assert_non_null(f);
	(void)fputs(script, f);
	status = pclose(f);
	(void)unlink(path);
	assert_int_equal(status, 0);
}

static void pythons_mail_parser_reads_what_was_meant(void **state)
{
	const struct compose_in campaign = {
		.from = SLICE("J\xc3\xb6rg \xe4\xbe\x8b <news@sender.example>"),
		.source = { SLICE("N: {{a}}"), SLICE("<p>Hello {{a}}</p><p>{{b}}</p>"),
			    SLICE("Hello {{a}},\n\n\xc3\xa4 = {{b}} \nend\n") },
		.env = { .any_field = true },
	};
	char path[] = "/tmp/roundtrip-XXXXXX";
	FILE *f = open_data(path);
	struct compose_error e;
	struct program *p;
	struct buf bytes;

	(void)state;
	buf_init(&bytes, 0);
	assert_int_equal(compose_campaign(&campaign, &bytes, &e), 0);
	assert_int_equal(program_load(&p, buf_data(&bytes)), 0);
	for (int i = 0; i < 400; i++)
		write_message(f, p);
	p = program_free(p);
	buf_free(&bytes);
	run_python(reader, f, path);
}

static void write_page(FILE *f, struct slice value)
{
	static const char page[] =
	    "<!DOCTYPE "
	    "html><html><head><title>{{x}}</title><style>p{color:red}</style></head><body>\n"
	    "<!-- {{x}} --><p title=\"{{x}}\" class='{{x}}'>{{x}}</p><a href=\"{{x}}\">a</a>\n"
	    "<a href='{{x}}/{{x}}'>b</a><a href=\"https://a.example/?{{x}}={{x}}\">c</a>\n"
	    "<b style=\"color:{{x}}\" "
	    "{{#x}}lang=\"{{x}}\"{{/x}}>{{x}}</b><textarea>{{x}}</textarea>\n"
	    "<img src=\"{{x}}\" alt=\"{{x}}{{x}}\"></body></html>\n";
	const struct value_member x = { SLICE("x"), { .type = VALUE_STRING, .s = value } };
	const struct value map = { .type = VALUE_MAP, .count = 1, .members = &x };
	const struct template_env env = { .any_field = true };
	struct template_error e;
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(template_render(TEMPLATE_HTML, SLICE(page), &env, &map, &out, &e), 0);
	put_hex(f, buf_data(&out));
	(void)fputc('\n', f);
	buf_free(&out);
}

static void pythons_html_parser_sees_the_same_elements_whatever_the_values(void **state)
{
	static const char *const pieces[] = {
		"a",           "<",           ">",        "\"",        "'",        "&",
		"&quot;",      "&#34;",       "--",       "-->",       "<!--",     "</title>",
		"</textarea>", "</p>",        "<script>", " onclick=", "/",        "=",
		"`",           "javascript:", "https://", "http://b",  "\n",       "\t",
		"]]>",         "<![CDATA[",   "<?",       "%22",       "\xc3\xb6", "\xff",
		" ",           "{{x}}",       "#",        ":",         ";",        "url(",
	};
	char path[] = "/tmp/pages-XXXXXX";
	FILE *f = open_data(path);

	(void)state;
	write_page(f, SLICE("plain"));
	for (int i = 0; i < 1500; i++) {
		struct buf value;
		buf_init(&value, 0);
		for (unsigned n = 1 + next(8); n > 0; n--)
			buf_put(&value, slice_str(pieces[next(ARRAY_LEN(pieces))]));
		write_page(f, buf_data(&value));
		buf_free(&value);
	}
	run_python(html_reader, f, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pythons_mail_parser_reads_what_was_meant),
		cmocka_unit_test(pythons_html_parser_sees_the_same_elements_whatever_the_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
