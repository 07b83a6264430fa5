/* The client side of SMTP, one blocking step after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/mta/smtpd/talk.h"

int talk_connect(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

void talk_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

const char *talk_hear(int fd, unsigned replies)
{
	static char text[65536];
	size_t n = 0, at = 0;

	while (replies) {
		ssize_t r = recv(fd, text + n, sizeof(text) - 1 - n, 0);
		if (r <= 0)
			break;
		n += (size_t)r;
		for (char *lf; replies && (lf = memchr(text + at, '\n', n - at));
		     at = (size_t)(lf - text) + 1)
			replies -= text[at + 3] == ' ';
	}
	text[n] = '\0';
	return text;
}

int talk_greeted(uint16_t port, const char **ret_ehlo)
{
	int fd = talk_connect(port);
	const char *reply;

	(void)talk_hear(fd, 1);
	talk_say(fd, "EHLO client.example\r\n");
	reply = talk_hear(fd, 1);
	assert_non_null(strstr(reply, "250-PIPELINING\r\n"));
	if (ret_ehlo)
		*ret_ehlo = reply;
	return fd;
}

void talk_expect(int fd, const char *command, const char *reply)
{
	const char *got;

	talk_say(fd, command);
	got = talk_hear(fd, 1);
	if (strncmp(got, reply, strlen(reply)) != 0)
		fail_msg("%s got %s, not %s", command, got, reply);
}
