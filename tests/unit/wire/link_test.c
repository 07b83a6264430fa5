/* tests/unit/wire/link_test.c - frames of the link. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "schema/wire/link.h"

static struct link_frame again(const struct link_frame *f, struct buf *b, struct wire_arena *arena)
{
	struct link_frame got;
	struct slice body;
	size_t used;

	buf_clear(b);
	assert_int_equal(link_put(b, f), 0);
	for (size_t n = 0; n < buf_len(b) && n < 200; n++)
		assert_int_equal(link_split(slice_of(b->p + b->start, n), &body, &used), 0);
	assert_int_equal(link_split(buf_data(b), &body, &used), 1);
	assert_int_equal(used, buf_len(b));
	for (size_t n = 0; n < body.n; n++) /* cut inside the body: never read as whole */
		assert_int_equal(link_get(slice_of(body.p, n), arena, &got), E_SYNTAX);
	assert_int_equal(link_get(body, arena, &got), 0);
	assert_int_equal(got.type, f->type);
	assert_int_equal(got.request, f->request);
	return got;
}

static void orders_come_back_as_they_were_put(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_frame job = { .type = LINK_JOB,
				  .request = 7,
				  .job = { .id = { 1, 2 },
					   .content = { 3, 4 },
					   .tenant = 5,
					   .campaign = UINT64_MAX,
					   .class = 1,
					   .accepted_ms = -6,
					   .expires_ms = 7,
					   .rows = 8,
					   .meta = SLICE("\x80"),
					   .data = SLICE("\0\1\2") } },
			  got;
	struct link_frame rule = { .type = LINK_RULE, .rule = { SLICE("hold/all"), SLICE("") } };
	struct link_frame key = { .type = LINK_KEY,
				  .key = { SLICE("a.example"), SLICE("s1"), SLICE("PEM") } };
	struct link_frame content = { .type = LINK_CONTENT,
				      .content = { { 9, 10 }, SLICE("m"), SLICE("bytes") } };
	struct buf b = { 0 };

	(void)state;
	got = again(&job, &b, arena);
	assert_true(id_eq(got.job.id, job.job.id) && id_eq(got.job.content, job.job.content));
	assert_true(got.job.tenant == 5 && got.job.campaign == UINT64_MAX && got.job.class == 1);
	assert_true(got.job.accepted_ms == -6 && got.job.expires_ms == 7 && got.job.rows == 8);
	assert_true(slice_eq(got.job.meta, job.job.meta) && slice_eq(got.job.data, job.job.data));
	got = again(&rule, &b, arena);
	assert_true(slice_eq(got.rule.key, rule.rule.key) && got.rule.value.n == 0);
	got = again(&key, &b, arena);
	assert_true(slice_eq(got.key.domain, key.key.domain) && slice_eq(got.key.pem, key.key.pem));
	got = again(&content, &b, arena);
	assert_true(id_eq(got.content.id, content.content.id) &&
		    slice_eq(got.content.bytes, SLICE("bytes")));
	buf_free(&b);
}

static void answers_come_back_as_they_were_put(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_frame hello = { .type = LINK_HELLO,
				    .hello = { LINK_VERSION, SLICE("control") } },
			  got;
	struct link_frame welcome = { .type = LINK_WELCOME,
				      .welcome = { 1, SLICE("e.1"), 100, 50, 60 } };
	struct link_frame ack = { .type = LINK_ACK, .request = UINT64_MAX, .lsn = UINT64_MAX };
	struct link_frame error = { .type = LINK_ERROR, .error = { E_FULL, SLICE("no room") } };
	struct value_member members[] = { { SLICE("queued"), { .type = VALUE_INT, .i = 3 } } };
	struct link_frame report = {
		.type = LINK_REPORT, .report = { .type = VALUE_MAP, .count = 1, .members = members }
	};
	struct buf b = { 0 };

	(void)state;
	assert_true(slice_eq(again(&hello, &b, arena).hello.name, SLICE("control")));
	got = again(&welcome, &b, arena);
	assert_true(got.welcome.durable == 100 && got.welcome.oldest == 50 &&
		    got.welcome.cursor == 60);
	assert_true(again(&ack, &b, arena).lsn == UINT64_MAX);
	got = again(&error, &b, arena);
	assert_int_equal(got.error.code, E_FULL);
	got = again(&report, &b, arena);
	assert_int_equal(value_member(&got.report, SLICE("queued"))->i, 3);
	buf_free(&b);
}

