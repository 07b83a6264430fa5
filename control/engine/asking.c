/* control/engine/asking.c - one question and its answer. */
#include "control/engine/asking.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "control/engine/options.h"

enum { OPEN_MS = 5000 };
static _Atomic int now_asking;

static int hear(struct carrier *link, struct link_frame *ret)
{
	int64_t until = clock_mono_ms() + ASKING_MS;
	int r;

	while ((r = carrier_next(link, ret)) == 0) {
		int64_t left = until - clock_mono_ms();
		if (left <= 0)
			return E_TIMEOUT;
		r = carrier_wait(link, (int)left, -1);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	if (ret->type == LINK_ERROR)
		return ret->error.code < 0 ? ret->error.code : E_DENIED;
	return ret->type == LINK_REPORT && ret->report.type == VALUE_MAP ? 0 : -EPROTO;
}

static int ask(struct app *app, struct slice command, struct slice key, struct carrier **ret,
	       struct value *ret_answer)
{
	const struct value_member member = { SLICE("key"), { .type = VALUE_STRING, .s = key } };
	struct link_frame f = { .type = LINK_ADMIN,
				.request = 1,
				.admin = { command, { .type = VALUE_MAP, .count = 1 } } };
	OWNED(carrier) link = NULL;
	int r = carrier_open(&link, carrier_options(app)->socket, SLICE(""), OPEN_MS);

	f.admin.args.members = &member;
	if (r >= 0)
		r = carrier_send(link, &f);
	if (r >= 0)
		r = hear(link, &f);
	if (r < 0)
		return r;
	*ret_answer = f.report;
	*ret = TAKE(link);
	return 0;
}

int asking_ask(struct app *app, struct slice command, struct slice key, struct carrier **ret,
	       struct value *ret_answer)
{
	int r = E_FULL;

	if (atomic_fetch_add(&now_asking, 1) < ASKING_MOST)
		r = ask(app, command, key, ret, ret_answer);
	atomic_fetch_sub(&now_asking, 1);
	return r;
}

struct slice asking_text(const struct value *map, const char *name)
{
	const struct value *v = value_member(map, slice_str(name));

	return v && v->type == VALUE_STRING ? v->s : SLICE("");
}

int64_t asking_int(const struct value *map, const char *name)
{
	const struct value *v = value_member(map, slice_str(name));

	return v && v->type == VALUE_INT ? v->i : 0;
}

bool asking_true(const struct value *map, const char *name)
{
	const struct value *v = value_member(map, slice_str(name));

	return v && v->type == VALUE_BOOL && v->b;
}
