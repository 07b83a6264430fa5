/* Mail as it must be for a host, and who signs it: 8-bit mail for a host without 8BITMIME, domains
 * above, mail that nobody signs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "dkim/keydir.h"
#include "tests/replay/engine_world.h"

static const char bare[] = "say 220 mx.test\nreply EHLO 250 mx.test\nserve\n";

#define FROM "From: a@news.sender.test\r\nMIME-Version: 1.0\r\n"
static const char eight_bit[] = FROM "Content-Type: text/plain; charset=utf-8\r\n"
				     "Content-Transfer-Encoding: 8bit\r\n\r\nGr\xc3\xbc\xc3\x9f"
				     "e aus der Stadt an der Spree\r\n";
static const char seven_bit[] = FROM "Content-Type: text/plain; charset=utf-8\r\n"
				     "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
				     "Gr=C3=BC=C3=9Fe aus der Stadt an der Spree\r\n";
static const char signed_by_them[] =
    "DKIM-Signature: v=1; d=sender.test; s=x; b=AAAA\r\n" FROM
    "Content-Type: text/plain; charset=utf-8\r\n\r\nGr\xc3\xbc\xc3\x9f"
    "e aus der Stadt an der Spree\r\n";

struct desk {
	struct world w;
	char dir[64], config[512];
	const char *domain; /* has a key */
};

static void open_desk(struct desk *d, const char *domain, const char *options, const char *script)
{
	struct buf pem = { 0 }, txt = { 0 };

	*d = (struct desk){ .domain = domain };
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/postern-signing.XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	(void)snprintf(d->config, sizeof(d->config), CONFIG "keys.dir = %s\n%s", d->dir, options);
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), 0);
	assert_int_equal(keydir_store(d->dir, slice_str(domain), SLICE("one"), buf_data(&pem)), 0);
	buf_free(&pem);
	buf_free(&txt);
	world_open(&d->w, d->config, script);
}

static void close_desk(struct desk *d)
{
	char path[128];

	world_end(&d->w);
	assert_int_equal(keydir_remove(d->dir, slice_str(d->domain), SLICE("one")), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", d->dir, d->domain);
	(void)rmdir(path); /* the last key may have taken it along */
	assert_int_equal(rmdir(d->dir), 0);
}

static bool has(const char *text)
{
	struct slice m = conn_sim_message(conn_sim_messages() - 1);

	return memmem(m.p, m.n, text, strlen(text)) != NULL;
}

static void send_to(struct world *w, const char *raw, const char *script)
{
	world_open(w, CONFIG, script);
	w->raw = raw;
	world_submit(w, one_rcpt, 1, DAY, "control", 0);
	world_run(w, MINUTE);
}

/* ---- 8-bit mail -------------------------------------------------------------------------- */

static void eight_bit_mail_reaches_a_host_without_8bitmime(void **state)
{
	struct world w;

	(void)state;
	send_to(&w, eight_bit, bare);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_true(slice_eq(conn_sim_message(0), slice_str(seven_bit)));
	assert_int_equal(COUNTER(&w, recoded), 1);
	world_end(&w);
}

static void eight_bit_mail_stays_as_it_is_where_8bitmime_is_offered(void **state)
{
	struct world w;

	(void)state;
	send_to(&w, eight_bit, decent);
	assert_int_equal(world_books(&w).delivered, 1);
	assert_true(slice_eq(conn_sim_message(0), slice_str(eight_bit)));
	assert_int_equal(COUNTER(&w, recoded), 0);
	world_end(&w);
}

static void conversion_would_break_a_signature_that_is_not_ours(void **state)
{
	struct world w;

	(void)state;
	send_to(&w, signed_by_them, bare);
	assert_int_equal(world_books(&w).bounced, 1);
	assert_int_equal(COUNTER(&w, recoded), 0);
	assert_int_equal(conn_sim_messages(), 0);
	world_end(&w);
	send_to(&w, signed_by_them, decent);
	assert_int_equal(world_books(&w).delivered, 1);
	world_end(&w);
}

/* libopendkim, which judges a first message, would defer it otherwise. */
static void what_is_converted_is_signed_afterwards(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "news.sender.test", "", bare);
	d.w.sign_domain = SLICE("news.sender.test");
	d.w.raw = signed_by_them;
	world_submit(&d.w, one_rcpt, 1, DAY, "smtp", 0);
	world_run(&d.w, MINUTE);
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_int_equal(COUNTER(&d.w, judged), 1);
	assert_true(has("d=news.sender.test;") &&
		    has("Gr=C3=BC=C3=9Fe aus der Stadt an der Spree"));
	close_desk(&d);
}

static void an_8bit_header_is_bounced_where_8bitmime_is_missing(void **state)
{
	struct world w;

	(void)state;
	send_to(&w, "From: a@sender.test\r\nSubject: \xc3\xbc\r\n\r\nText\r\n", bare);
	assert_int_equal(world_books(&w).bounced, 1);
	world_end(&w);
}

