/* The resolver against servers that lie, stall, break off or are silent. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/dns/lied.h"

/* One liar, who lies first and then tells the truth: the truth must arrive. */
static struct resolver_stats truth_after(liar_fn lies)
{
	struct resolver_stats s;
	struct liar l;

	liar_start(&l, lies, NULL);
	resolve_with(&l, 1, LONG_MS, 1);
	assert_true(got_truth());
	s = resolved();
	liar_stop(&l);
	return s;
}

static void other_ids(const struct liar_question *q)
{
	struct lie lie;

	evil(&lie, q);
	for (int i = 1; i <= 20; i++) {
		lie.bytes[1] = (uint8_t)(q->bytes[1] + i);
		lie_send(&lie, q);
	}
	tell_truth(q);
}

static void answers_with_another_id_are_passed_over(void **state UNUSED)
{
	assert_int_equal(truth_after(other_ids).ignored, 20);
}

static void other_questions(const struct liar_question *q)
{
	struct lie lie;

	evil(&lie, q);
	lie.bytes[13] = 'b'; /* b.example */
	lie_send(&lie, q);
	evil(&lie, q);
	lie.bytes[12 + 11 + 1] = 28; /* AAAA */
	lie_send(&lie, q);
	evil(&lie, q);
	lie.bytes[12 + 11 + 3] = 3; /* CHAOS */
	lie_send(&lie, q);
	evil(&lie, q);
	lie.bytes[5] = 0; /* no question */
	lie_send(&lie, q);
	evil(&lie, q);
	lie.bytes[2] &= 0x7f; /* itself a question */
	lie_send(&lie, q);
	evil(&lie, q);
	lie.bytes[2] |= 0x20; /* STATUS */
	lie_send(&lie, q);
	tell_truth(q);
}

static void answers_to_another_question_are_passed_over(void **state UNUSED)
{
	assert_int_equal(truth_after(other_questions).ignored, 6);
}

static void short_packets(const struct liar_question *q)
{
	struct lie lie;

	evil(&lie, q);
	for (lie.n = 0; lie.n < 27; lie.n++)
		lie_send(&lie, q);
	tell_truth(q);
}

static void packets_cut_short_are_passed_over(void **state UNUSED)
{
	assert_int_equal(truth_after(short_packets).ignored, 27);
}

static void send_pointer_loop(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie_record(&lie, NULL, 5, 300, "\xc0\x27", 2); /* an alias to itself, by position */
	lie.bytes[lie.n - 2] = 0xc0;
	lie.bytes[lie.n - 1] = (uint8_t)(lie.n - 2);
	lie_send(&lie, q);
}

static void garbage(const struct liar_question *q)
{
	struct lie lie;
	uint64_t x = 1;

	send_pointer_loop(q);
	for (int i = 0; i < 50; i++) { /* right id and question, the rest noise */
		lie_start(&lie, q);
		lie.bytes[7] = (uint8_t)(1 + i);
		for (int k = 0; k < i * 7; k++)
			lie.bytes[lie.n++] = (uint8_t)((x = x * 6364136223846793005ULL + 1) >> 56);
		lie_send(&lie, q);
	}
	tell_truth(q);
}

static void garbage_behind_a_right_question_is_passed_over(void **state UNUSED)
{
	assert_int_equal(truth_after(garbage).ignored, 51);
}

static void from_another_port(const struct liar_question *q)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct lie lie;

	evil(&lie, q);
	for (int i = 0; i < 10; i++)
		(void)sendto(fd, lie.bytes, lie.n, 0, (const struct sockaddr *)&q->from,
			     sizeof(q->from));
	close(fd);
	tell_truth(q);
}

static void a_perfect_answer_from_another_port_never_arrives(void **state UNUSED)
{
	assert_int_equal(truth_after(from_another_port).ignored, 0);
}

/* Who sees the port but not the id: every other id, a thousand at a time, as long as it takes. */
static void flood(const struct liar_question *q)
{
	struct lie lie;

	evil(&lie, q);
	for (unsigned i = 1; i <= 65535; i++) {
		unsigned id = ((unsigned)q->bytes[0] << 8 | q->bytes[1]) + i;

		lie.bytes[0] = (uint8_t)(id >> 8);
		lie.bytes[1] = (uint8_t)id;
		lie_send(&lie, q);
	}
	for (int i = 0; i < 50; i++) { /* the receive buffer may be full of lies */
		tell_truth(q);
		usleep(2000);
	}
}

