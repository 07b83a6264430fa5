/* Laws: how the bytes are cut changes neither the character set nor the text; what was decoded is
 * UTF-8; UTF-8 is passed on as it is; blanks trimmed from it twice are trimmed once; the separator
 * is one of those there are, or one that the first line says. */
#include "base/encode.h"
#include "base/blanks.h"
#include "control/contacts/charset.h"
#include "control/contacts/import_map.h"
#include "control/contacts/separator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum charset scan(struct slice in, size_t piece)
{
	struct charset_scan s = { 0 };
	enum charset set = 0;
	size_t first = MIN_OF(in.n, (size_t)CHARSET_HEAD); /* as its header asks */

	charset_scan(&s, slice_of(in.p, first));
	for (size_t at = first; at < in.n; at += piece)
		charset_scan(&s, slice_of(in.p + at, MIN_OF(piece, in.n - at)));
	return charset_scan_end(&s, &set) < 0 ? 0 : set;
}

static void decode(struct slice in, enum charset from, size_t piece, struct buf *out)
{
	struct charset_decoder d = { .from = from };

	for (size_t at = 0; at < in.n; at += piece)
		if (charset_decode(&d, slice_of(in.p + at, MIN_OF(piece, in.n - at)),
				   at + piece >= in.n, out) < 0)
			abort();
}

static void check_decoding(struct slice in, enum charset from)
{
	struct buf whole, cut;

	buf_init(&whole, 0);
	buf_init(&cut, 0);
	decode(in, from, in.n + 1, &whole);
	for (size_t piece = 1; piece <= 5; piece += 2) {
		buf_clear(&cut);
		decode(in, from, piece, &cut);
		if (!slice_eq(buf_data(&whole), buf_data(&cut)))
			abort();
	}
	if (from == CHARSET_UTF8 ? !slice_eq(buf_data(&whole), in) : !utf8_valid(buf_data(&whole)))
		abort();
	buf_free(&whole);
	buf_free(&cut);
}

static void check_text(struct slice in)
{
	struct import_rules rules = { 0 };
	struct separator s = separator_find(in, true, import_map_title_known, &rules);
	struct slice once = blanks_trim(in);

	if (!s.line && !strchr(",;\t|", s.sign))
		abort();
	if (!slice_eq(once, blanks_trim(once)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	enum charset set = scan(in, size + 1);

	if (set != scan(in, 1) || set != scan(in, 3))
		abort();
	for (int from = CHARSET_UTF8; from <= CHARSET_WINDOWS_1252; from++)
		check_decoding(in, (enum charset)from);
	check_text(in);
	return 0;
}
