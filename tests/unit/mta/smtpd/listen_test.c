/* Unit test of mta/smtpd/listen.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mta/smtpd/listen.h"

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A port that nobody has just now. */
static struct listener somewhere(void)
{
	struct listener at = { .ip = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } } };
	struct sockaddr_in in = loopback(0);
	socklen_t n = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	close(fd);
	at.port = ntohs(in.sin_port);
	return at;
}

/* As an engine of the same user does that has been listening for long. */
static int other_engine(const struct listener *at)
{
	struct sockaddr_in in = loopback(at->port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void a_port_that_another_process_shares_is_in_use(void **state)
{
	struct listener at = somewhere();
	int other = other_engine(&at), fd;

	(void)state;
	assert_int_equal(smtpd_listen_open(&at, &fd), -EADDRINUSE);
	close(other);
	assert_int_equal(smtpd_listen_open(&at, &fd), 0);
	smtpd_listen_close(&at, fd);
}

/* The child is an engine too; it knows nothing of the sockets that are opened after the fork. */
static void of_two_engines_the_second_does_not_get_the_port(void **state)
{
	struct listener at = somewhere();
	int lanes[2], fd, status, go[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) {
		(void)!read(go[0], &byte, 1);
		_exit(smtpd_listen_open(&at, &fd) == -EADDRINUSE ? 0 : 1);
	}
	assert_int_equal(smtpd_listen_open(&at, &lanes[0]), 0);
	assert_int_equal(smtpd_listen_open(&at, &lanes[1]), 0);
	assert_int_equal(write(go[1], "x", 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	smtpd_listen_close(&at, lanes[0]);
	smtpd_listen_close(&at, lanes[1]);
	close(go[0]);
	close(go[1]);
}

static void every_lane_gets_clients(void **state)
{
	struct listener at = somewhere();
	struct sockaddr_in in = loopback(at.port);
	int lanes[3], clients[90];
	struct pollfd ready[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(smtpd_listen_open(&at, &lanes[i]), 0);
		ready[i] = (struct pollfd){ .fd = lanes[i], .events = POLLIN };
	}
	for (unsigned i = 0; i < ARRAY_LEN(clients); i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(clients[i], (struct sockaddr *)&in, sizeof(in)), 0);
	}
	assert_int_equal(poll(ready, 3, 1000), 3);
	for (unsigned i = 0; i < ARRAY_LEN(clients); i++)
		close(clients[i]);
	for (unsigned i = 0; i < 3; i++)
		smtpd_listen_close(&at, lanes[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_another_process_shares_is_in_use),
		cmocka_unit_test(of_two_engines_the_second_does_not_get_the_port),
		cmocka_unit_test(every_lane_gets_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
