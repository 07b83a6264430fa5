/* The reader: what it may not do, and what becomes of the mail when it dies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/skip.h"

#include "base/sandbox.h"
#include "mta/reports/reader.h"
#include "tests/unit/mta/reports/returning.h"

/* The address sanitizer ends the process when one of its own calls is refused. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* ---- the sandbox ------------------------------------------------------------------------- */

/* In a process of its own: tries things, and writes a letter for each that was not refused. */
static void try_all(void)
{
	char c, other = 'F';
	int fds[2];
	long r;
#define TRY(letter, call)                                                                          \
	do {                                                                                       \
		errno = 0;                                                                         \
		r = (long)(call);                                                                  \
		if (r >= 0 || errno != EPERM) {                                                    \
			other = letter;                                                            \
			(void)!write(STDOUT_FILENO, &other, 1);                                    \
		}                                                                                  \
	} while (0)

	if (sandbox_enter(60, 512 << 20) < 0)
		_exit(1);
	TRY('o', open("/etc/passwd", O_RDONLY));
	TRY('c', open("/tmp/postern-sandbox", O_CREAT | O_RDWR, 0600));
	TRY('i', socket(AF_INET, SOCK_STREAM, 0));
	TRY('u', socket(AF_UNIX, SOCK_STREAM, 0));
	TRY('p', socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	TRY('f', syscall(SYS_clone, 0, 0, 0, 0, 0));
	TRY('e', execl("/bin/true", "true", NULL));
	TRY('k', kill(getppid(), 0));
	TRY('s', syscall(SYS_ptrace, 0, 0, 0, 0));
	TRY('x', (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRY('w', write(STDERR_FILENO, "x", 1));
	TRY('d', dup(STDIN_FILENO));
	TRY('l', syscall(SYS_prlimit64, 0, RLIMIT_CPU, NULL, NULL));
	/* What it needs goes on. */
	if (read(STDIN_FILENO, &c, 1) != 1 || c != 'y' || !malloc(1 << 20))
		_exit(2);
	_exit(3);
}

static void files_sockets_and_processes_are_refused_to_it(void **state UNUSED)
{
	int in[2], out[2], status;
	char letters[32];
	ssize_t n;
	pid_t pid;

	if (SANITIZED)
		SKIP_CASE("the address sanitizer makes calls of its own");
	assert_int_equal(pipe(in) + pipe(out), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		try_all();
	}
	(void)close(out[1]);
	assert_int_equal(write(in[1], "y", 1), 1);
	n = read(out[0], letters, sizeof(letters) - 1);
	letters[n > 0 ? n : 0] = '\0';
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_string_equal(letters, "");
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	(void)close(in[0]);
	(void)close(in[1]);
	(void)close(out[0]);
}

/* ---- mails that kill --------------------------------------------------------------------- */

static int read_or_die(const struct judge *j, struct slice message, struct buf *out)
{
	if (message.n && memmem(message.p, message.n, "DIE", 3))
		__builtin_trap();
	while (message.n && memmem(message.p, message.n, "HANG", 4))
		;
	if (message.n && memmem(message.p, message.n, "LIE", 3))
		return buf_append(out, SLICE("K\1\0\0\0\1not what was agreed"));
	return reader_read(j, message, out);
}

static struct returning_fact facts[64];

static void mail_to(struct box *b, unsigned row, const char *text)
{
	char message[600];

	(void)snprintf(message, sizeof(message), "Subject: x\r\n\r\n%s\r\n", text);
	(void)returning_send(returning_address(b, 'b', 1, row), message);
}

static void nobody_else_is_lost_with(const char *deadly, unsigned deaths)
{
	struct box box;
	struct books k;
	unsigned unreadable = 0, seen[20] = { 0 };

	returning_start(&box, "reports.reader_timeout = 1s\n");
	for (unsigned i = 0; i < 20; i++) {
		if (i % 10 == 5 && i / 10 < deaths)
			mail_to(&box, i, deadly);
		else
			(void)returning_send(returning_address(&box, 'b', 1, i),
					     returning_notice(false));
	}
	k = returning_settled(&box, 20);
	assert_int_equal(k.returned, 20 - deaths);
	assert_int_equal(k.returned_other, deaths);
	assert_int_equal(k.returned_again, 0);
	assert_int_equal(returning_facts(&box, facts, 64), 20);
	for (unsigned i = 0; i < 20; i++) {
		seen[facts[i].row]++;
		if (facts[i].kind != LATE_OTHER)
			continue;
		unreadable++;
		assert_string_equal(facts[i].rule, "unreadable");
		assert_non_null(strstr(facts[i].evidence, deadly));
	}
	assert_int_equal(unreadable, deaths);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(seen[i], 1);
	returning_stop(&box);
}

static void a_mail_that_kills_the_reader_is_kept_and_costs_no_other(void **state UNUSED)
{
	nobody_else_is_lost_with("DIE", 2);
}

static void a_mail_that_hangs_the_reader_is_kept_too(void **state UNUSED)
{
	nobody_else_is_lost_with("HANG", 1);
}

static void a_reader_that_lies_is_not_believed(void **state UNUSED)
{
	nobody_else_is_lost_with("LIE", 2);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_sockets_and_processes_are_refused_to_it),
		cmocka_unit_test(a_mail_that_kills_the_reader_is_kept_and_costs_no_other),
		cmocka_unit_test(a_mail_that_hangs_the_reader_is_kept_too),
		cmocka_unit_test(a_reader_that_lies_is_not_believed),
	};

	if (argc == 3 && strcmp(argv[1], READER_ARGUMENT) == 0)
		return reader_main_with(argv[2], read_or_die);
	SKIP_UNDER_THREAD_SANITIZER;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
