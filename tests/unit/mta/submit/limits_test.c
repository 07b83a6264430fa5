/* Unit test of mta/submit: limits, and clients that strain them, in a real engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/smtpd/smtpd.h"
#include "tests/unit/mta/smtpd/talk.h"
#include "tests/unit/mta/submit/submission.h"

static void bad_commands_in_a_row_end_the_session(void **state)
{
	static const char *const bad[] = {
		"XYZZY\r\n",    "NOOP\n", "RCPT TO:<a@b.example>\r\n", "MAIL TO:<a@b.example>\r\n",
		"STARTTLS\r\n",
	};
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *got = "";
		unsigned said = 0;
		fd = submission_greeted();
		while (said < 1000 && strncmp(got, "421 4.7.0", 9) != 0) {
			talk_say(fd, bad[i]);
			got = talk_hear(fd, 1);
			assert_true(*got);
			said++;
		}
		assert_int_equal(said, SMTPD_FAULTS_MAX);
		close(fd);
	}
	box_remove(&b);
}

static void addresses_that_are_none_end_the_session_later_and_good_ones_forgive(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	for (unsigned k = 0; k < 3; k++) {
		talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
		for (unsigned i = 1; i < 60; i++)
			talk_expect(fd, "RCPT TO:<nobody>\r\n", "553 5.1.3");
		talk_expect(fd, "RCPT TO:<a@one.example>\r\n", "250");
		talk_expect(fd, "RSET\r\n", "250");
	}
	talk_expect(fd, "MAIL FROM:<s@from.example>\r\n", "250");
	for (unsigned i = 1; i < 5 * SMTPD_FAULTS_MAX; i++)
		talk_expect(fd, "RCPT TO:<nobody>\r\n", "553 5.1.3");
	talk_expect(fd, "RCPT TO:<nobody>\r\n", "421 4.7.0");
	close(fd);
	box_remove(&b);
}

static void limits_are_kept(void **state)
{
	char line[3000], big[9000];
	struct box b;
	int fd, second;

	(void)state;
	box_start(&b, "submission.max_size = 8K\nsubmission.max_rcpts = "
		      "2\nsubmission.max_sessions_client = 1\n");
	fd = submission_greeted();
	second = talk_connect(2525);
	assert_non_null(strstr(talk_hear(second, 1), "421 4.7.0"));
	close(second);
	memset(line, 'x', sizeof(line) - 1);
	memcpy(line + sizeof(line) - 3, "\r\n", 3);
	talk_expect(fd, line, "500 5.5.2 line too long");
	talk_expect(fd, "NOOP\r\n", "250");
	talk_say(fd,
		 "MAIL FROM:<a@b.example>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<a@b.example>\r\n");
	(void)talk_hear(fd, 3);
	talk_expect(fd, "RCPT TO:<a@b.example>\r\n", "452 4.5.3");
	talk_expect(fd, "DATA\r\n", "354");
	for (size_t i = 0; i < sizeof(big); i += 60)
		memcpy(big + i, "123456789 123456789 123456789 123456789 123456789 12345678\r\n",
		       MIN_OF(sizeof(big) - i, (size_t)60));
	for (int i = 0; i < 3; i++)
		assert_int_equal(send(fd, big, sizeof(big), MSG_NOSIGNAL), sizeof(big));
	talk_expect(fd, ".\r\n", "552 5.3.4");
	assert_int_equal(submission_accepted(&b), 0);
	close(fd);
	box_remove(&b);
}

static void strangers_are_turned_away(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "submission.networks = 192.0.2.0/24\n");
	fd = talk_connect(2525);
	assert_int_equal(strncmp(talk_hear(fd, 1), "554 5.7.1", 9), 0);
	close(fd);
	box_remove(&b);
}

struct reloading {
	struct note note, marks[2];
	struct settings *fresh;
	sem_t done;
};
static struct reloading reloading;

static void mark(struct note *n, struct lane *l)
{
	(void)n, (void)l;
	sem_post(&reloading.done);
}

/* The lanes take the marks after the reload. */
static void reload(struct note *n, struct lane *front)
{
	struct engine *e = lane_engine(front);

	(void)n;
	engine_reload(e, TAKE(reloading.fresh));
	for (unsigned i = 0; i < engine_lanes(e); i++) {
		reloading.marks[i].run = mark;
		lane_post(engine_lane(e, i), &reloading.marks[i]);
	}
}

