/* Law: what comes out of the sanitiser, rendered with any of its sections and with values that hurt
 * where they are not escaped, and read by a parser that follows the standard, has nothing that mail
 * must not have.  Sanitising twice is sanitising once. */
#include "message/sanitise.h"
#include "message/template.h"
#include "tests/unit/message/parsed.h"

static const struct template_field fields[] = { { .name = SLICE("a") },
						{ .name = SLICE("b") },
						{ .name = SLICE("c") } };
static const struct template_env env = { .fields = fields,
					 .n_fields = ARRAY_LEN(fields),
					 .raw_escaped = true };

static const char *const values[] = {
	"",
	"x",
	"avascript",
	"javascript:alert(1)",
	"58",
	"colon",
	"</style></title><script>x</script>",
	"--><img src=x onerror=x>",
	"\" onclick=x '",
	"expression(x)",
};

/* Bit i of `some`: the field i has a value. */
static int render(struct slice html, const char *value, unsigned some, struct buf *out)
{
	struct value_member members[ARRAY_LEN(fields)];
	struct template_error error;
	struct value map = { .type = VALUE_MAP, .members = members };

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (some >> i & 1)
			members[map.count++] = (struct value_member){
				fields[i].name, { .type = VALUE_STRING, .s = slice_str(value) }
			};
	buf_init(out, 1 << 22);
	return template_render(TEMPLATE_HTML, html, &env, &map, out, &error);
}

static void check(struct slice html)
{
	for (size_t v = 0; v < ARRAY_LEN(values); v++)
		for (unsigned some = 0; some < 1u << ARRAY_LEN(fields); some++) {
			struct buf out;
			int r = render(html, values[v], some, &out);

			assert(r < 0 || !parsed_find_bad(buf_data(&out)));
			buf_free(&out);
			if (r < 0)
				return;
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice html = slice_of(data, size);
	struct buf once, twice;

	if (size > 4096)
		return 0;
	buf_init(&once, 0);
	buf_init(&twice, 0);
	if (sanitise_html(&once, html, NULL) == 0) {
		int r = sanitise_html(&twice, buf_data(&once), NULL);

		assert(r == 0 && slice_eq(buf_data(&once), buf_data(&twice)));
		check(buf_data(&once));
	}
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
