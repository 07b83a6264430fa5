/* A message that libopendkim does not verify does not leave: this wraps sign_message() and spoils
 * its signatures. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "dkim/keydir.h"
#include "mta/deliver/deliverer.h"
#include "tests/replay/engine_world.h"

int __real_sign_message(struct sign_key *const *keys, unsigned n, struct slice message,
			int64_t now_s, struct buf *out);
int __wrap_sign_message(struct sign_key *const *keys, unsigned n, struct slice message,
			int64_t now_s, struct buf *out);

static unsigned made, spoil_from, spoil_to; /* signatures of these numbers are spoiled */

/* Changes the last character of b= before the padding. */
static void spoil(struct buf *out)
{
	char *p = (char *)(uintptr_t)buf_data(out).p, *end = p + buf_len(out) - 2;

	while (end[-1] == '=')
		end--;
	end[-3] = end[-3] == 'A' ? 'B' : 'A';
}

int __wrap_sign_message(struct sign_key *const *keys, unsigned n, struct slice message,
			int64_t now_s, struct buf *out)
{
	int r = __real_sign_message(keys, n, message, now_s, out);

	made++;
	if (r == 0 && made >= spoil_from && made < spoil_to)
		spoil(out);
	return r;
}

struct desk {
	struct world w;
	char dir[64], config[512];
	bool two; /* has a second key */
};

static void new_key(struct desk *d, const char *selector)
{
	struct buf pem, txt;

	buf_init(&pem, 0);
	buf_init(&txt, 0);
	assert_int_equal(sign_key_generate(SIGN_RSA, &pem, &txt), 0);
	assert_int_equal(
	    keydir_store(d->dir, SLICE("signed.test"), slice_str(selector), buf_data(&pem)), 0);
	buf_free(&pem);
	buf_free(&txt);
}

static void open_desk(struct desk *d)
{
	(void)snprintf(d->dir, sizeof(d->dir), "/tmp/postern-judge.XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	(void)snprintf(d->config, sizeof(d->config), CONFIG "keys.dir = %s\n", d->dir);
	new_key(d, "one");
	made = spoil_from = spoil_to = 0;
	world_open(&d->w, d->config, decent);
	d->w.sign_domain = SLICE("signed.test");
}

static void close_desk(struct desk *d)
{
	char domain[96];

	world_end(&d->w);
	assert_int_equal(keydir_remove(d->dir, SLICE("signed.test"), SLICE("one")), 0);
	if (d->two)
		assert_int_equal(keydir_remove(d->dir, SLICE("signed.test"), SLICE("two")), 0);
	(void)snprintf(domain, sizeof(domain), "%s/signed.test", d->dir);
	(void)rmdir(domain); /* the last key may have taken it along */
	assert_int_equal(rmdir(d->dir), 0);
}

static void while_a_first_signature_does_not_verify_nothing_of_the_domain_leaves(void **state)
{
	struct desk d = { .two = false };

	(void)state;
	open_desk(&d);
	spoil_from = 1;
	spoil_to = UINT32_MAX;
	for (unsigned i = 0; i < 20; i++)
		world_submit(&d.w, one_rcpt, 1, DAY, "control", i);
	world_run(&d.w, 5 * MINUTE);
	assert_int_equal(conn_sim_messages(), 0);
	assert_int_equal(world_books(&d.w).queued, 20);
	assert_int_equal(world_books(&d.w).deferred_attempts, 20);
	assert_int_equal(COUNTER(&d.w, judged), 20); /* each one anew, as none has passed */
	spoil_to = 0;
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 20);
	assert_int_equal(COUNTER(&d.w, judged), 21); /* and one that passed */
	close_desk(&d);
}

static void after_the_keys_changed_the_first_signature_is_judged_again(void **state)
{
	struct desk d = { .two = false };

	(void)state;
	open_desk(&d);
	world_submit(&d.w, one_rcpt, 1, DAY, "control", 1);
	world_run(&d.w, MINUTE);
	assert_int_equal(world_books(&d.w).delivered, 1);
	new_key(&d, "two");
	d.two = true;
	deliver_keys_changed(d.w.engine, SLICE("signed.test"));
	spoil_from = made + 1;
	spoil_to = made + 2;
	world_submit(&d.w, one_rcpt, 1, DAY, "control", 2);
	world_run(&d.w, MINUTE);
	assert_int_equal(world_books(&d.w).delivered, 1);
	assert_int_equal(COUNTER(&d.w, judged), 2);
	world_run(&d.w, HOUR);
	assert_int_equal(world_books(&d.w).delivered, 2);
	close_desk(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    while_a_first_signature_does_not_verify_nothing_of_the_domain_leaves),
		cmocka_unit_test(after_the_keys_changed_the_first_signature_is_judged_again),
	};

	return cmocka_run_group_tests_name("engine_judge", tests, NULL, NULL);
}
