/* tests/unit/message/report/corpus_test.c - messages of our own words in the shapes that come back,
 * held to what each says: prints the score, and fails where one differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/file.h"
#include "message/report/returned.h"

#define NOTICE "From: MAILER-DAEMON@a.example\nSubject: Undelivered Mail\nMIME-Version: 1.0\n"

static struct judge *shipped;

struct row {
	struct slice file, kind, recipient, status, class, hardness;
};
struct score {
	unsigned n, hits, false_hard, lost, same, named, found;
};

static int open_shipped(void **state)
{
	char error[JUDGE_ERROR_MAX] = "";
	int r = judge_load(&shipped, NULL, false, error);

	(void)state;
	assert_string_equal(error, "");
	return r;
}

static int close_shipped(void **state)
{
	(void)state;
	shipped = judge_free(shipped);
	return 0;
}

static struct returned *read_file(struct slice name)
{
	char path[1024];
	struct buf text = { 0 };
	struct returned *r;

	(void)snprintf(path, sizeof(path), REPORTS "messages/%.*s", (int)name.n, name.p);
	assert_int_equal(file_read(path, RETURNED_BYTES_MAX, &text), 0);
	r = returned_read(shipped, buf_data(&text));
	buf_free(&text);
	return r;
}

static const struct returned_recipient *find(const struct returned *r, struct slice address)
{
	for (unsigned i = 0; i < r->n; i++)
		if (slice_eq_nocase(mailbox_text(&r->recipients[i].box), address))
			return &r->recipients[i];
	return NULL;
}

static bool as_expected(const struct row *row, const struct returned_recipient *to)
{
	char status[STATUS_TEXT_MAX];

	return slice_eq(row->status, slice_str(status_format(to->status, status))) &&
	       (!row->class.n || slice_eq(row->class, slice_str(judge_class_name(to->class)))) &&
	       to->hard == slice_eq(row->hardness, SLICE("hard"));
}

static unsigned count_row(const struct row *row, const struct returned *r, struct score *s)
{
	const struct returned_recipient *to = find(r, row->recipient);
	bool hard = slice_eq(row->hardness, SLICE("hard")), called = to && to->hard;

	s->n++;
	s->named += row->recipient.n > 0;
	s->found += to != NULL;
	s->hits += hard && called;
	s->false_hard += !hard && called;
	s->lost += hard && !called;
	s->same += hard == called;
	if (slice_eq(row->kind, slice_str(returned_kind_name(r->kind))) &&
	    (row->recipient.n ? to && as_expected(row, to) : r->n == 0))
		return 0;
	printf("%.*s: kind %s, %u recipients, class %s%s\n", (int)row->file.n, row->file.p,
	       returned_kind_name(r->kind), r->n, to ? judge_class_name(to->class) : "-",
	       called ? ", hard" : "");
	return 1;
}

static struct row take_row(struct slice *rest)
{
	struct slice line = slice_take(rest, '\n');
	struct row row;

	row.file = slice_take(&line, '\t');
	row.kind = slice_take(&line, '\t');
	row.recipient = slice_take(&line, '\t');
	row.status = slice_take(&line, '\t');
	row.class = slice_take(&line, '\t');
	row.hardness = line;
	return row;
}

static void every_message_says_what_it_says(void **state)
{
	struct buf table = { 0 };
	struct score s = { 0 };
	struct slice rest;
	unsigned wrong = 0;

	(void)state;
	assert_int_equal(file_read(REPORTS "expected.tsv", 1 << 20, &table), 0);
	rest = buf_data(&table);
	(void)take_row(&rest);
	while (rest.n) {
		struct row row = take_row(&rest);
		OWNED(returned) r = read_file(row.file);
		wrong += count_row(&row, r, &s);
	}
	printf("reports: %u rows, hard found %u, lost %u, false %u, agreement %u, "
	       "recipients %u of %u\n",
	       s.n, s.hits, s.lost, s.false_hard, s.same, s.found, s.named);
	assert_true(s.n >= 40);
	assert_int_equal(wrong, 0);
	buf_free(&table);
}

static void assert_slice(struct slice s, const char *text)
{
	assert_true(slice_eq(s, slice_str(text)));
}

static void the_ids_of_the_sent_message_are_found(void **state)
{
	OWNED(returned) r = read_file(SLICE("dsn-unknown.eml"));

	(void)state;
	assert_slice(r->message_id, "order-dsn-unknown@sender.example");
	assert_slice(r->envelope_id, "env-77");
	assert_slice(r->returned_to, "b+k7q2m4@bounce.sender.example");
	assert_slice(r->return_path, "b+k7q2m4@bounce.sender.example");
	assert_int_equal(r->n_extra, 1);
	assert_slice(r->extra[0].name, "X-Postern-Job");
	assert_slice(r->extra[0].value, "dsn-unknown");
	assert_int_equal(r->recipients[0].code, 550);
}

static void ids_are_found_in_prose_too(void **state)
{
	OWNED(returned) r = read_file(SLICE("qmail.eml"));

	(void)state;
	assert_slice(r->message_id, "order-q@sender.example");
	assert_slice(r->extra[0].value, "q");
}

static void a_redacted_complaint_still_names_the_message(void **state)
{
	OWNED(returned) r = read_file(SLICE("arf-redacted.eml"));

	(void)state;
	assert_int_equal(r->kind, RETURNED_ARF);
	assert_int_equal(r->n, 0);
	assert_slice(r->message_id, "order-arf2@sender.example");
	assert_slice(r->feedback_type, "abuse");
}

static void the_address_that_we_wrote_to_is_told_beside_the_one_that_failed(void **state)
{
	OWNED(returned) r = read_file(SLICE("dsn-xtext.eml"));

	(void)state;
	assert_slice(mailbox_text(&r->recipients[0].box), "box77@store.example");
	assert_slice(mailbox_text(&r->recipients[0].original), "anna+news@dest.example");
}

static void texts_are_cut_at_whole_characters(void **state)
{
	struct buf text = { 0 };
	struct returned *r;

	(void)state;
	buf_put(&text, SLICE(NOTICE "Content-Type: text/plain; charset=utf-8\n\n<a@b.example>: x"));
	for (unsigned i = 0; i < 500; i++)
		buf_put(&text, SLICE("\xe3\x81\xb2"));
	r = returned_read(shipped, buf_data(&text));
	assert_int_equal(r->n, 1);
	assert_int_equal(r->recipients[0].text.n, RETURNED_TEXT_MAX);
	assert_true(utf8_valid(r->recipients[0].text));
	r = returned_free(r);
	buf_free(&text);
}

static void a_message_for_people_is_no_notice(void **state)
{
	const char *messages[] = {
		"From: Ann <ann@y.example>\nSubject: Re: undeliverable parcel\n\nIt could not be "
		"delivered to ann@y.example.\n",
		"From: postmaster@x.example\nSubject: Maintenance\n\nNo mail on Sunday.\n",
		"From: Joe <joe@x.example>\nSubject: hi\nReturn-Path: <>\n\nI moved: "
		"joe@z.example\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		OWNED(returned) r = returned_read(shipped, slice_str(messages[i]));
		assert_int_equal(r->kind, RETURNED_OTHER);
		assert_int_equal(r->n, 0);
	}
}

/* A child that can open no file any more. */
static int read_without_files(void)
{
	const struct rlimit none = { 0, 0 };
	char text[] = NOTICE "Content-Type: text/plain; charset=windows-1251\n\nguz@ru.example\n"
			     "550 \xed\xe5\xf2 \xf2\xe0\xea\xee\xe3\xee "
			     "\xef\xee\xeb\xfc\xe7\xee\xe2\xe0\xf2\xe5\xeb\xff\n";
	OWNED(returned) r = NULL;

	returned_prepare();
	if (setrlimit(RLIMIT_NOFILE, &none) < 0 || open("/dev/null", O_RDONLY) >= 0)
		return 2;
	r = returned_read(shipped, slice_str(text));
	return r->n == 1 && r->recipients[0].hard ? 0 : 1;
}

