/* control/saml/reader.h - the process that reads what identity providers send: it is given one
 * question and gives one answer (question.h), behind a length: u32 little-endian, and ends.  It has
 * no files, no network and no other processes (base/sandbox.h); it is this program again, so that
 * question and answer are always of one version.
 * Names: saml_reader_
 * Blocks: on descriptors 0 and 1. */
#pragma once
#include "control/saml/question.h"

/* The program's only argument. */
#define SAML_READER_ARGUMENT "--read-saml"
enum { SAML_READER_CPU_S = 4, SAML_READER_MEMORY = 256 << 20 };

/* Gives the exit status. */
int saml_reader_main(void);
/* The same process with another way to answer: for tests. */
int saml_reader_main_with(int (*answer)(struct slice question, struct buf *out));
/* What it does with a question: appends the answer. */
int saml_reader_answer(struct slice question, struct buf *out) MUST_CHECK;
