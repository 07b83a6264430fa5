/* Laws: how a stream of frames is cut into reads does not matter; a frame that is read can be put
 * again, and what is put reads to the same bytes; the events of a frame are as many as it says. */
#include "schema/wire/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Feeds `step` bytes a time; gives how many frames came and where the stream
 * stopped being frames. */
static unsigned feed(const uint8_t *data, size_t size, size_t step, size_t *ret_end)
{
	struct slice body;
	size_t have = 0, at = 0, used;
	unsigned frames = 0;
	int r = 0;

	while (have < size && r >= 0) {
		have = MIN_OF(size, have + step);
		while ((r = link_split(slice_of(data + at, have - at), &body, &used)) > 0) {
			assert(used <= have - at &&
			       body.p + body.n == (const char *)data + at + used);
			at += used;
			frames++;
		}
	}
	*ret_end = at;
	return frames;
}

static void put_again(const struct link_frame *f, struct wire_arena *arena)
{
	struct buf one = { 0 }, two = { 0 };
	struct link_frame g;
	struct slice body;
	size_t used;
	int r = link_put(&one, f);

	assert(r == 0);
	r = link_split(buf_data(&one), &body, &used);
	assert(r == 1 && used == buf_len(&one));
	r = link_get(body, arena, &g);
	assert(r == 0 && g.type == f->type && g.request == f->request);
	r = link_put(&two, &g);
	assert(r == 0 && slice_eq(buf_data(&one), buf_data(&two)));
	buf_free(&one);
	buf_free(&two);
}

static void count_events(const struct link_frame *f)
{
	struct link_event e;
	size_t pos = 0;
	uint32_t n = 0;
	int r;

	while ((r = link_event_next(f, &pos, &e)) > 0)
		n++;
	assert(r == 0 && n == f->events.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWNED(wire_arena) arena = wire_arena_new();
	size_t whole_end, drip_end, used;
	unsigned whole = feed(data, size, size, &whole_end), drip = feed(data, size, 1, &drip_end);
	struct slice in = slice_of(data, size), body;
	struct link_frame f;

	assert(whole == drip && whole_end == drip_end);
	while (link_split(in, &body, &used) > 0) {
		if (link_get(body, arena, &f) == 0) {
			put_again(&f, arena);
			if (f.type == LINK_EVENTS)
				count_events(&f);
		}
		in = slice_skip(in, used);
	}
	return 0;
}
