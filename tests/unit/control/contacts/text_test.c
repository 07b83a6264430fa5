/* control/contacts/blanks, charset, separator, title and standing: what is recognised in files that
 * people have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/blanks.h"
#include "control/contacts/charset.h"
#include "control/contacts/separator.h"
#include "control/contacts/standing.h"

static void what_nobody_sees_is_cut_off_at_both_ends(void **state UNUSED)
{
	static const char *const unseen[] = {
		" ",
		"\t",
		"\r\n",
		"\v",
		"\x7f",
		"\xc2\x85",
		"\xc2\xa0",
		"\xc2\xad",
		"\xe1\x9a\x80",
		"\xe2\x80\x83",
		"\xe2\x80\x8b",
		"\xe2\x80\x8f",
		"\xe2\x80\xa8",
		"\xe2\x80\xaf",
		"\xe2\x81\xa0",
		"\xe3\x80\x80",
		"\xef\xbb\xbf",
	};
	char text[64];
	int n;

	for (size_t i = 0; i < ARRAY_LEN(unseen); i++) {
		n = snprintf(text, sizeof(text), "%s%sa b\xc3\xa9%s ", unseen[i], unseen[i],
			     unseen[i]);
		assert_true(slice_eq(blanks_trim(slice_of(text, (size_t)n)), SLICE("a b\xc3\xa9")));
		assert_int_equal(blanks_trim(slice_str(unseen[i])).n, 0);
	}
	/* Not UTF-8, and NUL: what they are is for others to say. */
	assert_int_equal(blanks_trim(SLICE("\xa0")).n, 1);
	assert_int_equal(blanks_trim(SLICE("a\0")).n, 2);
}

/* ---- character sets ---------------------------------------------------------------------- */

/* "set:text", with the input cut into pieces. */
static const char *read_as(struct slice in, size_t piece, struct buf *out)
{
	struct charset_scan scan = { 0 };
	struct charset_decoder d = { 0 };

	buf_clear(out);
	charset_scan(&scan, slice_of(in.p, MIN_OF(in.n, MAX_OF(piece, (size_t)8))));
	for (size_t at = MAX_OF(piece, (size_t)8); at < in.n; at += piece)
		charset_scan(&scan, slice_of(in.p + at, MIN_OF(piece, in.n - at)));
	if (charset_scan_end(&scan, &d.from) < 0)
		return "binary";
	buf_putf(out, "%s:", charset_name(d.from));
	for (size_t at = 0; at < in.n; at += piece)
		assert_int_equal(charset_decode(&d, slice_of(in.p + at, MIN_OF(piece, in.n - at)),
						at + piece >= in.n, out),
				 0);
	return buf_cstr(out);
}

static void expect_read(struct slice in, const char *want)
{
	struct buf out;

	buf_init(&out, 0);
	for (size_t piece = 1; piece <= in.n + 1; piece++)
		assert_string_equal(read_as(in, piece, &out), want);
	buf_free(&out);
}

static void a_character_set_is_recognised_and_read(void **state UNUSED)
{
	expect_read(SLICE("abcd,\xc3\xa9\xe2\x82\xac\n"), "utf-8:abcd,\xc3\xa9\xe2\x82\xac\n");
	expect_read(SLICE("abcd,M\xfcller\x80\n"), "windows-1252:abcd,M\xc3\xbcller\xe2\x82\xac\n");
	expect_read(SLICE("\xff\xfe"
			  "a\0,\0\xfc\0\n\0"),
		    "utf-16le:\xef\xbb\xbf"
		    "a,\xc3\xbc\n");
	expect_read(SLICE("\xfe\xff\0a\0,\0\xfc\0\n"), "utf-16be:\xef\xbb\xbf"
						       "a,\xc3\xbc\n");
	expect_read(SLICE("a\0b\0,\0\xfc\0\n\0"), "utf-16le:ab,\xc3\xbc\n");
	expect_read(SLICE("\0a\0b\0,\0\xfc\0\n"), "utf-16be:ab,\xc3\xbc\n");
	expect_read(SLICE("PK\x03\x04rest of it"), "binary");
}

/* What spreadsheets of the West write is read; what is in another set is refused and not turned
 * into other people's names. */