static void every_wrong_id_at_once_gets_nothing_accepted(void **state UNUSED)
{
	assert_true(truth_after(flood).ignored > 100);
}

static void ids_and_ports_are_fresh_for_every_question(void **state UNUSED)
{
	enum { ASKED = 200 };
	unsigned same_id = 0, same_port = 0, low_port = 0;
	char name[32];
	struct liar l;

	liar_start(&l, tell_truth, NULL);
	resolve_with(&l, 1, LONG_MS, 1);
	for (unsigned i = 0; i < ASKED; i++) {
		(void)snprintf(name, sizeof(name), "n%u.example", i);
		assert_int_equal(ask_liars(name, DNS_A), 0);
	}
	for (unsigned i = 0; i < ASKED; i++) {
		low_port += l.ports[i] < 40000;
		for (unsigned k = 0; k < i; k++) {
			same_id += l.ids[i] == l.ids[k];
			same_port += l.ports[i] == l.ports[k];
		}
	}
	/* Of 19,900 pairs 0.3 and 0.4 are expected to be equal. */
	assert_in_range(same_id, 0, 8);
	assert_in_range(same_port, 0, 8);
	assert_in_range(low_port, 50, 150);
	resolved();
	liar_stop(&l);
}

static void a_silent_server_gives_way_to_the_next_and_is_asked_last(void **state UNUSED)
{
	struct liar l[2];
	struct resolver_stats s;

	liar_start(&l[0], NULL, NULL);
	liar_start(&l[1], tell_truth, NULL);
	resolve_with(l, 2, SHORT_MS, 4);
	assert_true(got_truth());
	assert_int_equal(ask_liars("b.example", DNS_A), 0);
	s = resolved();
	assert_int_equal(s.timeouts, 1);
	assert_int_equal(atomic_load(&l[0].questions), 1);
	liar_stop(&l[0]);
	liar_stop(&l[1]);
}

static void silence_of_all_is_temporary_and_not_remembered(void **state UNUSED)
{
	struct liar l[2];
	struct resolver_stats s;

	liar_start(&l[0], NULL, NULL);
	liar_start(&l[1], NULL, NULL);
	resolve_with(l, 2, 20, 5);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	s = resolved();
	assert_int_equal(s.sent, 10);
	assert_int_equal(s.cache_hits, 0);
	liar_stop(&l[0]);
	liar_stop(&l[1]);
}

static void nobody_listening_is_temporary_at_once(void **state UNUSED)
{
	struct liar l;

	liar_start(&l, NULL, NULL);
	liar_stop(&l);
	resolve_with(&l, 1, LONG_MS, 4);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	assert_int_equal(resolved().timeouts, 0);
}

/* Kept back until its try is over: number 0 is answered only when number 1 has come. */
static struct liar_question kept;
static uint8_t kept_bytes[512];

static void too_late(const struct liar_question *q)
{
	struct lie lie;

	if (q->number == 0) {
		kept = *q;
		memcpy(kept_bytes, q->bytes, q->n);
		kept.bytes = kept_bytes;
		return;
	}
	evil(&lie, &kept);
	lie_send(&lie, &kept);
	tell_truth(q);
}

static void an_answer_to_a_try_that_is_over_finds_no_socket(void **state UNUSED)
{
	struct liar l;

	liar_start(&l, too_late, NULL);
	resolve_with(&l, 1, SHORT_MS, 3);
	assert_true(got_truth());
	assert_int_equal(resolved().ignored, 0);
	liar_stop(&l);
}

static void servfail(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie_rcode(&lie, q->number % 2 ? 5 : 2);
	lie_send(&lie, q);
}