/* ---- who signs --------------------------------------------------------------------------- */

static const char plain[] = FROM "\r\nText\r\n";

static void sends_from(struct desk *d, const char *origin)
{
	d->w.raw = plain;
	d->w.sign_domain = SLICE("news.sender.test");
	world_submit(&d->w, one_rcpt, 1, DAY, origin, 0);
	world_run(&d->w, MINUTE);
}

static void the_key_of_a_domain_above_signs(void **state)
{
	static const char *const origins[] = { "control", "smtp" };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(origins); i++) {
		struct desk d;

		open_desk(&d, "sender.test", "", decent);
		sends_from(&d, origins[i]);
		assert_int_equal(world_books(&d.w).delivered, 1);
		assert_true(has("d=sender.test;"));
		assert_int_equal(COUNTER(&d.w, judged), 1); /* by libopendkim */
		assert_int_equal(COUNTER(&d.w, unsigned_messages), 0);
		close_desk(&d);
	}
}

static void the_domains_own_key_comes_first(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "news.sender.test", "", decent);
	sends_from(&d, "control");
	assert_true(has("d=news.sender.test;"));
	close_desk(&d);
}

static void a_top_level_domain_signs_for_nobody(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "test", "", decent);
	sends_from(&d, "smtp");
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_false(has("DKIM-Signature"));
	close_desk(&d);
}

static void the_key_of_another_tenants_domain_does_not_sign(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "sender.test", "submission.senders = sender.test 7, news.sender.test 1\n",
		  decent);
	sends_from(&d, "smtp");
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_false(has("DKIM-Signature"));
	d.w.tenant = 7;
	sends_from(&d, "smtp");
	assert_int_equal(world_books(&d.w).delivered, 2);
	assert_true(has("d=sender.test;"));
	close_desk(&d);
}

static void unsigned_mail_is_counted(void **state)
{
	struct desk d;

	(void)state;
	open_desk(&d, "other.test", "", decent);
	sends_from(&d, "smtp");
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_int_equal(COUNTER(&d.w, unsigned_messages), 1);
	close_desk(&d);
}

static void where_signing_is_required_unsigned_mail_waits_for_a_key(void **state)
{
	struct desk d;
	struct buf pem = { 0 }, txt = { 0 };

	(void)state;
	open_desk(&d, "other.test", "sign.required = delivery\n", decent);
	sends_from(&d, "smtp");
	assert_int_equal(world_books(&d.w).delivered, 0);
	assert_int_equal(world_books(&d.w).deferred_attempts, 1);
	assert_int_equal(COUNTER(&d.w, unsigned_messages), 0);
	assert_int_equal(sign_key_generate(SIGN_ED25519, &pem, &txt), 0);
	assert_int_equal(keydir_store(d.dir, SLICE("sender.test"), SLICE("k"), buf_data(&pem)), 0);
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_true(has("d=sender.test;"));
	assert_int_equal(keydir_remove(d.dir, SLICE("sender.test"), SLICE("k")), 0);
	buf_free(&pem);
	buf_free(&txt);
	close_desk(&d);
}

static void a_key_file_that_others_can_read_does_not_sign(void **state)
{
	static const struct {
		mode_t mode;
		bool signs;
	} modes[] = { { 0600, true },  { 0640, true },  { 0400, true }, { 0644, false },
		      { 0604, false }, { 0660, false }, { 0601, false } };

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
		struct desk d;
		char path[128];

		open_desk(&d, "news.sender.test", "", decent);
		(void)snprintf(path, sizeof(path), "%s/news.sender.test/one.pem", d.dir);
		assert_int_equal(chmod(path, modes[i].mode), 0);
		sends_from(&d, "smtp");
		assert_int_equal(world_books(&d.w).delivered, modes[i].signs);
		assert_int_equal(world_books(&d.w).deferred_attempts, !modes[i].signs);
		close_desk(&d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eight_bit_mail_reaches_a_host_without_8bitmime),
		cmocka_unit_test(eight_bit_mail_stays_as_it_is_where_8bitmime_is_offered),
		cmocka_unit_test(conversion_would_break_a_signature_that_is_not_ours),
		cmocka_unit_test(what_is_converted_is_signed_afterwards),
		cmocka_unit_test(an_8bit_header_is_bounced_where_8bitmime_is_missing),
		cmocka_unit_test(the_key_of_a_domain_above_signs),
		cmocka_unit_test(the_domains_own_key_comes_first),
		cmocka_unit_test(a_top_level_domain_signs_for_nobody),
		cmocka_unit_test(the_key_of_another_tenants_domain_does_not_sign),
		cmocka_unit_test(unsigned_mail_is_counted),
		cmocka_unit_test(where_signing_is_required_unsigned_mail_waits_for_a_key),
		cmocka_unit_test(a_key_file_that_others_can_read_does_not_sign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
