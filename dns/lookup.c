/* dns/lookup.c - asks on a loop of its own and waits. */
#include "dns/lookup.h"

#include <ev.h>

enum { WAITING = 1 };
struct lookup_state {
	struct dns_query query;
	ev_timer timer;
	int status;
	struct dns_answer *answer;
};

static size_t text_size(const struct dns_answer *a)
{
	size_t n = a->canonical.n;

	for (unsigned i = 0; i < a->n; i++)
		n += a->records[i].name.n + a->records[i].data.n;
	return n;
}

static struct slice copy_text(struct slice s, char **to)
{
	struct slice copy = slice_of(*to, s.n);

	if (s.n)
		memcpy(*to, s.p, s.n);
	*to += s.n;
	return copy;
}

/* One allocation: the answer, its records, their text. */
static struct dns_answer *copy_answer(const struct dns_answer *a)
{
	size_t size = sizeof(*a) + a->n * sizeof(struct dns_record) + text_size(a);
	struct dns_answer *copy = malloc(size);
	struct dns_record *records;
	char *text;

	if (!copy)
		return NULL;
	records = (struct dns_record *)(copy + 1);
	text = (char *)(records + a->n);
	*copy = *a;
	copy->records = records;
	copy->canonical = copy_text(a->canonical, &text);
	for (unsigned i = 0; i < a->n; i++) {
		records[i] = a->records[i];
		records[i].name = copy_text(a->records[i].name, &text);
		records[i].data = copy_text(a->records[i].data, &text);
	}
	return copy;
}

static void on_answer(struct dns_query *q, const struct dns_answer *a)
{
	struct lookup_state *s = container_of(q, struct lookup_state, query);

	if (s->status != WAITING)
		return;
	s->status = a->status;
	if (a->status == 0) {
		s->answer = copy_answer(a);
		if (!s->answer)
			s->status = -ENOMEM;
	}
}

static void on_deadline(struct ev_loop *loop UNUSED, ev_timer *timer, int events UNUSED)
{
	struct lookup_state *s = container_of(timer, struct lookup_state, timer);

	if (s->status == WAITING)
		s->status = E_DNS_TEMP;
}

static int ask_and_wait(struct ev_loop *loop, const struct resolver_options *o, struct slice name,
			enum dns_type type, uint32_t timeout_ms, struct dns_answer **ret)
{
	struct lookup_state s = { .status = WAITING };
	OWNED(resolver) r = NULL;
	int err = resolver_new(&r, loop, o);

	if (err < 0)
		return err;
	dns_query_init(&s.query, on_answer);
	err = resolver_ask(r, &s.query, name, type);
	if (err < 0)
		return err;
	ev_timer_init(&s.timer, on_deadline, timeout_ms / 1e3, 0.);
	ev_timer_start(loop, &s.timer);
	while (s.status == WAITING)
		ev_run(loop, EVRUN_ONCE);
	ev_timer_stop(loop, &s.timer);
	resolver_cancel(r, &s.query);
	if (s.status == 0)
		*ret = s.answer;
	return s.status;
}

int lookup(const struct resolver_options *o, struct slice name, enum dns_type type,
	   uint32_t timeout_ms, struct dns_answer **ret)
{
	struct resolver_options defaults;
	struct ev_loop *loop;
	int r;

	resolver_options_default(&defaults);
	loop = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!loop)
		return -ENOMEM;
	r = ask_and_wait(loop, o ? o : &defaults, name, type, timeout_ms, ret);
	ev_loop_destroy(loop);
	return r;
}

struct dns_answer *lookup_free(struct dns_answer *a)
{
	free(a);
	return NULL;
}
