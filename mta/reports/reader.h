/* mta/reports/reader.h - the process that reads mail which came back: it is given messages and says
 * what they mean (said.h).  It has no files, no network and no other processes (base/sandbox.h).
 *
 *	to it, from it = *( length: u32 little-endian, bytes )       one answer for each message
 *
 * Before the first it says that it is ready, with an answer of no bytes.
 * It ends when its input ends, and after READER_MAILS messages, before its processor time does.
 * Blocks: on descriptors 0 and 1. */
#pragma once
#include "message/judge/judge.h"
#include "mta/reports/said.h"

enum { READER_MAILS = 2000 };

/* The program's first argument, and then the path of the rule file (message/judge/judge.h). */
#define READER_ARGUMENT "--read-returned"

/* Gives the exit status. */
int reader_main(const char *rules_path);

/* What it does with one message: appends the answer. */
int reader_read(const struct judge *j, struct slice message, struct buf *out) MUST_CHECK;
/* The same process, doing something else with each message: for tests. */
int reader_main_with(const char *rules_path,
		     int (*read_one)(const struct judge *j, struct slice message, struct buf *out));
