/* The rules of the Mustache spec, case by case: the names are those of its core suites (comments,
 * delimiters, interpolation, inverted, partials, sections). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "message/template.h"

/* Values are written as V(...) trees: the same that msgpack or JSON would give. */
#define CONST(lit)                                                                                 \
	{                                                                                          \
		lit, sizeof(lit) - 1                                                               \
	}
#define S(text)                                                                                    \
	{                                                                                          \
		.type = VALUE_STRING, .s = CONST(text)                                             \
	}
#define I(n)                                                                                       \
	{                                                                                          \
		.type = VALUE_INT, .i = (n)                                                        \
	}
#define R(n)                                                                                       \
	{                                                                                          \
		.type = VALUE_REAL, .d = (n)                                                       \
	}
#define T                                                                                          \
	{                                                                                          \
		.type = VALUE_BOOL, .b = true                                                      \
	}
#define F                                                                                          \
	{                                                                                          \
		.type = VALUE_BOOL, .b = false                                                     \
	}
#define NIL                                                                                        \
	{                                                                                          \
		.type = VALUE_NULL                                                                 \
	}
#define LIST(...)                                                                                  \
	{                                                                                          \
		.type = VALUE_LIST, .items = (const struct value[]){ __VA_ARGS__ },                \
		.count = sizeof((const struct value[]){ __VA_ARGS__ }) / sizeof(struct value)      \
	}
#define MAP(...)                                                                                   \
	{                                                                                          \
		.type = VALUE_MAP, .members = (const struct value_member[]){ __VA_ARGS__ },        \
		.count = sizeof((const struct value_member[]){ __VA_ARGS__ }) /                    \
			 sizeof(struct value_member)                                               \
	}
#define EMPTY_MAP                                                                                  \
	{                                                                                          \
		.type = VALUE_MAP                                                                  \
	}
#define EMPTY_LIST                                                                                 \
	{                                                                                          \
		.type = VALUE_LIST                                                                 \
	}
#define M(name, ...)                                                                               \
	{                                                                                          \
		CONST(name), __VA_ARGS__                                                           \
	}

struct partial {
	const char *name, *text;
};
struct row {
	const char *suite, *name, *template, *want;
	struct value data;
	struct partial partials[3];
};

#define BOOLEAN MAP(M("boolean", T))
#define NO_BOOLEAN MAP(M("boolean", F))
#define FORBIDDEN MAP(M("forbidden", S("& \" < >")))
#define STRING MAP(M("string", S("---")))
#define PERSON MAP(M("person", MAP(M("name", S("Joe")))))
#define MARKS MAP(M("list", LIST(S("&"), S("\""), S("<"), S(">"))))
#define PHIL(name) MAP(M("c", MAP(M("d", MAP(M("e", MAP(M("name", S(name)))))))))

