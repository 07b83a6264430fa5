/* mta/egress/turns.c - stride scheduling of sources; see the header. */
#include "mta/egress/turns.h"

enum { STRIDE_OF_ONE = 1 << 20 };

struct turn *turns_begin(struct turns *t, unsigned n)
{
	assert(!t->at && n);
	*t = (struct turns){ .at = must_alloc(n * sizeof(*t->at)), .n = n };
	return t->at;
}

void turns_end(struct turns *t)
{
	free(t->at);
	*t = (struct turns){ 0 };
}

uint64_t turns_stride(int64_t weight)
{
	return (uint64_t)(STRIDE_OF_ONE / MAX_OF(weight, (int64_t)1));
}

/* ---- who takes the next message ---------------------------------------------------------- */

unsigned turns_first(const struct turns *t)
{
	unsigned first = TURN_NONE;

	for (unsigned i = 0; i < t->n; i++)
		if (!t->at[i].out && (first == TURN_NONE || t->at[i].pass < t->at[first].pass))
			first = i;
	return first;
}

bool turns_may_take(const struct turns *t, unsigned i)
{
	unsigned first;

	if (i >= t->n)
		return false;
	if (t->n == 1)
		return true;
	first = turns_first(t);
	if (first == TURN_NONE)
		return true;
	return t->at[i].pass <=
	       t->at[first].pass + (t->crowded ? TURNS_PER_CHANGE * t->at[i].stride : 0);
}

void turns_refused(struct turns *t, int64_t now_ms)
{
	if (!t->since_ms)
		t->since_ms = now_ms;
}

/* It was not waited for: it catches up by so many messages, not for all the time. */
static void come_back(struct turns *t, struct turn *back, unsigned messages)
{
	unsigned first = turns_first(t);
	uint64_t pass = first == TURN_NONE ? 0 : t->at[first].pass;
	uint64_t most = messages * back->stride;

	if (pass > most)
		back->pass = MAX_OF(back->pass, pass - most);
	back->out = false;
}

void turns_took(struct turns *t, unsigned i)
{
	if (i >= t->n || t->n == 1)
		return;
	if (t->at[i].out)
		come_back(t, &t->at[i], TURNS_CATCH_UP);
	if (turns_first(t) == i)
		t->since_ms = 0;
	t->at[i].pass += t->at[i].stride;
}

void turns_yield(struct turns *t, unsigned i)
{
	for (unsigned k = 0; i < t->n && k < t->n; k++)
		if (k != i && !t->at[k].out)
			t->at[i].pass = MAX_OF(t->at[i].pass, t->at[k].pass + 1);
}

void turns_pass_over(struct turns *t, unsigned i)
{
	t->at[i].out = true;
	t->since_ms = 0;
}

void turns_wait_for_all(struct turns *t)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->at[i].out)
			come_back(t, &t->at[i], 0);
}

bool turns_is_late(const struct turns *t, int64_t now_ms)
{
	return t->since_ms && now_ms - t->since_ms >= TURNS_PATIENCE_MS;
}

/* ---- who opens the next connection ------------------------------------------------------- */

static uint64_t pass_then(const struct turn *t)
{
	return t->pass + t->opening * t->stride;
}

unsigned turns_next_untried(struct turns *t, bool begin)
{
	unsigned next = TURN_NONE;

	for (unsigned i = 0; i < t->n; i++) {
		if (begin)
			t->at[i].tried = false;
		if (!t->at[i].tried &&
		    (next == TURN_NONE || pass_then(&t->at[i]) < pass_then(&t->at[next])))
			next = i;
	}
	if (next != TURN_NONE)
		t->at[next].tried = true;
	return next;
}
