/* message/refusal: which refusals say that a mailbox is gone, and which never do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "message/refusal.h"

struct refusal {
	unsigned code;
	const char *status, *text;
};

static void all_are(bool gone, const struct refusal *refusals, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (refusal_says_gone(refusals[i].code, slice_str(refusals[i].status),
				      slice_str(refusals[i].text)) != gone)
			fail_msg("%u %s %s: %s", refusals[i].code, refusals[i].status,
				 refusals[i].text, gone ? "is gone" : "is not said to be gone");
}

static void a_status_that_names_the_mailbox_is_enough(void **state UNUSED)
{
	static const struct refusal gone[] = {
		{ 550, "5.1.1", "" },
		{ 550, "5.1.1", "<ann@mail.test>: Recipient address rejected: User unknown" },
		{ 550, "5.1.1", "inactive email address" },
		{ 550, "5.1.2", "<ann@mail.test>... Host unknown" },
		{ 551, "5.1.6", "recipient no longer on server: ann@mail.test" },
		{ 550, "5.1.10",
		  "RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup" },
		{ 550, "5.2.1", "The account that you tried to reach is disabled" },
		{ 550, "5.2.1", "<ann@mail.test>... User Unknown" },
		{ 554, "5.1.1", "Mailbox does not exist" },
		{ 501, "5.1.1", "No such address" },
	};
	all_are(true, gone, ARRAY_LEN(gone));
}

static void without_a_status_the_words_count(void **state UNUSED)
{
	static const struct refusal gone[] = {
		{ 550, "", "No such user here" },
		{ 550, "", "No such user" },
		{ 550, "5.0.0", "no such USER here" },
		{ 550, "", "sorry, no mailbox here by that name (#5.1.1 - chkusr)" },
		{ 550, "", "<ann@mail.test>: User unknown" },
		{ 550, "", "unknown user<ann@mail.test>" },
		{ 550, "", "Unrouteable address" },
		{ 553, "", "sorry, this recipient does not exist" },
		{ 554, "5.0.0", "delivery error: dd This user doesn't have a mail.test account" },
		{ 550, "", "ann@mail.test... User\tunknown" },
		{ 551, "", "not our customer" },
		{ 550, "5.5.0", "Adresse destinataire invalide." },
		{ 550, "5.7.1", "<ann@mail.test>: Recipient address rejected: User unknown" },
		{ 550, "", "https://help.mail.test/?p=NoSuchUser ab12" },
		{ 550, "5.4.1",
		  "[ann@mail.test]: Recipient address rejected: Access denied [X.mail]" },
	};
	all_are(true, gone, ARRAY_LEN(gone));
}

static void what_is_refused_for_another_reason_is_not_gone(void **state UNUSED)
{
	static const struct refusal there[] = {
		{ 550, "", "" },
		{ 550, "5.0.0", "Requested action not taken" },
		{ 554, "5.7.1", "Access denied" },
		{ 550, "5.4.1", "All recipient addresses rejected : Access denied" },
		{ 550, "5.7.1", "Message content rejected, UBE, id=1" },
		{ 550, "5.7.1", "looks like spam; user unknown to our filters" },
		{ 552, "5.2.2", "Mailbox full" },
		{ 552, "5.1.1", "sorry, mailbox ann@mail.test is over quota temporarily" },
		{ 550, "5.1.1", "The user's mailbox is full" },
		{ 552, "", "no such user" },
		{ 550, "5.2.3", "message too large, user unknown" },
		{ 554, "", "Client host [192.0.2.1] blocked using a list; no such user" },
		{ 550, "5.1.1", "your host 192.0.2.1 is on our block list" },
		{ 553, "5.1.8", "Domain of sender address a@b.test does not exist" },
		{ 550, "5.1.1", "<us@sender.test>: Sender address rejected: User unknown" },
		{ 550, "5.1.2", "sender's domain not found" },
		{ 550, "5.7.26", "unauthenticated mail is refused by the domain's DMARC policy" },
		{ 550, "", "SPF check failed: domain not found" },
		{ 550, "5.7.25", "reverse DNS: host not found" },
		{ 550, "5.1.1", "address temporarily unknown, try again later" },
		{ 550, "5.2.1", "this user receives mail at a rate that prevents more" },
		{ 550, "5.7.1", "User ann temporary locked" },
		{ 550, "", "Relay access denied, user unknown" },
		{ 550, "5.6.0", "No such user" },
		{ 550, "5.3.4", "No such user" },
		{ 503, "", "no such user" },
		{ 450, "4.1.1", "User unknown" },
		{ 450, "5.1.1", "User unknown" },
		{ 250, "5.1.1", "User unknown" },
	};
	all_are(false, there, ARRAY_LEN(there));
}

static void words_within_addresses_do_not_count(void **state UNUSED)
{
	static const struct refusal gone[] = {
		{ 550, "5.1.1", "<spam.quota@blocked.test>: User unknown" },
		{ 550, "", "No such user full@policy.test" },
	};
	static const struct refusal there[] = {
		{ 554, "", "<no.such.user@mail.test> rejected" },
	};
	all_are(true, gone, ARRAY_LEN(gone));
	all_are(false, there, ARRAY_LEN(there));
}

static void what_we_found_out_ourselves_counts_for_domains_only(void **state UNUSED)
{
	static const struct refusal gone[] = {
		{ 0, "5.1.2", "the domain does not exist or has no mail host" },
		{ 0, "5.1.10", "the domain accepts no mail" },
	};
	static const struct refusal there[] = {
		{ 0, "5.1.1", "user unknown" },
		{ 0, "5.4.4", "no such user" },
		{ 0, "", "no such user" },
	};
	all_are(true, gone, ARRAY_LEN(gone));
	all_are(false, there, ARRAY_LEN(there));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_that_names_the_mailbox_is_enough),
		cmocka_unit_test(without_a_status_the_words_count),
		cmocka_unit_test(what_is_refused_for_another_reason_is_not_gone),
		cmocka_unit_test(words_within_addresses_do_not_count),
		cmocka_unit_test(what_we_found_out_ourselves_counts_for_domains_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
