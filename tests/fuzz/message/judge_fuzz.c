/* Laws.  Of any bytes as a reply: the class is one of the list, hard means a class that is
 * permanent and no 4xx, a time that is named lies within the action's bounds, a block of our
 * address is not hard, and asking again says the same.
 * Of any bytes as a rule file: what was read and is shown is read again and shown as the same, and
 * says the same about a reply. */
#include "message/judge/judge.h"
#include "tests/unit/message/judge/written.h"

static void check_judgement(const struct judge *j, const struct judge_reply *reply)
{
	struct judgement a, b;

	judge_reply(j, reply, &a);
	judge_reply(j, reply, &b);
	assert(a.class < JUDGE_CLASSES && a.action.kind < JUDGE_ACTIONS);
	assert(!a.hard || (judge_class_permanent(a.class) && reply->code / 100 != 4));
	assert(a.class != JUDGE_SPAM_BLOCK || !a.hard);
	assert(!a.named_s || (a.named_s >= a.action.min_s && a.named_s <= a.action.max_s));
	assert(a.class == b.class && a.hard == b.hard && a.line == b.line);
}

static void check_reply(struct slice s)
{
	static struct judge *j;
	char error[JUDGE_ERROR_MAX];
	struct judge_reply reply = { .text = s };

	if (!j)
		assert(judge_load(&j, NULL, false, error) == 0);
	if (s.n > 4) {
		reply.code = (uint16_t)((unsigned char)s.p[0] * 3 % 600);
		reply.status = STATUS((unsigned char)s.p[1] % 6, (unsigned char)s.p[2] % 12,
				      (unsigned char)s.p[3]);
		reply.text = slice_skip(s, 4);
	}
	check_judgement(j, &reply);
	reply = (struct judge_reply){ .text = s };
	check_judgement(j, &reply);
}

static struct judge *read_rules(struct slice text)
{
	char error[JUDGE_ERROR_MAX];
	struct judge *j = judge_new();

	if (judge_read(j, text, "f", error) < 0) {
		assert(strlen(error) > 2 && error[0] == 'f' && error[1] == ':');
		return judge_free(j);
	}
	judge_ready(j);
	return j;
}

static void check_rules(struct slice s)
{
	OWNED(judge) one = read_rules(s);
	OWNED(judge) two = NULL;
	struct judge_reply reply = { .code = 550, .text = s };
	struct judgement a, b;
	struct buf shown = { 0 }, again = { 0 };

	if (!one)
		return;
	written_rules(one, &shown);
	two = read_rules(slice_of(buf_cstr(&shown), buf_len(&shown)));
	assert(two);
	written_rules(two, &again);
	assert(slice_eq(slice_of(buf_cstr(&shown), buf_len(&shown)),
			slice_of(buf_cstr(&again), buf_len(&again))));
	judge_reply(one, &reply, &a);
	judge_reply(two, &reply, &b);
	assert(a.class == b.class && a.hard == b.hard && a.action.kind == b.action.kind);
	assert(slice_eq(a.rule, b.rule));
	buf_free(&shown);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, MIN_OF(size, (size_t)4096));

	check_reply(s);
	check_rules(s);
	return 0;
}