/* clang-format off */
static const struct row rows[] = {
	/* comments */
	{"comments", "inline", "12345{{! Comment Block! }}67890", "1234567890", EMPTY_MAP, {{0}}},
	{"comments", "multiline", "12345{{!\n  This is a\n  multi-line comment...\n}}67890\n", "1234567890\n", EMPTY_MAP, {{0}}},
	{"comments", "standalone", "Begin.\n{{! Comment Block! }}\nEnd.\n", "Begin.\nEnd.\n", EMPTY_MAP, {{0}}},
	{"comments", "indented standalone", "Begin.\n  {{! Indented! }}\nEnd.\n", "Begin.\nEnd.\n", EMPTY_MAP, {{0}}},
	{"comments", "standalone line endings", "|\r\n{{! Standalone }}\r\n|", "|\r\n|", EMPTY_MAP, {{0}}},
	{"comments", "standalone without previous line", "  {{! I'm Still Standalone }}\n!", "!", EMPTY_MAP, {{0}}},
	{"comments", "standalone without newline", "!\n  {{! I'm Still Standalone }}", "!\n", EMPTY_MAP, {{0}}},
	{"comments", "multiline standalone", "Begin.\n{{!\nSomething's going on here...\n}}\nEnd.\n", "Begin.\nEnd.\n", EMPTY_MAP, {{0}}},
	{"comments", "indented multiline standalone", "Begin.\n  {{!\n    Something\n  }}\nEnd.\n", "Begin.\nEnd.\n", EMPTY_MAP, {{0}}},
	{"comments", "indented inline", "  12 {{! 34 }}\n", "  12 \n", EMPTY_MAP, {{0}}},
	{"comments", "surrounding whitespace", "12345 {{! Comment Block! }} 67890", "12345  67890", EMPTY_MAP, {{0}}},
	{"comments", "variable name collision", "comments never show: >{{! comment }}<", "comments never show: ><", MAP(M("! comment", I(1)), M("! comment ", I(2)), M("!comment", I(3)), M("comment", I(4))), {{0}}},

	/* delimiters */
	{"delimiters", "pair behavior", "{{=<% %>=}}(<%text%>)", "(Hey!)", MAP(M("text", S("Hey!"))), {{0}}},
	{"delimiters", "special characters", "({{=[ ]=}}[text])", "(It worked!)", MAP(M("text", S("It worked!"))), {{0}}},
	{"delimiters", "sections", "[\n{{#section}}\n  {{data}}\n  |data|\n{{/section}}\n\n{{= | | =}}\n|#section|\n  {{data}}\n  |data|\n|/section|\n]\n", "[\n  I got interpolated.\n  |data|\n\n  {{data}}\n  I got interpolated.\n]\n", MAP(M("section", T), M("data", S("I got interpolated."))), {{0}}},
	{"delimiters", "inverted sections", "[\n{{^section}}\n  {{data}}\n  |data|\n{{/section}}\n\n{{= | | =}}\n|^section|\n  {{data}}\n  |data|\n|/section|\n]\n", "[\n  I got interpolated.\n  |data|\n\n  {{data}}\n  I got interpolated.\n]\n", MAP(M("section", F), M("data", S("I got interpolated."))), {{0}}},
	{"delimiters", "partial inheritance", "[ {{>include}} ]\n{{= | | =}}\n[ |>include| ]\n", "[ .yes. ]\n[ .yes. ]\n", MAP(M("value", S("yes"))), {{"include", ".{{value}}."}}},
	{"delimiters", "post-partial behavior", "[ {{>include}} ]\n[ .{{value}}.  .|value|. ]\n", "[ .yes.  .yes. ]\n[ .yes.  .|value|. ]\n", MAP(M("value", S("yes"))), {{"include", ".{{value}}. {{= | | =}} .|value|."}}},
	{"delimiters", "surrounding whitespace", "| {{=@ @=}} |", "|  |", EMPTY_MAP, {{0}}},
	{"delimiters", "outlying whitespace (inline)", " | {{=@ @=}}\n", " | \n", EMPTY_MAP, {{0}}},
	{"delimiters", "standalone tag", "Begin.\n{{=@ @=}}\nEnd.\n", "Begin.\nEnd.\n", EMPTY_MAP, {{0}}},
	{"delimiters", "indented standalone tag", "Begin.\n  {{=@ @=}}\nEnd.\n", "Begin.\nEnd.\n", EMPTY_MAP, {{0}}},
	{"delimiters", "standalone line endings", "|\r\n{{= @ @ =}}\r\n|", "|\r\n|", EMPTY_MAP, {{0}}},
	{"delimiters", "standalone without previous line", "  {{=@ @=}}\n=", "=", EMPTY_MAP, {{0}}},
	{"delimiters", "standalone without newline", "=\n  {{=@ @=}}", "=\n", EMPTY_MAP, {{0}}},
	{"delimiters", "pair with padding", "|{{= @   @ =}}|", "||", EMPTY_MAP, {{0}}},

	/* interpolation */
	{"interpolation", "none", "Hello from {Mustache}!\n", "Hello from {Mustache}!\n", EMPTY_MAP, {{0}}},
	{"interpolation", "basic", "Hello, {{subject}}!\n", "Hello, world!\n", MAP(M("subject", S("world"))), {{0}}},
	{"interpolation", "no re-interpolation", "{{template}}: {{planet}}", "{{planet}}: Earth", MAP(M("template", S("{{planet}}")), M("planet", S("Earth"))), {{0}}},
	{"interpolation", "HTML escaping", "escaped: {{forbidden}}\n", "escaped: &amp; &quot; &lt; &gt;\n", FORBIDDEN, {{0}}},
	{"interpolation", "triple mustache", "not: {{{forbidden}}}\n", "not: & \" < >\n", FORBIDDEN, {{0}}},
	{"interpolation", "ampersand", "not: {{&forbidden}}\n", "not: & \" < >\n", FORBIDDEN, {{0}}},
	{"interpolation", "integer", "\"{{mph}} miles an hour!\"", "\"85 miles an hour!\"", MAP(M("mph", I(85))), {{0}}},
	{"interpolation", "triple integer", "\"{{{mph}}} miles an hour!\"", "\"85 miles an hour!\"", MAP(M("mph", I(85))), {{0}}},
	{"interpolation", "ampersand integer", "\"{{&mph}} miles an hour!\"", "\"85 miles an hour!\"", MAP(M("mph", I(85))), {{0}}},
	{"interpolation", "decimal", "\"{{power}} jiggawatts!\"", "\"1.21 jiggawatts!\"", MAP(M("power", R(1.210))), {{0}}},
	{"interpolation", "triple decimal", "\"{{{power}}} jiggawatts!\"", "\"1.21 jiggawatts!\"", MAP(M("power", R(1.210))), {{0}}},
	{"interpolation", "ampersand decimal", "\"{{&power}} jiggawatts!\"", "\"1.21 jiggawatts!\"", MAP(M("power", R(1.210))), {{0}}},
	{"interpolation", "null", "I ({{cannot}}) be seen!", "I () be seen!", MAP(M("cannot", NIL)), {{0}}},
	{"interpolation", "triple null", "I ({{{cannot}}}) be seen!", "I () be seen!", MAP(M("cannot", NIL)), {{0}}},
	{"interpolation", "ampersand null", "I ({{&cannot}}) be seen!", "I () be seen!", MAP(M("cannot", NIL)), {{0}}},
	{"interpolation", "context miss", "I ({{cannot}}) be seen!", "I () be seen!", EMPTY_MAP, {{0}}},
	{"interpolation", "triple context miss", "I ({{{cannot}}}) be seen!", "I () be seen!", EMPTY_MAP, {{0}}},
	{"interpolation", "ampersand context miss", "I ({{&cannot}}) be seen!", "I () be seen!", EMPTY_MAP, {{0}}},
	{"interpolation", "dotted", "\"{{person.name}}\" == \"{{#person}}{{name}}{{/person}}\"", "\"Joe\" == \"Joe\"", PERSON, {{0}}},
	{"interpolation", "triple dotted", "\"{{{person.name}}}\" == \"{{#person}}{{{name}}}{{/person}}\"", "\"Joe\" == \"Joe\"", PERSON, {{0}}},
	{"interpolation", "ampersand dotted", "\"{{&person.name}}\" == \"{{#person}}{{&name}}{{/person}}\"", "\"Joe\" == \"Joe\"", PERSON, {{0}}},
	{"interpolation", "dotted, arbitrary depth", "\"{{a.b.c.d.e.name}}\" == \"Phil\"", "\"Phil\" == \"Phil\"", MAP(M("a", MAP(M("b", PHIL("Phil"))))), {{0}}},
	{"interpolation", "dotted, broken chains", "\"{{a.b.c}}\" == \"\"", "\"\" == \"\"", MAP(M("a", EMPTY_MAP)), {{0}}},
	{"interpolation", "dotted, broken chain resolution", "\"{{a.b.c.name}}\" == \"\"", "\"\" == \"\"", MAP(M("a", MAP(M("b", EMPTY_MAP))), M("c", MAP(M("name", S("Jim"))))), {{0}}},
	{"interpolation", "dotted, initial resolution", "\"{{#a}}{{b.c.d.e.name}}{{/a}}\" == \"Phil\"", "\"Phil\" == \"Phil\"", MAP(M("a", MAP(M("b", PHIL("Phil")))), M("b", PHIL("Wrong"))), {{0}}},
	{"interpolation", "dotted, context precedence", "{{#a}}{{b.c}}{{/a}}", "", MAP(M("a", MAP(M("b", EMPTY_MAP))), M("b", MAP(M("c", S("ERROR"))))), {{0}}},
	{"interpolation", "dotted, never a single key", "{{a.b}}", "c", MAP(M("a.b", S("wrong")), M("a", MAP(M("b", S("c"))))), {{0}}},
	{"interpolation", "dotted, no masking", "{{a.b}}", "c", MAP(M("a.b", S("b")), M("a", MAP(M("b", S("c"))))), {{0}}},
	{"interpolation", "implicit iterator", "Hello, {{.}}!\n", "Hello, world!\n", S("world"), {{0}}},
	{"interpolation", "implicit iterator, escaping", "escaped: {{.}}\n", "escaped: &amp; &quot; &lt; &gt;\n", S("& \" < >"), {{0}}},
	{"interpolation", "implicit iterator, triple", "not: {{{.}}}\n", "not: & \" < >\n", S("& \" < >"), {{0}}},
	{"interpolation", "implicit iterator, ampersand", "not: {{&.}}\n", "not: & \" < >\n", S("& \" < >"), {{0}}},
	{"interpolation", "implicit iterator, integer", "\"{{.}} miles an hour!\"", "\"85 miles an hour!\"", I(85), {{0}}},
	{"interpolation", "surrounding whitespace", "| {{string}} |", "| --- |", STRING, {{0}}},
	{"interpolation", "triple, surrounding whitespace", "| {{{string}}} |", "| --- |", STRING, {{0}}},
	{"interpolation", "ampersand, surrounding whitespace", "| {{&string}} |", "| --- |", STRING, {{0}}},
	{"interpolation", "standalone", "  {{string}}\n", "  ---\n", STRING, {{0}}},
	{"interpolation", "triple, standalone", "  {{{string}}}\n", "  ---\n", STRING, {{0}}},
	{"interpolation", "ampersand, standalone", "  {{&string}}\n", "  ---\n", STRING, {{0}}},
	{"interpolation", "padding", "|{{ string }}|", "|---|", STRING, {{0}}},
	{"interpolation", "triple, padding", "|{{{ string }}}|", "|---|", STRING, {{0}}},
	{"interpolation", "ampersand, padding", "|{{& string }}|", "|---|", STRING, {{0}}},

	/* inverted */
	{"inverted", "falsey", "\"{{^boolean}}This should be rendered.{{/boolean}}\"", "\"This should be rendered.\"", NO_BOOLEAN, {{0}}},
	{"inverted", "truthy", "\"{{^boolean}}This should not be rendered.{{/boolean}}\"", "\"\"", BOOLEAN, {{0}}},
	{"inverted", "null is falsey", "\"{{^null}}This should be rendered.{{/null}}\"", "\"This should be rendered.\"", MAP(M("null", NIL)), {{0}}},
	{"inverted", "context", "\"{{^context}}Hi {{name}}.{{/context}}\"", "\"\"", MAP(M("context", MAP(M("name", S("Joe"))))), {{0}}},
	{"inverted", "list", "\"{{^list}}{{n}}{{/list}}\"", "\"\"", MAP(M("list", LIST(MAP(M("n", I(1))), MAP(M("n", I(2))), MAP(M("n", I(3)))))), {{0}}},
	{"inverted", "empty list", "\"{{^list}}Yay lists!{{/list}}\"", "\"Yay lists!\"", MAP(M("list", EMPTY_LIST)), {{0}}},
	{"inverted", "doubled", "{{^bool}}\n* first\n{{/bool}}\n* {{two}}\n{{^bool}}\n* third\n{{/bool}}\n", "* first\n* second\n* third\n", MAP(M("bool", F), M("two", S("second"))), {{0}}},
	{"inverted", "nested (falsey)", "| A {{^bool}}B {{^bool}}C{{/bool}} D{{/bool}} E |", "| A B C D E |", MAP(M("bool", F)), {{0}}},
	{"inverted", "nested (truthy)", "| A {{^bool}}B {{^bool}}C{{/bool}} D{{/bool}} E |", "| A  E |", MAP(M("bool", T)), {{0}}},
	{"inverted", "context misses", "[{{^missing}}Cannot find key 'missing'!{{/missing}}]", "[Cannot find key 'missing'!]", EMPTY_MAP, {{0}}},
	{"inverted", "dotted, truthy", "\"{{^a.b.c}}Not Here{{/a.b.c}}\" == \"\"", "\"\" == \"\"", MAP(M("a", MAP(M("b", MAP(M("c", T)))))), {{0}}},
	{"inverted", "dotted, falsey", "\"{{^a.b.c}}Not Here{{/a.b.c}}\" == \"Not Here\"", "\"Not Here\" == \"Not Here\"", MAP(M("a", MAP(M("b", MAP(M("c", F)))))), {{0}}},
	{"inverted", "dotted, broken chains", "\"{{^a.b.c}}Not Here{{/a.b.c}}\" == \"Not Here\"", "\"Not Here\" == \"Not Here\"", MAP(M("a", EMPTY_MAP)), {{0}}},
	{"inverted", "surrounding whitespace", " | {{^boolean}}\t|\t{{/boolean}} | \n", " | \t|\t | \n", NO_BOOLEAN, {{0}}},
	{"inverted", "internal whitespace", " | {{^boolean}} {{! Important Whitespace }}\n {{/boolean}} | \n", " |  \n  | \n", NO_BOOLEAN, {{0}}},
	{"inverted", "indented inline", " {{^boolean}}NO{{/boolean}}\n {{^boolean}}WAY{{/boolean}}\n", " NO\n WAY\n", NO_BOOLEAN, {{0}}},
	{"inverted", "standalone lines", "| This Is\n{{^boolean}}\n|\n{{/boolean}}\n| A Line\n", "| This Is\n|\n| A Line\n", NO_BOOLEAN, {{0}}},
	{"inverted", "standalone indented lines", "| This Is\n  {{^boolean}}\n|\n  {{/boolean}}\n| A Line\n", "| This Is\n|\n| A Line\n", NO_BOOLEAN, {{0}}},
	{"inverted", "standalone line endings", "|\r\n{{^boolean}}\r\n{{/boolean}}\r\n|", "|\r\n|", NO_BOOLEAN, {{0}}},
	{"inverted", "standalone without previous line", "  {{^boolean}}\n^{{/boolean}}\n/", "^\n/", NO_BOOLEAN, {{0}}},
	{"inverted", "standalone without newline", "^{{^boolean}}\n/\n  {{/boolean}}", "^\n/\n", NO_BOOLEAN, {{0}}},
	{"inverted", "padding", "|{{^ boolean }}={{/ boolean }}|", "|=|", NO_BOOLEAN, {{0}}},

	/* partials */
	{"partials", "basic behavior", "\"{{>text}}\"", "\"from partial\"", EMPTY_MAP, {{"text", "from partial"}}},
	{"partials", "failed lookup", "\"{{>text}}\"", "\"\"", EMPTY_MAP, {{0}}},
	{"partials", "context", "\"{{>partial}}\"", "\"*content*\"", MAP(M("text", S("content"))), {{"partial", "*{{text}}*"}}},
	{"partials", "recursion", "{{>node}}", "X<Y<>>", MAP(M("content", S("X")), M("nodes", LIST(MAP(M("content", S("Y")), M("nodes", EMPTY_LIST))))), {{"node", "{{content}}<{{#nodes}}{{>node}}{{/nodes}}>"}}},
	{"partials", "nested", "{{>outer}}", "*hello world!*", MAP(M("a", S("hello")), M("b", S("world"))), {{"outer", "*{{a}} {{>inner}}*"}, {"inner", "{{b}}!"}}},
	{"partials", "surrounding whitespace", "| {{>partial}} |", "| \t|\t |", EMPTY_MAP, {{"partial", "\t|\t"}}},
	{"partials", "inline indentation", "  {{data}}  {{> partial}}\n", "  |  >\n>\n", MAP(M("data", S("|"))), {{"partial", ">\n>"}}},
	{"partials", "standalone line endings", "|\r\n{{>partial}}\r\n|", "|\r\n>|", EMPTY_MAP, {{"partial", ">"}}},
	{"partials", "standalone without previous line", "  {{>partial}}\n>", "  >\n  >>", EMPTY_MAP, {{"partial", ">\n>"}}},
	{"partials", "standalone without newline", ">\n  {{>partial}}", ">\n  >\n  >", EMPTY_MAP, {{"partial", ">\n>"}}},
	{"partials", "standalone indentation", "\\\n {{>partial}}\n/\n", "\\\n |\n <\n->\n |\n/\n", MAP(M("content", S("<\n->"))), {{"partial", "|\n{{{content}}}\n|\n"}}},
	{"partials", "padding whitespace", "|{{> partial }}|", "|[]|", MAP(M("boolean", T)), {{"partial", "[]"}}},

	/* sections */
	{"sections", "truthy", "\"{{#boolean}}This should be rendered.{{/boolean}}\"", "\"This should be rendered.\"", BOOLEAN, {{0}}},
	{"sections", "falsey", "\"{{#boolean}}This should not be rendered.{{/boolean}}\"", "\"\"", NO_BOOLEAN, {{0}}},
	{"sections", "null is falsey", "\"{{#null}}This should not be rendered.{{/null}}\"", "\"\"", MAP(M("null", NIL)), {{0}}},
	{"sections", "context", "\"{{#context}}Hi {{name}}.{{/context}}\"", "\"Hi Joe.\"", MAP(M("context", MAP(M("name", S("Joe"))))), {{0}}},
	{"sections", "parent contexts", "\"{{#sec}}{{a}}, {{b}}, {{c.d}}{{/sec}}\"", "\"foo, bar, baz\"", MAP(M("a", S("foo")), M("b", S("wrong")), M("sec", MAP(M("b", S("bar")))), M("c", MAP(M("d", S("baz"))))), {{0}}},
	{"sections", "variable test", "\"{{#foo}}{{.}} is {{foo}}{{/foo}}\"", "\"bar is bar\"", MAP(M("foo", S("bar"))), {{0}}},
	{"sections", "list contexts", "{{#tops}}{{#middles}}{{tname.lower}}{{mname}}.{{#bottoms}}{{tname.upper}}{{mname}}{{bname}}.{{/bottoms}}{{/middles}}{{/tops}}", "a1.A1x.A1y.", MAP(M("tops", LIST(MAP(M("tname", MAP(M("upper", S("A")), M("lower", S("a")))), M("middles", LIST(MAP(M("mname", S("1")), M("bottoms", LIST(MAP(M("bname", S("x"))), MAP(M("bname", S("y"))))))))))))  , {{0}}},
	{"sections", "deeply nested contexts", "{{#a}}\n{{one}}\n{{#b}}\n{{one}}{{two}}{{one}}\n{{#c}}\n{{one}}{{two}}{{three}}{{two}}{{one}}\n{{#d}}\n{{one}}{{two}}{{three}}{{four}}{{three}}{{two}}{{one}}\n{{#five}}\n{{one}}{{two}}{{three}}{{four}}{{five}}{{four}}{{three}}{{two}}{{one}}\n{{one}}{{two}}{{three}}{{four}}{{.}}6{{.}}{{four}}{{three}}{{two}}{{one}}\n{{/five}}\n{{/d}}\n{{/c}}\n{{/b}}\n{{/a}}\n", "1\n121\n12321\n1234321\n123454321\n12345654321\n", MAP(M("a", MAP(M("one", I(1)))), M("b", MAP(M("two", I(2)))), M("c", MAP(M("three", I(3)), M("d", MAP(M("four", I(4)), M("five", I(5))))))), {{0}}},
	{"sections", "list", "\"{{#list}}{{item}}{{/list}}\"", "\"123\"", MAP(M("list", LIST(MAP(M("item", I(1))), MAP(M("item", I(2))), MAP(M("item", I(3)))))), {{0}}},
	{"sections", "empty list", "\"{{#list}}Yay lists!{{/list}}\"", "\"\"", MAP(M("list", EMPTY_LIST)), {{0}}},
	{"sections", "doubled", "{{#bool}}\n* first\n{{/bool}}\n* {{two}}\n{{#bool}}\n* third\n{{/bool}}\n", "* first\n* second\n* third\n", MAP(M("bool", T), M("two", S("second"))), {{0}}},
	{"sections", "nested (truthy)", "| A {{#bool}}B {{#bool}}C{{/bool}} D{{/bool}} E |", "| A B C D E |", MAP(M("bool", T)), {{0}}},
	{"sections", "nested (falsey)", "| A {{#bool}}B {{#bool}}C{{/bool}} D{{/bool}} E |", "| A  E |", MAP(M("bool", F)), {{0}}},
	{"sections", "context misses", "[{{#missing}}Found key 'missing'!{{/missing}}]", "[]", EMPTY_MAP, {{0}}},
	{"sections", "implicit iterator, string", "\"{{#list}}({{.}}){{/list}}\"", "\"(a)(b)(c)(d)(e)\"", MAP(M("list", LIST(S("a"), S("b"), S("c"), S("d"), S("e")))), {{0}}},
	{"sections", "implicit iterator, integer", "\"{{#list}}({{.}}){{/list}}\"", "\"(1)(2)(3)(4)(5)\"", MAP(M("list", LIST(I(1), I(2), I(3), I(4), I(5)))), {{0}}},
	{"sections", "implicit iterator, decimal", "\"{{#list}}({{.}}){{/list}}\"", "\"(1.1)(2.2)(3.3)(4.4)(5.5)\"", MAP(M("list", LIST(R(1.10), R(2.20), R(3.30), R(4.40), R(5.50)))), {{0}}},
	{"sections", "implicit iterator, array", "\"{{#list}}({{#.}}{{.}}{{/.}}){{/list}}\"", "\"(123)(abc)\"", MAP(M("list", LIST(LIST(I(1), I(2), I(3)), LIST(S("a"), S("b"), S("c"))))), {{0}}},
	{"sections", "implicit iterator, escaping", "\"{{#list}}({{.}}){{/list}}\"", "\"(&amp;)(&quot;)(&lt;)(&gt;)\"", MARKS, {{0}}},
	{"sections", "implicit iterator, triple", "\"{{#list}}({{{.}}}){{/list}}\"", "\"(&)(\")(<)(>)\"", MARKS, {{0}}},
	{"sections", "implicit iterator, ampersand", "\"{{#list}}({{&.}}){{/list}}\"", "\"(&)(\")(<)(>)\"", MARKS, {{0}}},
	{"sections", "implicit iterator, root-level", "\"{{#.}}({{value}}){{/.}}\"", "\"(a)(b)\"", LIST(MAP(M("value", S("a"))), MAP(M("value", S("b")))), {{0}}},
	{"sections", "dotted, truthy", "\"{{#a.b.c}}Here{{/a.b.c}}\" == \"Here\"", "\"Here\" == \"Here\"", MAP(M("a", MAP(M("b", MAP(M("c", T)))))), {{0}}},
	{"sections", "dotted, falsey", "\"{{#a.b.c}}Here{{/a.b.c}}\" == \"\"", "\"\" == \"\"", MAP(M("a", MAP(M("b", MAP(M("c", F)))))), {{0}}},
	{"sections", "dotted, broken chains", "\"{{#a.b.c}}Here{{/a.b.c}}\" == \"\"", "\"\" == \"\"", MAP(M("a", EMPTY_MAP)), {{0}}},
	{"sections", "surrounding whitespace", " | {{#boolean}}\t|\t{{/boolean}} | \n", " | \t|\t | \n", BOOLEAN, {{0}}},
	{"sections", "internal whitespace", " | {{#boolean}} {{! Important Whitespace }}\n {{/boolean}} | \n", " |  \n  | \n", BOOLEAN, {{0}}},
	{"sections", "indented inline", " {{#boolean}}YES{{/boolean}}\n {{#boolean}}GOOD{{/boolean}}\n", " YES\n GOOD\n", BOOLEAN, {{0}}},
	{"sections", "standalone lines", "| This Is\n{{#boolean}}\n|\n{{/boolean}}\n| A Line\n", "| This Is\n|\n| A Line\n", BOOLEAN, {{0}}},
	{"sections", "indented standalone lines", "| This Is\n  {{#boolean}}\n|\n  {{/boolean}}\n| A Line\n", "| This Is\n|\n| A Line\n", BOOLEAN, {{0}}},
	{"sections", "standalone line endings", "|\r\n{{#boolean}}\r\n{{/boolean}}\r\n|", "|\r\n|", BOOLEAN, {{0}}},
	{"sections", "standalone without previous line", "  {{#boolean}}\n#{{/boolean}}\n/", "#\n/", BOOLEAN, {{0}}},
	{"sections", "standalone without newline", "#{{#boolean}}\n/\n  {{/boolean}}", "#\n/\n", BOOLEAN, {{0}}},
	{"sections", "padding", "|{{# boolean }}={{/ boolean }}|", "|=|", BOOLEAN, {{0}}},
};
/* clang-format on */

