/* The verifying process: it answers from its sandbox, and what becomes of a sign-in when it dies,
 * hangs or lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/skip.h"

#include "base/clock.h"
#include "base/encode.h"
#include "control/saml/ask.h"
#include "control/saml/reader.h"
#include "tests/unit/control/saml/idp.h"

/* In the process: what the test asks for in the request's id. */
static int answer_or_die(struct slice question, struct buf *out)
{
	struct saml_question q;
	char c;

	if (saml_question_get(question, &q) < 0)
		return E_SYNTAX;
	if (slice_eq(q.request, SLICE("die")))
		__builtin_trap();
	if (slice_eq(q.request, SLICE("hang")))
		while (read(STDIN_FILENO, &c, 1) > 0)
			;
	if (slice_eq(q.request, SLICE("lie")))
		return buf_append(out, SLICE("this is no answer"));
	if (slice_eq(q.request, SLICE("gush")))
		for (unsigned i = 0; i < 100; i++)
			buf_put(out, question);
	if (slice_eq(q.request, SLICE("open")) &&
	    (open("/etc/passwd", O_RDONLY) >= 0 || socket(AF_INET, SOCK_STREAM, 0) >= 0))
		__builtin_trap();
	return saml_reader_answer(question, out);
}

static enum saml_fault fault_when(const char *what, int64_t ms)
{
	struct saml_question q = idp_question();
	struct buf room = { 0 };
	struct saml_answer a = { 0 };

	q.request = slice_str(what);
	q.document = SLICE("PHIvPg==");
	assert_int_equal(saml_ask(&q, ms, &room, &a), 0);
	buf_free(&room);
	return a.fault;
}

static void it_verifies_without_files_and_network(void **state UNUSED)
{
	struct idp_response p = idp_plain();
	struct saml_question q = idp_question();
	struct buf text = { 0 }, encoded = { 0 }, room = { 0 };
	struct saml_answer a;
	xmlDoc *d;

	idp_write(&p, &text);
	d = idp_parse(buf_cstr(&text));
	idp_sign(d, idp_find(d, "Assertion"), &(struct idp_signing){ .key = IDP_EC });
	idp_text(d, &text);
	q.certificates[1] = idp_certificate(IDP_EC);
	q.n = 2;
	assert_int_equal(base64_encode(&encoded, buf_data(&text)), 0);
	q.document = buf_data(&encoded);
	assert_int_equal(saml_ask(&q, SAML_ASK_MS, &room, &a), 0);
	assert_string_equal(saml_fault_name(a.fault), "fine");
	assert_true(slice_eq(a.subject, SLICE(IDP_SUBJECT)));
	xmlFreeDoc(d);
	buf_free(&text);
	buf_free(&encoded);
	buf_free(&room);
	assert_int_equal(fault_when("open", SAML_ASK_MS), SAML_STRUCTURE);
}

static void one_that_dies_lies_or_gushes_refuses_one_sign_in(void **state UNUSED)
{
	assert_int_equal(fault_when("die", SAML_ASK_MS), SAML_BROKEN);
	assert_int_equal(fault_when("lie", SAML_ASK_MS), SAML_BROKEN);
	assert_int_equal(fault_when("gush", SAML_ASK_MS), SAML_BROKEN);
	assert_int_equal(fault_when("fine", SAML_ASK_MS), SAML_STRUCTURE);
}

static void one_that_hangs_is_ended(void **state UNUSED)
{
	int64_t began = clock_mono_ms();

	assert_int_equal(fault_when("hang", 300), SAML_BROKEN);
	assert_true(clock_mono_ms() - began >= 300);
}

static atomic_uint full, broken;

static void *hang(void *arg UNUSED)
{
	struct saml_question q = idp_question();
	struct buf room = { 0 };
	struct saml_answer a = { 0 };
	int r;

	q.request = SLICE("hang");
	r = saml_ask(&q, 60000, &room, &a);
	full += r == E_FULL;
	broken += r == 0 && a.fault == SAML_BROKEN;
	buf_free(&room);
	return NULL;
}

/* Every process that was begun by a thread of this one. */
static void kill_children(void)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	char path[300];
	int pid;

	assert_non_null(tasks);
	while ((task = readdir(tasks)) != NULL) {
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/children", task->d_name);
		FILE *f = fopen(path, "r");
		while (f && fscanf(f, "%d", &pid) == 1)
			(void)kill(pid, SIGKILL);
		if (f)
			(void)fclose(f);
	}
	(void)closedir(tasks);
}

static void only_a_few_run_at_once(void **state UNUSED)
{
	pthread_t threads[SAML_ASK_MOST + 1];

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, hang, NULL), 0);
	for (unsigned i = 0; i < 5000 && full == 0; i++)
		(void)usleep(10000);
	assert_int_equal(full, 1);
	for (unsigned i = 0; i < 1000 && broken < SAML_ASK_MOST; i++) {
		kill_children(); /* one that was not begun yet is met the next time */
		(void)usleep(10000);
	}
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(full, 1);
	assert_int_equal(broken, SAML_ASK_MOST);
	assert_int_equal(fault_when("fine", SAML_ASK_MS), SAML_STRUCTURE);
}

static void questions_that_are_too_large_are_not_asked(void **state UNUSED)
{
	struct saml_question q = idp_question();
	struct buf room = { 0 };
	struct saml_answer a;
	char *large = must_alloc(SAML_QUESTION_MAX);

	q.document = slice_of(large, SAML_QUESTION_MAX);
	assert_int_equal(saml_ask(&q, SAML_ASK_MS, &room, &a), E_LIMIT);
	free(large);
	buf_free(&room);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_verifies_without_files_and_network),
		cmocka_unit_test(one_that_dies_lies_or_gushes_refuses_one_sign_in),
		cmocka_unit_test(one_that_hangs_is_ended),
		cmocka_unit_test(only_a_few_run_at_once),
		cmocka_unit_test(questions_that_are_too_large_are_not_asked),
	};

	if (argc == 2 && strcmp(argv[1], SAML_READER_ARGUMENT) == 0)
		return saml_reader_main_with(answer_or_die);
	SKIP_UNDER_THREAD_SANITIZER;
	idp_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