static void events_come_back_one_by_one(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_event e = { .lsn = UINT64_MAX,
				.kind = 2,
				.job = { 1, 2 },
				.tenant = 3,
				.campaign = 4,
				.row = 5,
				.attempt = 6,
				.at_ms = 7,
				.next_ms = 8,
				.code = 550,
				.dsn = SLICE("5.1.1"),
				.flags = 1,
				.text = SLICE("no such user"),
				.host = SLICE("mx.example"),
				.ip = SLICE("::1"),
				.source = SLICE("127.0.0.1"),
				.rcpt = SLICE("a@b.example"),
				.class = SLICE("quota"),
				.rule = SLICE("own.rules:3 full") },
			  got;
	struct buf packed = { 0 }, b = { 0 };
	struct link_frame f = { .type = LINK_EVENTS, .events = { .next = 11, .n = 3 } };
	size_t pos = 0;

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		e.row = i;
		assert_int_equal(link_event_put(&packed, &e), 0);
	}
	f.events.packed = buf_data(&packed);
	f = again(&f, &b, arena);
	assert_int_equal(f.events.n, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(link_event_next(&f, &pos, &got), 1);
		assert_int_equal(got.row, i);
		assert_true(got.lsn == UINT64_MAX && got.code == 550 && got.attempt == 6);
		assert_true(slice_eq(got.dsn, e.dsn) && slice_eq(got.rcpt, e.rcpt));
		assert_true(slice_eq(got.class, e.class) && slice_eq(got.rule, e.rule));
	}
	assert_int_equal(link_event_next(&f, &pos, &got), 0);
	buf_free(&packed);
	buf_free(&b);
}