static int lookup(void *arg, struct slice name, struct slice *ret)
{
	const struct partial *p = arg;

	for (size_t i = 0; i < 3 && p[i].name; i++)
		if (slice_eq(name, slice_str(p[i].name))) {
			*ret = slice_str(p[i].text);
			return 0;
		}
	return E_UNKNOWN;
}

static bool row_holds(const struct row *row)
{
	struct template_env env = { .any_field = true,
				    .partial = lookup,
				    .partial_arg = (void *)(uintptr_t)row->partials };
	struct template_error error = { 0 };
	struct buf out;
	bool same;
	int r;

	buf_init(&out, 0);
	r = template_render(TEMPLATE_PLAIN_HTML, slice_str(row->template), &env, &row->data, &out,
			    &error);
	same = r == 0 && slice_eq(buf_data(&out), slice_str(row->want));
	if (!same)
		printf("%s: %s: %d %s\n  want: %s\n  got:  %s\n", row->suite, row->name, r,
		       error.text, row->want, buf_cstr(&out));
	buf_free(&out);
	return same;
}

static void every_case_of_the_core_suites_holds(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		wrong += !row_holds(&rows[i]);
	printf("%zu of %zu cases hold\n", ARRAY_LEN(rows) - wrong, ARRAY_LEN(rows));
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_case_of_the_core_suites_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
