/* schema/wire/link_event.c - one event, and the array of them inside an EVENTS frame. */
#include "schema/wire/link_event.h"

#include "schema/wire/fields.h"
#include "schema/wire/link.h"

#define F(kind, member)                                                                            \
	{                                                                                          \
		kind, offsetof(struct link_event, member)                                          \
	}
static const struct field event_fields[] = {
	F(F_U64, lsn),     F(F_U32, kind),     F(F_U64, job.hi),  F(F_U64, job.lo),
	F(F_U64, tenant),  F(F_U64, campaign), F(F_U32, row),     F(F_U16, attempt),
	F(F_I64, at_ms),   F(F_I64, next_ms),  F(F_U16, code),    F(F_TEXT, dsn),
	F(F_U16, flags),   F(F_TEXT, text),    F(F_TEXT, host),   F(F_TEXT, ip),
	F(F_TEXT, source), F(F_TEXT, rcpt),    F(F_TEXT, class),  F(F_TEXT, rule),
	F(F_TEXT, tls),    F(F_TEXT, cipher),  F(F_TEXT, policy), F(F_TEXT, proof),
};
/* Engines before how mail travelled, and before the classes of replies, sent no more than these. */
enum { EVENT_FIELDS_OLD = ARRAY_LEN(event_fields) - 4, EVENT_FIELDS_OLDER = EVENT_FIELDS_OLD - 2 };
_Static_assert(sizeof(unsigned) == sizeof(uint32_t), "link_event.kind is read as 32 bits");

int link_event_put(struct buf *packed, const struct link_event *e)
{
	struct packer p;

	pack_begin(&p, packed);
	pack_array(&p, ARRAY_LEN(event_fields));
	fields_put(&p, event_fields, ARRAY_LEN(event_fields), e);
	return pack_end(&p);
}

static int get_event(struct cursor *c, struct link_event *ret)
{
	uint32_t n;
	int r = cursor_list(c, &n);

	if (r < 0)
		return r;
	if (n != ARRAY_LEN(event_fields) && n != EVENT_FIELDS_OLD && n != EVENT_FIELDS_OLDER)
		return E_SYNTAX;
	ret->class = ret->rule = slice_of("", 0);
	ret->tls = ret->cipher = ret->policy = ret->proof = slice_of("", 0);
	return fields_get(c, event_fields, n, NULL, ret);
}

/* `at` is link_frame.events.n: container_of gives the frame to which n and packed belong. */
void link_events_put(struct packer *p, const void *at)
{
	const struct link_frame *f = container_of(at, const struct link_frame, events.n);

	if (f->events.n > LINK_EVENTS_MAX) {
		pack_fail(p, E_LIMIT);
		return;
	}
	pack_array(p, f->events.n);
	pack_raw(p, f->events.packed);
}

/* Every event is checked here, so that a later walk finds no mistake. */
int link_events_get(struct cursor *c, void *at)
{
	struct link_frame *f = container_of(at, struct link_frame, events.n);
	struct link_event unused;
	const uint8_t *first;
	uint32_t n;
	int r = cursor_list(c, &n);

	if (r < 0)
		return r;
	if (n > LINK_EVENTS_MAX)
		return E_LIMIT;
	first = c->p;
	for (uint32_t i = 0; i < n; i++) {
		r = get_event(c, &unused);
		if (r < 0)
			return r;
	}
	f->events.n = n;
	f->events.packed = slice_of(first, (size_t)(c->p - first));
	return 0;
}

int link_event_next(const struct link_frame *f, size_t *pos, struct link_event *ret)
{
	struct slice packed = f->events.packed;
	struct cursor c = cursor_of(slice_skip(packed, *pos));
	struct link_event e = { 0 };
	int r;

	if (!cursor_left(&c))
		return 0;
	r = get_event(&c, &e);
	if (r < 0)
		return r;
	*pos = packed.n - cursor_left(&c);
	*ret = e;
	return 1;
}