/* Engines before the classes of replies sent 18 members, those before how mail travelled 20. */
static void an_event_of_an_older_engine_lacks_what_came_later(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	static const unsigned members[] = { 18, 20 };
	struct link_event e = { .lsn = 9, .kind = 2, .rcpt = SLICE("a@b.example") }, got;
	struct link_frame f = { .type = LINK_EVENTS, .events = { .next = 11, .n = 1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct buf packed = { 0 }, b = { 0 };
		size_t pos = 0;
		assert_int_equal(link_event_put(&packed, &e), 0);
		/* An array of 24 is dc 00 18; empty texts end it. */
		assert_memory_equal(packed.p + packed.start, "\xdc\x00\x18", 3);
		packed.p[packed.start + 2] = (char)members[i];
		packed.end -= 24 - members[i];
		f.events.packed = buf_data(&packed);
		f = again(&f, &b, arena);
		assert_int_equal(link_event_next(&f, &pos, &got), 1);
		assert_true(got.lsn == 9 && slice_eq(got.rcpt, e.rcpt));
		assert_true(got.class.n + got.rule.n + got.tls.n + got.policy.n == 0);
		buf_free(&packed);
		buf_free(&b);
	}
}

static void frames_that_lie_are_refused(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_frame f;
	struct slice body;
	size_t used;

	(void)state;
	assert_int_equal(link_split(SLICE("\x04\x00\x00\x01"), &body, &used), E_LIMIT);
	assert_int_equal(link_split(SLICE("\xff\xff\xff\xff"), &body, &used), E_LIMIT);
	assert_int_equal(link_split(SLICE("\x04\x00\x00\x00"), &body, &used), 0);
	assert_int_equal(link_get(SLICE(""), arena, &f), E_SYNTAX);
	assert_int_equal(link_get(SLICE("\x93\x41\x01"), arena, &f), E_SYNTAX); /* ACK, no lsn */
	assert_int_equal(link_get(SLICE("\x93\x41\x01\x02\x03"), arena, &f),
			 E_SYNTAX); /* a byte after */
	assert_int_equal(link_get(SLICE("\x93\x63\x01\x02"), arena, &f),
			 E_SYNTAX); /* no such type */
	assert_int_equal(link_get(SLICE("\x93\x41\x01\xff"), arena, &f), E_SYNTAX); /* lsn -1 */
	assert_int_equal(link_get(SLICE("\x94\x43\x01\x02\xdd\xff\xff\xff\xff"), arena, &f),
			 E_SYNTAX);
	assert_int_equal(link_get(SLICE("\x93\x44\x01\xdd\xff\xff\xff\xff"), arena, &f), E_SYNTAX);
}

static void a_frame_above_the_bound_is_not_made(void **state)
{
	static char bytes[LINK_FRAME_MAX];
	struct link_frame f = { .type = LINK_CONTENT,
				.content.bytes = slice_of(bytes, sizeof(bytes)) };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(link_put(&b, &f), E_LIMIT);
	assert_int_equal(buf_len(&b), 0);
	buf_free(&b);
}

static void a_question_that_would_cost_the_engine_much_memory_is_refused(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	static struct value items[LINK_ADMIN_MAX];
	struct link_frame f = {
		.type = LINK_ADMIN,
		.admin = { SLICE("status"),
			   { .type = VALUE_LIST, .count = LINK_ADMIN_MAX, .items = items } }
	};
	struct buf b = { 0 };
	struct slice body;
	size_t used;

	(void)state;
	assert_int_equal(link_put(&b, &f), 0);
	assert_int_equal(link_split(buf_data(&b), &body, &used), 1);
	assert_int_equal(link_get(body, arena, &f), E_LIMIT);
	f.admin.args.count = LINK_ADMIN_MAX / 2;
	buf_clear(&b);
	assert_int_equal(link_put(&b, &f), 0);
	assert_int_equal(link_split(buf_data(&b), &body, &used), 1);
	assert_int_equal(link_get(body, arena, &f), 0);
	buf_free(&b);
}

static void a_frame_of_no_type_is_neither_made_nor_read(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_frame f = { .type = (enum link_type)9 };
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(link_put(&b, &f), -EINVAL);
	f.type = (enum link_type)200;
	assert_int_equal(link_put(&b, &f), -EINVAL);
	assert_int_equal(buf_len(&b), 0);
	assert_int_equal(link_get(SLICE("\x93\x09\x01\x02"), arena, &f), E_SYNTAX);
	assert_int_equal(link_get(SLICE("\x94\x41\x01\x02\x03"), arena, &f), E_SYNTAX);
	assert_int_equal(link_get(SLICE("\x93\x41\xff\x02"), arena, &f), E_SYNTAX); /* request -1 */
	buf_free(&b);
}

static void more_events_than_a_frame_may_hold_are_refused_both_ways(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_frame f = { .type = LINK_EVENTS, .events = { .n = LINK_EVENTS_MAX + 1 } };
	static char body[LINK_EVENTS_MAX + 100] = "\x94\x42\x01\x02\xdd";
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(link_put(&b, &f), E_LIMIT);
	assert_int_equal(buf_len(&b), 0);
	body[1] = (char)LINK_EVENTS;
	for (int i = 0; i < 4; i++)
		body[5 + i] = (char)((LINK_EVENTS_MAX + 1) >> (24 - 8 * i));
	assert_int_equal(link_get(slice_of(body, sizeof(body)), arena, &f), E_LIMIT);
	body[8] = 1; /* one event it is now, and no event: a list of nothing */
	body[5] = body[6] = body[7] = 0;
	body[9] = (char)0x90;
	assert_int_equal(link_get(slice_of(body, 10), arena, &f), E_SYNTAX);
	buf_free(&b);
}

static void a_number_too_large_for_its_place_is_refused(void **state)
{
	OWNED(wire_arena) arena = wire_arena_new();
	struct link_frame f;
	char body[] = "\x94\x40\x01\xcf\0\0\0\0\x80\0\0\0\xa0";

	(void)state;
	body[1] = (char)LINK_ERROR;
	assert_int_equal(link_get(slice_of(body, sizeof(body) - 1), arena, &f), E_SYNTAX);
	body[8] = 0x7f;
	assert_int_equal(link_get(slice_of(body, sizeof(body) - 1), arena, &f), 0);
	assert_int_equal(f.error.code, 0x7f000000);
	body[3] = (char)0xd3; /* -2^31 - 1 */
	memcpy(body + 4, "\xff\xff\xff\xff\x7f\xff\xff\xff", 8);
	assert_int_equal(link_get(slice_of(body, sizeof(body) - 1), arena, &f), E_SYNTAX);
	body[4] = 0x7f; /* above int64, when it is unsigned */
	body[3] = (char)0xcf;
	body[4] = (char)0xff;
	assert_int_equal(link_get(slice_of(body, sizeof(body) - 1), arena, &f), E_SYNTAX);
	body[3] = (char)0xa0; /* no number at all */
	assert_int_equal(link_get(slice_of(body, sizeof(body) - 1), arena, &f), E_SYNTAX);
}

static void what_is_nested_too_deeply_is_not_made(void **state)
{
	enum { DEPTH = VALUE_DEPTH_MAX + 1 };
	struct value lists[DEPTH];
	struct link_frame f = { .type = LINK_REPORT };
	struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < DEPTH; i++)
		lists[i] = (struct value){ .type = VALUE_LIST,
					   .count = i > 0,
					   .items = i ? &lists[i - 1] : NULL };
	f.report = lists[DEPTH - 2];
	assert_int_equal(link_put(&b, &f), 0);
	buf_clear(&b);
	f.report = lists[DEPTH - 1];
	assert_int_equal(link_put(&b, &f), E_LIMIT);
	f.report = (struct value){ .type = 99 };
	assert_int_equal(link_put(&b, &f), -EINVAL);
	assert_int_equal(buf_len(&b), 0);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_come_back_as_they_were_put),
		cmocka_unit_test(answers_come_back_as_they_were_put),
		cmocka_unit_test(events_come_back_one_by_one),
		cmocka_unit_test(an_event_of_an_older_engine_lacks_what_came_later),
		cmocka_unit_test(frames_that_lie_are_refused),
		cmocka_unit_test(a_frame_above_the_bound_is_not_made),
		cmocka_unit_test(a_question_that_would_cost_the_engine_much_memory_is_refused),
		cmocka_unit_test(a_frame_of_no_type_is_neither_made_nor_read),
		cmocka_unit_test(more_events_than_a_frame_may_hold_are_refused_both_ways),
		cmocka_unit_test(a_number_too_large_for_its_place_is_refused),
		cmocka_unit_test(what_is_nested_too_deeply_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
