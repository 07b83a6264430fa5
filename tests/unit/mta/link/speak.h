/* tests/unit/mta/link/speak.h - the control plane's side of the link, for tests: says a frame, and
 * reads the answer that it expects. */
#pragma once
#include "tests/unit/mta/engine_box.h"

extern const struct id128 speak_content_id, speak_job_id;

struct link_frame speak_hello(struct framed *c, const char *name);
void speak_content(struct framed *c, uint64_t request, struct id128 id);
void speak_job(struct framed *c, uint64_t request, struct id128 id, struct id128 content,
	       struct slice data, uint32_t rows);
void speak_lsn(struct framed *c, enum link_type type, uint64_t request, uint64_t lsn);
lsn_t speak_expect_ack(struct framed *c, uint64_t request);
void speak_expect_error(struct framed *c, uint64_t request, int code);
struct link_event speak_expect_event(struct framed *c, unsigned kind, struct id128 job);
struct slice speak_row(struct buf *b, const char *address);