static void a_set_that_is_not_known_is_not_guessed_at(void **state UNUSED)
{
	static const char *const western[] = {
		"a@b.test,Ann,x\n",
		"a@b.test,J\xfcrgen Gr\xf6\xdf"
		"er,K\xf6ln\n",
		"a@b.test,Zo\xeb d\x92"
		"Arc,Besan\xe7on\n",
		"a@b.test,\x9cuvre \xab\xa0\xe0\xa0\xbb,100 \x80\n",
		"a@b.test,\x84S\xfc\xdf"
		"e\x93 Gr\xfc\xdf"
		"e,\x96\n",
		"a@b.test,\x8a\xe1rka \x8ei\x9eka,Plzen\n",
		"a@b.test,\xde\xf3r\xf0ur,\xcdsafj\xf6r\xf0ur\n",
		"a@b.test,Pe\xf1"
		"a M\xaa Jos\xe9,1\xba l\xb7l\n",
		"a@b.test,\x93"
		"Bob\x94 O\x92Neil,Acme\x99 \xa9\n",
		"a@b.test,\xa0\xa0\xa0"
		"Ann\xa0\xa0,x\n",
		"a@b.test,\xc5SA \xd6"
		"BERG,MALM\xd6\n",
		"a@b.test,Se\xf1or \xbfqu\xe9?,\xa1Ol\xe9!\n",
	};
	static const char *const others[] = {
		/* shift-jis */
		"a@b.test,\x8eR\x93"
		"c\x91\xbe\x98Y,\x93\x8c\x8b\x9e\x93s\n",
		/* shift-jis */
		"a@b.test,\x89\xd4\x8eq,\x89\xa1\x95l\n",
		/* shift-jis */
		"a@b.test,\x83\x84\x83}\x83_ \x83^\x83\x8d\x83"
		"E,\x83g\x83"
		"E\x83L\x83\x87\x83"
		"E\n",
		/* euc-jp */
		"a@b.test,\xbb\xb3\xc5\xc4,\xc5\xec\xb5\xfe\n",
		/* iso2022_jp */
		"a@b.test,\x1b$B;3ED\x1b(B,\x1b$BEl5~\x1b(B\n",
		/* gbk */
		"a@b.test,\xcd\xf5\xd0\xa1\xc3\xf7,\xb1\xb1\xbe\xa9\n",
		/* big5 */
		"a@b.test,\xa4\xfd\xa4p\xa9\xfa,\xa5x\xa5_\n",
		/* euc-kr */
		"a@b.test,\xb1\xe8\xc3\xb6\xbc\xf6,\xbc\xad\xbf\xef\n",
		/* cp1251 */
		"a@b.test,\xc0\xed\xed\xe0,\xcc\xee\xf1\xea\xe2\xe0\n",
		/* koi8-r */
		"a@b.test,\xe1\xce\xce\xc1,\xed\xcf\xd3\xcb\xd7\xc1\n",
		/* cp866 */
		"a@b.test,\x80\xad\xad\xa0,\x8c\xae\xe1\xaa\xa2\xa0\n",
		/* cp1253 */
		"a@b.test,\xc3\xe9\xfe\xf1\xe3\xef\xf2,\xc1\xe8\xde\xed\xe1\n",
		/* cp1255 */
		"a@b.test,\xf9\xec\xe5\xed,\xfa\xec \xe0\xe1\xe9\xe1\n",
		/* cp1256 */
		"a@b.test,\xe3\xcd\xe3\xcf \xda\xe1\xed,\xc7\xe1\xde\xc7\xe5\xd1\xc9\n",
		/* cp850 */
		"a@b.test,J\x81rgen Gro\xe1,K\x94ln\n",
		/* cp850 */
		"a@b.test,Ren\x82 M\x81ller,Orl\x82"
		"ans\n",
		/* mac_roman */
		"a@b.test,J\x9frgen,D\x9fsseldorf\n",
		/* mac_roman */
		"a@b.test,Ren\x8e,Besan\x8don\n",
		/* cp874 */
		"a@b.test,\xca\xc1\xaa\xd2\xc2,\xa1\xc3\xd8\xa7\xe0\xb7\xbe\n",
	};
	struct buf out;

	buf_init(&out, 0);
	for (unsigned i = 0; i < ARRAY_LEN(western); i++)
		for (size_t piece = 1; piece < 40; piece += 13)
			if (!strcmp(read_as(slice_str(western[i]), piece, &out), "binary"))
				fail_msg("western %u is refused", i);
	for (unsigned i = 0; i < ARRAY_LEN(others); i++)
		for (size_t piece = 1; piece < 40; piece += 13)
			if (strcmp(read_as(slice_str(others[i]), piece, &out), "binary") != 0)
				fail_msg("other %u is taken", i);
	buf_free(&out);
	expect_read(SLICE("\0\0\0e\0\0\0m\0\0\0a\0\0\0i"), "binary");
	expect_read(SLICE("e\0\0\0m\0\0\0a\0\0\0i\0\0\0"), "binary");
	expect_read(SLICE("m\0a\0i\0l\0\n\0\x10\x04\x3d\x04\x3d\x04\x30\x04"),
		    "utf-16le:mail\n\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0");
}