static void a_refusal_goes_to_the_next_server_and_of_all_is_remembered_shortly(void **state UNUSED)
{
	struct liar l[2];
	struct resolver_stats s;

	liar_start(&l[0], servfail, NULL);
	liar_start(&l[1], tell_truth, NULL);
	resolve_with(l, 2, LONG_MS, 4);
	assert_true(got_truth());
	resolved();
	liar_stop(&l[1]);
	liar_start(&l[1], servfail, NULL);
	resolve_with(l, 2, LONG_MS, 4);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	s = resolved();
	assert_int_equal(s.sent, 2);
	assert_int_equal(s.cache_hits, 1);
	liar_stop(&l[0]);
	liar_stop(&l[1]);
}

static void no_edns(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie_rcode(&lie, 1);
	if (q->bytes[11])
		lie_send(&lie, q);
	else
		tell_truth(q);
}

static void a_server_from_before_edns_is_asked_without(void **state UNUSED)
{
	assert_int_equal(truth_after(no_edns).sent, 2);
}

/* ---- aliases and numbers ----------------------------------------------------------------- */

#define EXAMPLE                                                                                    \
	"\x07"                                                                                     \
	"example"

static void alias_circle(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie_record(&lie, NULL, 5, 300,
		   "\x01"
		   "b" EXAMPLE,
		   11);
	lie_record(&lie,
		   "\x01"
		   "b" EXAMPLE,
		   5, 300,
		   "\x01"
		   "a" EXAMPLE,
		   11);
	lie_send(&lie, q);
}

static void endless_aliases(const struct liar_question *q)
{
	char target[12] = "\x01"
			  "a" EXAMPLE;
	struct lie lie;

	target[1] = (char)('b' + q->number % 20);
	lie_start(&lie, q);
	lie_record(&lie, NULL, 5, 300, target, 11);
	lie_send(&lie, q);
}

static void aliases_in_a_circle_or_without_end_are_temporary(void **state UNUSED)
{
	struct liar l;

	liar_start(&l, alias_circle, NULL);
	resolve_with(&l, 1, LONG_MS, 1);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	assert_int_equal(resolved().sent, 1);
	liar_stop(&l);
	liar_start(&l, endless_aliases, NULL);
	resolve_with(&l, 1, LONG_MS, 1);
	assert_int_equal(ask_liars("a.example", DNS_A), E_DNS_TEMP);
	assert_int_equal(resolved().sent, 9);
	liar_stop(&l);
}

static void unasked_records(const struct liar_question *q)
{
	struct lie lie;

	lie_start(&lie, q);
	lie_record(&lie,
		   "\x01"
		   "x" EXAMPLE,
		   1, 300, "\x06\x06\x06\x06", 4);
	lie_record(&lie, NULL, 1, 0x80000001, "\xc0\x00\x02\x50", 4); /* counts as TTL 0 */
	lie_record(&lie, NULL, 28, 300, "aaaabbbbccccdddd", 16);
	lie_send(&lie, q);
}

static void records_that_were_not_asked_for_are_not_taken(void **state UNUSED)
{
	(void)truth_after(unasked_records);
	assert_int_equal(reply.ttl_s, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_with_another_id_are_passed_over),
		cmocka_unit_test(answers_to_another_question_are_passed_over),
		cmocka_unit_test(packets_cut_short_are_passed_over),
		cmocka_unit_test(garbage_behind_a_right_question_is_passed_over),
		cmocka_unit_test(a_perfect_answer_from_another_port_never_arrives),
		cmocka_unit_test(every_wrong_id_at_once_gets_nothing_accepted),
		cmocka_unit_test(ids_and_ports_are_fresh_for_every_question),
		cmocka_unit_test(a_silent_server_gives_way_to_the_next_and_is_asked_last),
		cmocka_unit_test(silence_of_all_is_temporary_and_not_remembered),
		cmocka_unit_test(nobody_listening_is_temporary_at_once),
		cmocka_unit_test(an_answer_to_a_try_that_is_over_finds_no_socket),
		cmocka_unit_test(
		    a_refusal_goes_to_the_next_server_and_of_all_is_remembered_shortly),
		cmocka_unit_test(a_server_from_before_edns_is_asked_without),
		cmocka_unit_test(aliases_in_a_circle_or_without_end_are_temporary),
		cmocka_unit_test(records_that_were_not_asked_for_are_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