static void box_reload(struct box *b, const char *options)
{
	char error[OPTION_ERROR_MAX] = "";

	if (settings_parse(&reloading.fresh, mta_option_sets, mta_option_sets_n, slice_str(options),
			   "reload", error) < 0)
		fail_msg("%s", error);
	assert_int_equal(engine_lanes(b->engine), ARRAY_LEN(reloading.marks));
	sem_init(&reloading.done, 0, 0);
	reloading.note.run = reload;
	lane_post(engine_front(b->engine), &reloading.note);
	for (unsigned i = 0; i < engine_lanes(b->engine); i++)
		sem_wait(&reloading.done);
	sem_destroy(&reloading.done);
}

static void a_reload_changes_networks_and_limits_at_once(void **state)
{
	const char *reply;
	struct box b;
	int fd, stranger;

	(void)state;
	box_start(&b, NULL);
	fd = submission_greeted();
	box_reload(&b, "hostname = new.example\nlog.level = error\nsubmission.max_size = 8K\n"
		       "submission.networks = 192.0.2.0/24\n");
	talk_say(fd, "EHLO client.example\r\n"); /* a session that is here already */
	reply = talk_hear(fd, 1);
	assert_non_null(strstr(reply, "250-new.example\r\n"));
	assert_non_null(strstr(reply, "250-SIZE 8192\r\n"));
	stranger = talk_connect(2525);
	assert_int_equal(strncmp(talk_hear(stranger, 1), "554 5.7.1", 9), 0);
	close(stranger);
	close(fd);
	box_remove(&b);
}

static void a_silent_client_is_let_go(void **state)
{
	struct box b;
	int fd;

	(void)state;
	box_start(&b, "submission.timeout = 1s\n");
	fd = submission_greeted();
	assert_int_equal(strncmp(talk_hear(fd, 1), "421 4.4.2", 9), 0);
	close(fd);
	box_remove(&b);
}

/* One byte per quarter of a second, and never a whole line: no byte makes a command. */
static void a_client_that_dribbles_a_command_is_let_go(void **state)
{
	struct box b;
	char reply[256];
	ssize_t n = 0;
	int fd;

	(void)state;
	box_start(&b, "submission.timeout = 1s\n");
	fd = submission_greeted();
	for (int i = 0; i < 200 && n <= 0; i++) {
		(void)!send(fd, "N", 1, MSG_NOSIGNAL);
		usleep(250000);
		n = recv(fd, reply, sizeof(reply), MSG_DONTWAIT);
	}
	assert_true(n > 9);
	assert_int_equal(strncmp(reply, "421 4.4.2", 9), 0);
	close(fd);
	box_remove(&b);
}

/* Ten thousand commands and no reply read: the session stops reading and stays within its
 * bounds. */
static void a_client_that_never_reads_is_not_heard_for_ever(void **state)
{
	struct box b;
	char line[252];
	size_t sent = 0;
	ssize_t n;
	int fd, idle = 0;

	(void)state;
	box_start(&b, "submission.timeout = 2s\n");
	fd = submission_greeted();
	for (size_t i = 0; i < sizeof(line); i += 6)
		memcpy(line + i, "NOOP\r\n", 6);
	while (idle < 20 && sent < (64u << 20)) {
		n = send(fd, line, sizeof(line), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			sent += (size_t)n;
		else if (errno != EAGAIN)
			break;
		else
			usleep(50000);
		idle = n > 0 ? 0 : idle + 1;
	}
	assert_true(sent < (64u << 20));
	close(fd);
	fd = submission_greeted(); /* and others are served */
	close(fd);
	box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_commands_in_a_row_end_the_session),
		cmocka_unit_test(
		    addresses_that_are_none_end_the_session_later_and_good_ones_forgive),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(strangers_are_turned_away),
		cmocka_unit_test(a_reload_changes_networks_and_limits_at_once),
		cmocka_unit_test(a_silent_client_is_let_go),
		cmocka_unit_test(a_client_that_dribbles_a_command_is_let_go),
		cmocka_unit_test(a_client_that_never_reads_is_not_heard_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