static void utf8_with_damage_stays_utf8(void **state UNUSED)
{
	expect_read(SLICE("abcdefgh,\xc3\xa9,\xff,\xc3\xa9\n"),
		    "utf-8:abcdefgh,\xc3\xa9,\xff,\xc3\xa9\n");
}

static void half_a_pair_is_replaced(void **state UNUSED)
{
	expect_read(SLICE("\xff\xfe"
			  "\x3d\xd8\x00\xde"
			  "\x3d\xd8"
			  "a\0"
			  "\x00\xde"
			  "b"),
		    "utf-16le:\xef\xbb\xbf\xf0\x9f\x98\x80\xef\xbf\xbd"
		    "a\xef\xbf\xbd\xef\xbf\xbd");
}

/* ---- separators -------------------------------------------------------------------------- */

static bool is_email(void *arg UNUSED, struct slice title)
{
	return title_alike(title, SLICE("email"));
}

static void expect_separator(const char *head, char sign, bool line)
{
	struct separator s = separator_find(slice_str(head), true, is_email, NULL);

	assert_int_equal(s.sign, sign);
	assert_int_equal(s.line, line);
}

static void the_separator_is_the_one_that_makes_columns(void **state UNUSED)
{
	expect_separator("email,name\na@b.test,x\n", ',', false);
	expect_separator("email;name\r\na@b.test;x\r\n", ';', false);
	expect_separator("email\tname\na@b.test\tx\n", '\t', false);
	expect_separator("name|email\nx|a@b.test\n", '|', false);
	expect_separator("email\na@b.test\n", ',', false);
	expect_separator("email,name\na@b.test,\"x\" y\nc@d.test,z\n", ',', false);
	expect_separator("email;name, first;city, land\na@b.test;x, y;z\n", ';', false);
	expect_separator("\"name; first\",email\nx,a@b.test\n", ',', false);
	expect_separator("kontakt;ort\na@b.test;Ulm\n", ';', false);
	expect_separator("", ',', false);
}

static void a_sep_line_says_the_separator(void **state UNUSED)
{
	expect_separator("sep=;\r\nemail;name\r\n", ';', true);
	expect_separator("SEP=\t\nemail\tname\n", '\t', true);
	expect_separator("\xef\xbb\xbf\"sep=^\"\r\nemail^name\r\n", '^', true);
	expect_separator("sep=ab\n", ',', false);
}

/* ---- titles and standings ---------------------------------------------------------------- */

static void a_title_folds_to_plain_letters(void **state UNUSED)
{
	static const char *const titles[][2] = {
		{ "E-Mail 1 - Value", "e_mail_1_value" },
		{ "Pr\xc3\xa9nom", "prenom" },
		{ "Pre\xcc\x81nom", "prenom" },
		{ "Stra\xc3\x9f"
		  "e",
		  "strasse" },
		{ "\xc5\x92uvre", "oeuvre" },
		{ "imi\xc4\x99", "imie" },
		{ " __x__ ", "x" },
		{ "\xd0\x98\xd0\xbc\xd1\x8f", "" },
		{ "$@&*", "" },
	};
	char folded[TITLE_FOLDED_MAX];

	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		title_fold(slice_str(titles[i][0]), folded);
		assert_string_equal(folded, titles[i][1]);
	}
}

