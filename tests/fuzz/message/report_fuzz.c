/* Laws, of any bytes as a message that came back: kind and action are of their lists; nothing is
 * hard but a recipient that failed, in a notice, of a class that is permanent; recipients are
 * addresses, each once, and no more than the bound; texts are within theirs and hold no control
 * character; kinds that are about no recipient have none; and reading it again says the same. */
#include "base/encode.h"
#include "message/report/returned.h"

static void check_text(struct slice s, size_t max)
{
	assert(s.n <= max);
	for (size_t i = 0; i < s.n; i++)
		assert((unsigned char)s.p[i] >= ' ' && s.p[i] != 0x7f);
}

static void check_recipient(const struct returned *r, const struct returned_recipient *to)
{
	struct mailbox box;

	assert(to->action < RETURNED_ACTIONS && to->class < JUDGE_CLASSES);
	assert(mailbox_parse(mailbox_text(&to->box), MAILBOX_UTF8 | MAILBOX_LITERAL, &box) == 0);
	assert(to->code == 0 || (to->code >= 400 && to->code < 600));
	assert(!to->hard || (r->kind == RETURNED_DSN && to->action == RETURNED_FAILED &&
			     judge_class_permanent(to->class) && to->code / 100 != 4));
	check_text(to->text, RETURNED_TEXT_MAX);
	assert(utf8_valid(to->text));
	for (const struct returned_recipient *other = r->recipients; other < to; other++)
		assert(!slice_eq_nocase(mailbox_text(&other->box), mailbox_text(&to->box)));
}

static void check(const struct returned *r)
{
	assert(r->kind < RETURNED_KINDS && r->n <= RETURNED_RECIPIENTS_MAX);
	assert(r->n == 0 || r->kind == RETURNED_DSN || r->kind == RETURNED_DELAY ||
	       r->kind == RETURNED_ARF);
	for (unsigned i = 0; i < r->n; i++)
		check_recipient(r, &r->recipients[i]);
	check_text(r->message_id, RETURNED_ID_MAX);
	check_text(r->envelope_id, RETURNED_ID_MAX);
	check_text(r->returned_to, RETURNED_ID_MAX);
	check_text(r->return_path, RETURNED_ID_MAX);
	check_text(r->feedback_type, RETURNED_ID_MAX);
	assert(r->n_extra <= RETURNED_EXTRA_MAX);
}

static void check_same(const struct returned *a, const struct returned *b)
{
	assert(a->kind == b->kind && a->n == b->n && a->n_extra == b->n_extra);
	assert(slice_eq(a->message_id, b->message_id));
	for (unsigned i = 0; i < a->n; i++) {
		const struct returned_recipient *x = &a->recipients[i], *y = &b->recipients[i];
		assert(slice_eq(mailbox_text(&x->box), mailbox_text(&y->box)));
		assert(x->class == y->class && x->hard == y->hard && slice_eq(x->text, y->text));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct judge *j;
	char error[JUDGE_ERROR_MAX];
	struct slice s = slice_of(data, size);

	if (!j)
		assert(judge_load(&j, NULL, false, error) == 0);
	OWNED(returned) one = returned_read(j, s);
	OWNED(returned) two = returned_read(j, s);
	check(one);
	check_same(one, two);
	return 0;
}
