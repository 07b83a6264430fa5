/* tests/unit/mta/smtpd/talk.h - a blocking SMTP client for tests, at a port of 127.0.0.1. */
#pragma once
#include <stdint.h>

int talk_connect(uint16_t port);
void talk_say(int fd, const char *text);
/* Reads so many replies, of one or more lines each; the text is good until the next call. */
const char *talk_hear(int fd, unsigned replies);
/* Connects, hears the greeting, says EHLO; *ret_ehlo is the reply to it, ret_ehlo may be NULL. */
int talk_greeted(uint16_t port, const char **ret_ehlo);
/* One reply, which begins so. */
void talk_expect(int fd, const char *command, const char *reply);
