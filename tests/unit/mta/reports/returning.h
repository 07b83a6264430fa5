/* tests/unit/mta/reports/returning.h - an engine that takes mail back, the reader beside it, and
 * mail to send to it.  The test program is the reader, too: its main() begins with
 * returning_main(). */
#pragma once
#include "mta/returnpath/returnpath.h"
#include "spool/late.h"
#include "tests/unit/mta/engine_box.h"

enum { RETURNING_PORT = 2526 };
#define RETURNING_HOST "r.test"

/* Does not return when the program was started as the reader.  mail: NULL, or what the reader does
 * before it reads a message, in its sandbox. */
void returning_main(int argc, char **argv);
void returning_start(struct box *b, const char *more); /* more lines of the configuration */
void returning_stop(struct box *b);                    /* the keys too */
/* An address of this kind for row `row` of job { 5, job }. */
const char *returning_address(struct box *b, char kind, uint64_t job, unsigned row);
int returning_session(void);
/* Sends a mail from the null sender in a session of its own; the reply after its dot. */
const char *returning_send(const char *to, const char *message);
/* Until nothing waits; fails after some seconds. */
struct books returning_settled(struct box *b, uint64_t mails);
/* The facts so far; texts are copies that live until the next call. */
struct returning_fact {
	unsigned kind;
	struct id128 job;
	uint32_t row;
	uint64_t tenant;
	bool hard;
	char dsn[16], rcpt[320], to[320], class[64], host[256], evidence[1100], rule[64];
	char report[4096];
};
unsigned returning_facts(struct box *b, struct returning_fact *ret, unsigned max);

/* A notice of Postfix's about user@example.org: 5.1.1, or with `delay` 4.4.1. */
const char *returning_notice(bool delay);
