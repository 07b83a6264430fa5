/* The control plane's side of the link, one frame after another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "tests/unit/mta/link/speak.h"

const struct id128 speak_content_id = { 7, 1 }, speak_job_id = { 7, 2 };

struct link_frame speak_hello(struct framed *c, const char *name)
{
	struct link_frame f = { .type = LINK_HELLO,
				.request = 1,
				.hello = { LINK_VERSION, slice_str(name) } };
	bool came;

	framed_send(c, &f);
	came = framed_next(c, &f);
	assert_true(came);
	assert_int_equal(f.type, LINK_WELCOME);
	return f;
}

void speak_content(struct framed *c, uint64_t request, struct id128 id)
{
	struct link_frame f = { .type = LINK_CONTENT,
				.request = request,
				.content = { id, SLICE("\x80"),
					     SLICE("Subject: x\r\n\r\nx\r\n") } };
	framed_send(c, &f);
}

void speak_job(struct framed *c, uint64_t request, struct id128 id, struct id128 content,
	       struct slice data, uint32_t rows)
{
	int64_t now = clock_wall_ms();
	struct link_frame f = { .type = LINK_JOB,
				.request = request,
				.job = { .id = id,
					 .content = content,
					 .tenant = 3,
					 .campaign = 4,
					 .accepted_ms = now,
					 .expires_ms = now + 3600000,
					 .rows = rows,
					 .meta = SLICE("\x80"),
					 .data = data } };
	framed_send(c, &f);
}

void speak_lsn(struct framed *c, enum link_type type, uint64_t request, uint64_t lsn)
{
	framed_send(c, &(struct link_frame){ .type = type, .request = request, .lsn = lsn });
}

lsn_t speak_expect_ack(struct framed *c, uint64_t request)
{
	struct link_frame f;

	assert_true(framed_next(c, &f));
	if (f.type == LINK_ERROR)
		fail_msg("request %lu: error %d %.*s", f.request, f.error.code, (int)f.error.text.n,
			 f.error.text.p);
	assert_int_equal(f.type, LINK_ACK);
	assert_int_equal(f.request, request);
	return f.lsn;
}

void speak_expect_error(struct framed *c, uint64_t request, int code)
{
	struct link_frame f;

	assert_true(framed_next(c, &f));
	assert_int_equal(f.type, LINK_ERROR);
	assert_int_equal(f.request, request);
	assert_int_equal(f.error.code, code);
}

/* Reads EVENTS until one of this kind and job comes. */
struct link_event speak_expect_event(struct framed *c, unsigned kind, struct id128 job)
{
	struct link_frame f;
	struct link_event e;

	while (framed_next(c, &f)) {
		size_t pos = 0;
		if (f.type != LINK_EVENTS)
			continue;
		while (link_event_next(&f, &pos, &e) > 0)
			if (e.kind == kind && id_eq(e.job, job))
				return e;
	}
	fail_msg("no event of kind %u", kind);
	return e;
}

struct slice speak_row(struct buf *b, const char *address)
{
	buf_clear(b);
	assert_int_equal(wire_row_put(b, slice_str(address), 1, NULL, 0), 0);
	return buf_data(b);
}
