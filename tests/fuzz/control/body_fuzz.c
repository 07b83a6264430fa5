/* tests/fuzz/control/body_fuzz.c - JSON bodies through the table-driven reader.
 * Laws: a body is either taken, and then every member is within its bounds and every required one
 *       is there, or
 * refused with at least one pointer to a member; and the same body written out again by the JSON
 * library reads the same. */
#include "base/base.h"
#include "base/blanks.h"
#include "control/http/body.h"
#include "control/contract/plain.h"
#include "control/http/private.h"
#include "control/http/problem.h"

struct all {
	struct slice text, line, name, email;
	int64_t number, time;
	bool flag;
	uint64_t id;
	json_t *list, *object;
};
enum { TEXT, LINE, NAME, EMAIL, NUMBER, TIME, FLAG, ID, LIST, OBJECT, ROWS };
static const struct body_field table[ROWS] = {
	[TEXT] = { "text", BODY_TEXT, offsetof(struct all, text), 0, 0, 40, 0 },
	[LINE] = { "line", BODY_LINE, offsetof(struct all, line), BODY_REQUIRED, 1, 20, 0 },
	[NAME] = { "name", BODY_NAME, offsetof(struct all, name), 0, 1, 10, 0 },
	[EMAIL] = { "email", BODY_EMAIL, offsetof(struct all, email), BODY_NULLABLE, 0, 0, 0 },
	[NUMBER] = { "number", BODY_INT, offsetof(struct all, number), 0, -5, 1000, 0 },
	[TIME] = { "time", BODY_TIME, offsetof(struct all, time), BODY_NULLABLE, 0, 0, 0 },
	[FLAG] = { "flag", BODY_BOOL, offsetof(struct all, flag), 0, 0, 0, 0 },
	[ID] = { "id", BODY_ID, offsetof(struct all, id), 0, 0, 0, ID_LIST },
	[LIST] = { "list", BODY_LIST, offsetof(struct all, list), 0, 1, 3, 0 },
	[OBJECT] = { "object", BODY_OBJECT, offsetof(struct all, object), 0, 0, 0, 0 },
};

struct outcome {
	int r;
	struct body_seen seen;
	struct all all;
	unsigned wrong;
};

static void check_taken(const struct outcome *o)
{
	assert(body_has(o->seen, LINE) && o->all.line.n >= 1);
	assert(plain_length(o->all.line) <= 20 && plain_length(o->all.text) <= 40);
	assert(!body_has(o->seen, NAME) || (o->all.name.n && plain_length(o->all.name) <= 10));
	assert(plain_line(o->all.name) && slice_eq(blanks_strip(o->all.name), o->all.name));
	for (size_t i = 0; i < o->all.line.n; i++)
		assert((unsigned char)o->all.line.p[i] >= 0x20);
	assert(!memchr(o->all.text.p ? o->all.text.p : "", 0, o->all.text.n));
	assert(o->all.number >= -5 && o->all.number <= 1000);
	assert(o->all.email.n <= 254 &&
	       (!o->all.email.n || memchr(o->all.email.p, '@', o->all.email.n)));
	assert(!o->all.list ||
	       (json_array_size(o->all.list) >= 1 && json_array_size(o->all.list) <= 3));
	assert(!o->all.object || json_is_object(o->all.object));
}

static struct outcome read_body(json_t *body)
{
	struct call_request *q = must_alloc(sizeof(*q));
	struct outcome o = { 0 };

	q->call.request = q;
	q->call.body = body;
	o.r = http_body_read(&q->call, table, ROWS, &o.all, &o.seen);
	o.wrong = problem_count(&q->call);
	if (o.r == 0) {
		assert(o.wrong == 0 && q->reply.status == 0);
		check_taken(&o);
	} else {
		assert(o.r == E_ANSWERED && o.wrong > 0 && o.wrong <= PROBLEM_ITEMS_MAX);
		assert(q->reply.status == 422 && buf_len(&q->reply.body) > 2);
	}
	http_reply_reset(&q->reply);
	free(q);
	return o;
}

static json_t *load(const void *p, size_t n)
{
	json_error_t error;
	json_t *v = json_loadb(p, n, JSON_REJECT_DUPLICATES, &error);

	if (v && !json_is_object(v)) {
		json_decref(v);
		v = NULL;
	}
	return v;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *body = load(data, size), *again;
	struct outcome first, second;
	char *text;

	if (!body)
		return 0;
	first = read_body(body);
	text = json_dumps(body, JSON_COMPACT);
	assert(text);
	again = load(text, strlen(text));
	assert(again);
	second = read_body(again);
	assert(first.r == second.r && first.wrong == second.wrong);
	assert(first.seen.present == second.seen.present && first.seen.null == second.seen.null);
	if (first.r == 0)
		assert(slice_eq(first.all.line, second.all.line) &&
		       first.all.time == second.all.time && first.all.id == second.all.id &&
		       first.all.number == second.all.number);
	free(text);
	json_decref(body);
	json_decref(again);
	return 0;
}
