/* tests/fuzz/control/contract_fuzz.c - bodies of every operation, held to the table.
 * Laws: a body that is grown out of an operation's schema is taken; with one member too many, one
 *       too few, or one of another type it is refused, and the pointer names just that member.
 *       Any JSON is judged the same when it is written and read again, what is refused has at
 *       least one pointer and at most its bound, and each pointer leads into the body or to a
 *       required member that is not there. */
#include <stdio.h>

#include "base/base.h"
#include "control/contract/contract.h"

struct stream {
	const uint8_t *p;
	size_t n;
};
struct said {
	unsigned n;
	char first[CONTRACT_POINTER_MAX], code[64];
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned take(struct stream *in, unsigned below)
{
	unsigned v = 0;

	if (in->n) {
		v = *in->p++;
		in->n--;
	}
	return below ? v % below : 0;
}

static void note(void *arg, const char *pointer, const char *code, const char *detail)
{
	struct said *said = arg;

	assert(strlen(pointer) < CONTRACT_POINTER_MAX && detail[0]);
	assert(!pointer[0] || pointer[0] == '/');
	if (!said->n++) {
		slice_copy(said->first, sizeof(said->first), slice_str(pointer));
		slice_copy(said->code, sizeof(said->code), slice_str(code));
	}
}

static bool judge(const struct contract_schema *s, const json_t *v, struct said *said)
{
	bool fine;

	*said = (struct said){ 0 };
	fine = contract_check(s, v, note, said);
	assert(fine == (said->n == 0) && said->n <= CONTRACT_FAULTS_MAX);
	return fine;
}

/* ---- growing ----------------------------------------------------------------------------- */

/* Fewest steps from each state to an end. */
static void distances(const struct contract_pattern *p, unsigned far[CONTRACT_NO_STATE])
{
	bool more = true;

	for (unsigned s = 0; s < p->states; s++)
		far[s] = p->ends[s] ? 0 : CONTRACT_NO_STATE;
	while (more) {
		more = false;
		for (unsigned i = 0; i < p->states * p->kinds; i++) {
			unsigned s = i / p->kinds, next = p->next[i];

			if (next != CONTRACT_NO_STATE && far[next] + 1 < far[s]) {
				far[s] = far[next] + 1;
				more = true;
			}
		}
	}
}

/* A byte that leads on, and within what is left to an end. */
static int step(const struct contract_pattern *p, const unsigned *far, unsigned state,
		unsigned left, unsigned from)
{
	for (unsigned i = 0; i < 256; i++) {
		unsigned byte = (from + i) % 256;
		unsigned next = p->next[state * p->kinds + p->kind[byte]];

		if (next != CONTRACT_NO_STATE && far[next] < left)
			return (int)byte;
	}
	return -1;
}

static json_t *grow_pattern(const struct contract_schema *s, struct stream *in)
{
	const struct contract_pattern *p = s->pattern;
	unsigned far[CONTRACT_NO_STATE], state = 0, n = 0;
	unsigned most = (unsigned)MIN_OF(s->max, s->min + 40);
	char text[512];

	distances(p, far);
	most = MAX_OF(most, far[0]);
	assert(most < sizeof(text) && far[0] <= most);
	while (n < most) {
		int byte = -1;

		if (!p->ends[state] || n < (unsigned)s->min || take(in, 4))
			byte = step(p, far, state, most - n, take(in, 256));
		if (byte < 0)
			break;
		text[n++] = (char)byte;
		state = p->next[state * p->kinds + p->kind[byte]];
	}
	return json_stringn(text, n);
}

static json_t *grow_string(const struct contract_schema *s, struct stream *in)
{
	static const char *const emails[] = { "a@b.test", "somebody@example.test", "x.y@z.test" };
	static const char *const times[] = { "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5+01:00",
					     "1999-12-31T23:59:60Z" };
	static const char *const signs[] = { "a", "ä", "漢", "😀", "Z", "9" };
	char text[4 * 64 + 1];
	int64_t n = s->min + take(in, (unsigned)MIN_OF(s->max - s->min, 40) + 1);
	size_t at = 0;

	if (s->words)
		return json_string(s->words[take(in, s->n_words)]);
	if (s->format == FORMAT_EMAIL)
		return json_string(emails[take(in, ARRAY_LEN(emails))]);
	if (s->format == FORMAT_TIME)
		return json_string(times[take(in, ARRAY_LEN(times))]);
	if (s->pattern)
		return grow_pattern(s, in);
	assert(n <= 64);
	for (int64_t i = 0; i < n; i++) {
		const char *sign = signs[take(in, ARRAY_LEN(signs))];

		memcpy(text + at, sign, strlen(sign));
		at += strlen(sign);
	}
	return json_stringn(text, at);
}

static json_t *grow(const struct contract_schema *s, struct stream *in);

static json_t *grow_object(const struct contract_schema *s, struct stream *in)
{
	json_t *v = json_object();

	for (unsigned i = 0; i < s->n_members; i++)
		if (s->members[i].required || take(in, 3))
			(void)json_object_set_new(v, s->members[i].name,
						  grow(s->members[i].schema, in));
	if (!s->closed && take(in, 2))
		(void)json_object_set_new(v, "more", s->items ? grow(s->items, in) : json_real(.5));
	return v;
}

static json_t *grow_array(const struct contract_schema *s, struct stream *in)
{
	int64_t n = s->min + take(in, (unsigned)MIN_OF(s->max - s->min, 3) + 1);
	json_t *v = json_array();

	for (int64_t i = 0; i < (s->unique ? MIN_OF(n, 1) : n); i++)
		(void)json_array_append_new(v, grow(s->items, in));
	return v;
}

static json_t *grow(const struct contract_schema *s, struct stream *in)
{
	if (s->null && !take(in, 4))
		return json_null();
	switch (s->type) {
	case CONTRACT_ANY:
		return s->n_ways ? grow(s->ways[take(in, s->n_ways)], in) : json_true();
	case CONTRACT_STRING:
		return grow_string(s, in);
	case CONTRACT_INTEGER:
		return json_integer(s->n_numbers  ? s->numbers[take(in, s->n_numbers)]
				    : take(in, 2) ? s->max
						  : s->min);
	case CONTRACT_BOOLEAN:
		return json_boolean(take(in, 2));
	case CONTRACT_ARRAY:
		return grow_array(s, in);
	case CONTRACT_OBJECT:
		return grow_object(s, in);
	}
	return NULL;
}

/* ---- breaking ---------------------------------------------------------------------------- */

static void check_refused(const struct contract_schema *s, const json_t *v, const char *member,
			  const char *code)
{
	char pointer[CONTRACT_POINTER_MAX];
	struct said said;

	(void)snprintf(pointer, sizeof(pointer), "/%s", member);
	assert(!judge(s, v, &said));
	assert(said.n == 1 && !strcmp(said.first, pointer) && !strcmp(said.code, code));
}

static void break_it(const struct contract_schema *s, json_t *v, struct stream *in)
{
	const struct contract_member *m;
	json_t *was;

	if (s->closed) {
		(void)json_object_set_new(v, "a_stranger", json_null());
		check_refused(s, v, "a_stranger", "unknown_member");
		(void)json_object_del(v, "a_stranger");
	}
	if (!s->n_members)
		return;
	m = &s->members[take(in, s->n_members)];
	was = json_incref(json_object_get(v, m->name));
	(void)json_object_set_new(v, m->name, json_real(1.5));
	check_refused(s, v, m->name, "wrong_type");
	(void)json_object_del(v, m->name);
	if (m->required)
		check_refused(s, v, m->name, "required");
	json_decref(was);
}

static void grown(const struct contract_schema *s, struct stream *in)
{
	json_t *v = grow(s, in);
	struct said said;

	assert(v && judge(s, v, &said));
	break_it(s, v, in);
	json_decref(v);
}

/* ---- any JSON ---------------------------------------------------------------------------- */

static void any(const struct contract_schema *s, const struct stream *in)
{
	json_t *v = json_loadb((const char *)in->p, in->n, JSON_DECODE_ANY, NULL), *again;
	struct said first, second;
	char *text;

	if (!v)
		return;
	text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
	assert(text);
	again = json_loads(text, JSON_DECODE_ANY, NULL);
	assert(again && judge(s, v, &first) == judge(s, again, &second) && first.n == second.n);
	assert(!strcmp(first.first, second.first) && !strcmp(first.code, second.code));
	free(text);
	json_decref(v);
	json_decref(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream in = { data, size };
	const struct contract_operation *op =
	    &contract_operations[take(&in, contract_operations_n)];
	bool free_text = take(&in, 2);

	assert(contract_operations_n <= 256);
	if (op->body && free_text)
		any(op->body, &in);
	else if (op->body)
		grown(op->body, &in);
	return 0;
}
