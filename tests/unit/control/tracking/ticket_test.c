/* control/tracking/ticket: links in mail that only we can have made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "control/tracking/ticket.h"

static const struct ticket_subject someone = { 7, 0x123456789abcULL, 4711,
					       "Ann.Example@mail.test" };

static struct ticket_key key_of(uint8_t id, char fill)
{
	struct ticket_key key;
	char secret[32];

	memset(secret, fill, sizeof(secret));
	assert_int_equal(ticket_key_init(&key, id, slice_of(secret, sizeof(secret))), 0);
	return key;
}

static void a_ticket_opens_to_what_it_was_made_of(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a');
	struct ticket_subject got;
	char text[TICKET_TEXT_MAX];

	assert_int_equal(ticket_open(&key, slice_str(ticket_make(&key, &someone, text)), &got), 0);
	assert_int_equal(got.org, someone.org);
	assert_int_equal(got.campaign, someone.campaign);
	assert_int_equal(got.seq, someone.seq);
	assert_string_equal(got.address, someone.address);
}

static void the_same_recipient_always_has_the_same_ticket(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a');
	char one[TICKET_TEXT_MAX], two[TICKET_TEXT_MAX];

	assert_string_equal(ticket_make(&key, &someone, one), ticket_make(&key, &someone, two));
}

static void any_changed_character_is_refused(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a');
	struct ticket_subject got;
	char text[TICKET_TEXT_MAX];

	ticket_make(&key, &someone, text);
	for (size_t i = 0; text[i]; i++) {
		char was = text[i];

		for (const char *other = "AQgw_-9z"; *other; other++) {
			text[i] = *other;
			if (*other != was)
				assert_true(ticket_open(&key, slice_str(text), &got) < 0);
		}
		text[i] = was;
	}
}

static void other_lengths_are_no_tickets(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a');
	struct ticket_subject got;
	char text[TICKET_TEXT_MAX];
	size_t n = strlen(ticket_make(&key, &someone, text));

	for (size_t i = 0; i < n; i++)
		assert_true(ticket_open(&key, slice_of(text, i), &got) < 0);
	text[n] = 'A';
	assert_true(ticket_open(&key, slice_of(text, n + 1), &got) < 0);
	memset(text, 'A', sizeof(text));
	assert_int_equal(ticket_open(&key, slice_of(text, sizeof(text)), &got), E_SYNTAX);
}

static void another_key_does_not_open_it(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a'), same_id = key_of(1, 'b'), other_id = key_of(2, 'a');
	struct ticket_subject got;
	char text[TICKET_TEXT_MAX];

	ticket_make(&key, &someone, text);
	assert_int_equal(ticket_open(&same_id, slice_str(text), &got), E_DENIED);
	assert_int_equal(ticket_open(&other_id, slice_str(text), &got), E_DENIED);
}

static void neighbours_do_not_look_alike(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a');
	struct ticket_subject next = { someone.org, someone.campaign, someone.seq + 1,
				       "Ann.Example@mail.test" };
	char one[TICKET_TEXT_MAX], two[TICKET_TEXT_MAX];
	unsigned same = 0;

	ticket_make(&key, &someone, one);
	ticket_make(&key, &next, two);
	for (size_t i = 3; one[i]; i++)
		same += one[i] == two[i];
	assert_in_range(same, 0, 10);
}

/* Made by the program before tickets held the address; recipients keep mail for years. */
static void a_link_in_mail_of_an_older_version_still_opens(void **state UNUSED)
{
	static const char old[] = "AQFFEaeVyScy5kYZ8SISul93yT3OTavaqpX4pERzyYSPRg";
	struct ticket_key key = key_of(1, 'a');
	struct ticket_subject got;

	assert_int_equal(ticket_open(&key, slice_str(old), &got), 0);
	assert_int_equal(got.org, someone.org);
	assert_int_equal(got.campaign, someone.campaign);
	assert_int_equal(got.seq, someone.seq);
	assert_string_equal(got.address, "");
}

static void the_longest_address_has_a_ticket(void **state UNUSED)
{
	struct ticket_key key = key_of(1, 'a');
	struct ticket_subject longest = { 7, 1, 1, "" }, got;
	char text[TICKET_TEXT_MAX];

	memset(longest.address, 'a', MAILBOX_MAX);
	assert_int_equal(ticket_open(&key, slice_str(ticket_make(&key, &longest, text)), &got), 0);
	assert_string_equal(got.address, longest.address);
}

static void a_short_secret_is_refused(void **state UNUSED)
{
	struct ticket_key key;

	assert_int_equal(ticket_key_init(&key, 1, SLICE("too short")), E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ticket_opens_to_what_it_was_made_of),
		cmocka_unit_test(the_same_recipient_always_has_the_same_ticket),
		cmocka_unit_test(any_changed_character_is_refused),
		cmocka_unit_test(other_lengths_are_no_tickets),
		cmocka_unit_test(another_key_does_not_open_it),
		cmocka_unit_test(neighbours_do_not_look_alike),
		cmocka_unit_test(a_link_in_mail_of_an_older_version_still_opens),
		cmocka_unit_test(the_longest_address_has_a_ticket),
		cmocka_unit_test(a_short_secret_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
