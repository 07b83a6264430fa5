/* Laws.  A plan that is read has at most 366 days; a curve never falls; and written as its days it
 * reads as the same plan.  A record or a date that is read, and shown, reads as the same.  Whatever
 * the clock does and however mail fares, each date has one record and is at most one step from the
 * date before it.
 *
 * The first byte says which of the four. */
#include "mta/warmup/days.h"
#include "base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show_plan(const struct warmup_plan *p, struct buf *out)
{
	buf_put(out, SLICE("days="));
	for (unsigned i = 0; i < p->n; i++)
		buf_putf(out, "%s%u", i ? ":" : "", p->at[i]);
	buf_putf(out, " day=%u", p->first + 1);
}

static void try_plan(struct slice text)
{
	struct warmup_plan p, again;
	const char *why = "";
	struct buf days;
	bool curve = text.n && memmem(text.p, text.n, "curve=", 6);

	if (warmup_plan_read(text, &p, &why) < 0) {
		assert(*why);
		return;
	}
	assert(p.n <= WARMUP_STEPS_MAX && p.first <= p.n);
	for (unsigned i = 0; i < p.n; i++) {
		assert(p.at[i] <= WARMUP_COUNT_MAX);
		assert(!curve || !i || p.at[i] > p.at[i - 1]);
	}
	if (!p.n)
		return;
	buf_init(&days, 0);
	show_plan(&p, &days);
	if (buf_len(&days) <= WARMUP_TEXT_MAX) {
		assert(warmup_plan_read(buf_data(&days), &again, &why) == 0);
		assert(memcmp(&p, &again, sizeof(p)) == 0);
	}
	buf_free(&days);
}

static void try_day(struct slice text)
{
	struct warmup_day day, again;
	char value[WARMUP_VALUE_MAX];

	if (warmup_day_read(text, 7, &day) < 0)
		return;
	assert(day.step <= WARMUP_STEPS_MAX && day.plan >= 0 && day.leaves >= 0);
	warmup_day_show(&day, value);
	assert(warmup_day_read(slice_str(value), 7, &again) == 0);
	assert(again.step == day.step && again.plan == day.plan && again.leaves == day.leaves &&
	       again.held == day.held && again.released == day.released &&
	       again.since_ms == day.since_ms && memcmp(again.n, day.n, sizeof(day.n)) == 0);
}

static void try_date(struct slice text)
{
	char shown[WARMUP_DATE_MAX];
	int32_t date;

	if (warmup_date_read(text, &date) < 0)
		return;
	assert(date >= 0);
	warmup_date_show(date, shown);
	assert(slice_eq(slice_str(shown), text));
}

static void check_days(const struct warmup_days *d, const struct warmup_day *now)
{
	for (unsigned i = 1; i < d->n; i++)
		assert(d->at[i - 1].date < d->at[i].date);
	if (now > d->at) {
		assert(now->step <= now[-1].step + 1);
		assert(now->date - now[-1].date >= WARMUP_FORGET_DAYS || now->step == 0 ||
		       now->step + 1 >= now[-1].step);
	}
}

/* Each byte: what the clock does, and how the mail of the date fares. */
static void live(struct slice bytes)
{
	const struct warmup_bounds b = {
		.most = { 0, 50, 10, 50, 2 }, .sample = 20, .release = 50, .reached = 50
	};
	struct warmup_plan plan = { .n = 9 };
	struct warmup_days d = { .n = 0 };
	int32_t date = 20000;

	for (unsigned i = 0; i < plan.n; i++)
		plan.at[i] = 10U << i;
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];
		struct warmup_day *day;
		enum warmup_move how;
		bool fresh;
		date = MAX_OF(date + (c & 7) - 3, 10000);
		fresh = !warmup_days_find(&d, date);
		day = warmup_days_begin(&d, date, &plan, &b, &how);
		assert(fresh == (how != WARMUP_KNOWN) && day->date == date);
		if (fresh && how != WARMUP_BEGUN)
			check_days(&d, day);
		if (day->plan != WARMUP_NO_LIMIT)
			day->leaves = c & 8 ? day->plan : day->plan / 3;
		day->n[WARMUP_TRIED] = day->n[WARMUP_DELIVERED] = (uint32_t)day->leaves;
		day->n[WARMUP_WAS_BLOCKED] = c & 16 ? 4 : 0;
		day->held = c & 32 ? WARMUP_BLOCKED : WARMUP_GOOD;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const tries[])(struct slice) = { try_plan, try_day, try_date, live };

	if (size)
		tries[data[0] % ARRAY_LEN(tries)](slice_of(data + 1, size - 1));
	return 0;
}