static void a_reader_without_files_knows_the_character_sets_of_mail(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(read_without_files());
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* ---- bounds -------------------------------------------------------------------------------- */

/* The unit n times behind the head; each "#" in it is its number. */
static struct returned *read_many(const char *head, const char *unit, unsigned n)
{
	struct buf text = { 0 };
	struct returned *r;

	buf_put(&text, slice_str(head));
	for (unsigned i = 0; i < n; i++)
		for (const char *c = unit; *c; c++)
			if (*c == '#')
				buf_putf(&text, "%u", i);
			else
				buf_put(&text, slice_of(c, 1));
	r = returned_read(shipped, buf_data(&text));
	buf_free(&text);
	return r;
}

static void no_more_than_a_thousand_recipients_are_taken(void **state)
{
	OWNED(returned)
	fields = read_many(
	    NOTICE "Content-Type: message/delivery-status\n\n",
	    "Final-Recipient: rfc822; u#@b.example\nAction: failed\nStatus: 5.1.1\n\n", 5000);
	OWNED(returned)
	prose = read_many(NOTICE "\n", "<u#@b.example>: 550 5.1.1 no such user\n\n", 5000);

	(void)state;
	assert_int_equal(fields->n, RETURNED_RECIPIENTS_MAX);
	assert_int_equal(prose->n, RETURNED_RECIPIENTS_MAX);
}

static void parts_in_parts_end_somewhere(void **state)
{
	OWNED(returned)
	r = read_many(NOTICE, "Content-Type: multipart/mixed; boundary=\"b#\"\n\n--b#\n", 20000);
	OWNED(returned) inner = read_many(NOTICE, "Content-Type: message/rfc822\n\n", 20000);

	(void)state;
	assert_int_equal(r->n, 0);
	assert_int_equal(inner->n, 0);
}

static void a_header_without_end_is_no_work(void **state)
{
	OWNED(returned) r = read_many(NOTICE, "X-Field: u#@b.example\n", 40000);

	(void)state;
	assert_true(r->n <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_says_what_it_says),
		cmocka_unit_test(the_ids_of_the_sent_message_are_found),
		cmocka_unit_test(ids_are_found_in_prose_too),
		cmocka_unit_test(a_redacted_complaint_still_names_the_message),
		cmocka_unit_test(the_address_that_we_wrote_to_is_told_beside_the_one_that_failed),
		cmocka_unit_test(texts_are_cut_at_whole_characters),
		cmocka_unit_test(a_message_for_people_is_no_notice),
		cmocka_unit_test(a_reader_without_files_knows_the_character_sets_of_mail),
		cmocka_unit_test(no_more_than_a_thousand_recipients_are_taken),
		cmocka_unit_test(parts_in_parts_end_somewhere),
		cmocka_unit_test(a_header_without_end_is_no_work),
	};

	return cmocka_run_group_tests(tests, open_shipped, close_shipped);
}