static void a_title_is_known_in_the_languages_of_exports(void **state UNUSED)
{
	static const struct {
		const char *title;
		enum title_target target;
	} titles[] = {
		{ "Emailadresse", TITLE_EMAIL },
		{ "Adresse e-mail", TITLE_EMAIL },
		{ "E-mail Address", TITLE_EMAIL },
		{ "E-mail 2 Address", TITLE_NONE },
		{ "Direcci\xc3\xb3n de correo electr\xc3\xb3nico", TITLE_EMAIL },
		{ "E-mailadres", TITLE_EMAIL },
		{ "Voornaam", TITLE_FIRST },
		{ "Apellidos", TITLE_LAST },
		{ "Nom", TITLE_LAST },
		{ "UNSUB_TIME", TITLE_OPT_OUT },
		{ "CLEAN_TIME", TITLE_BOUNCED },
		{ "Accepts Marketing", TITLE_OPT_IN },
		{ "State", TITLE_NONE },
		{ "isActive", TITLE_OPT_IN },
		{ "Subscription status", TITLE_STATUS },
	};
	char folded[TITLE_FOLDED_MAX];

	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		title_fold(slice_str(titles[i].title), folded);
		assert_int_equal(title_find(folded), titles[i].target);
	}
}

static void a_standing_is_known_or_it_is_said_that_it_is_not(void **state UNUSED)
{
	static const struct {
		enum title_target target;
		const char *cell;
		int standing;
	} cells[] = {
		{ TITLE_STATUS, "Subscribed", CONTACT_SUBSCRIBED },
		{ TITLE_STATUS, "unsubscribed", CONTACT_UNSUBSCRIBED },
		{ TITLE_STATUS, "Opted-out", CONTACT_UNSUBSCRIBED },
		{ TITLE_STATUS, "blocklisted", CONTACT_UNSUBSCRIBED },
		{ TITLE_STATUS, "cleaned", CONTACT_BOUNCED },
		{ TITLE_STATUS, "Spam Complaint", CONTACT_COMPLAINED },
		{ TITLE_STATUS, "d\xc3\xa9sinscrit", CONTACT_UNSUBSCRIBED },
		{ TITLE_STATUS, "dado de baja", CONTACT_UNSUBSCRIBED },
		{ TITLE_STATUS, "", CONTACT_SUBSCRIBED },
		{ TITLE_STATUS, "gold", 0 },
		{ TITLE_STATUS, "1", 0 },
		{ TITLE_STATUS, "\xe9\x80\x80", 0 },
		{ TITLE_OPT_OUT, "yes", CONTACT_UNSUBSCRIBED },
		{ TITLE_OPT_OUT, "0", CONTACT_SUBSCRIBED },
		{ TITLE_OPT_OUT, "2024-01-31 10:00:00", CONTACT_UNSUBSCRIBED },
		{ TITLE_OPT_OUT, "1/31/2024", CONTACT_UNSUBSCRIBED },
		{ TITLE_OPT_OUT, "perhaps", 0 },
		{ TITLE_BOUNCED, "ja", CONTACT_BOUNCED },
		{ TITLE_OPT_IN, "no", CONTACT_UNSUBSCRIBED },
		{ TITLE_OPT_IN, "oui", CONTACT_SUBSCRIBED },
		{ TITLE_OPT_IN, "2018-02-12", CONTACT_SUBSCRIBED },
		{ TITLE_OPT_IN, "UNSUBSCRIBED", CONTACT_UNSUBSCRIBED },
	};

	for (size_t i = 0; i < ARRAY_LEN(cells); i++)
		assert_int_equal(standing_of_cell(cells[i].target, slice_str(cells[i].cell)),
				 cells[i].standing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_sees_is_cut_off_at_both_ends),
		cmocka_unit_test(a_character_set_is_recognised_and_read),
		cmocka_unit_test(a_set_that_is_not_known_is_not_guessed_at),
		cmocka_unit_test(utf8_with_damage_stays_utf8),
		cmocka_unit_test(half_a_pair_is_replaced),
		cmocka_unit_test(the_separator_is_the_one_that_makes_columns),
		cmocka_unit_test(a_sep_line_says_the_separator),
		cmocka_unit_test(a_title_folds_to_plain_letters),
		cmocka_unit_test(a_title_is_known_in_the_languages_of_exports),
		cmocka_unit_test(a_standing_is_known_or_it_is_said_that_it_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
