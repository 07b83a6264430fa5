/* Law: what a SOCKS5 proxy says leads to the same end, and to the same words of ours, whether it
 * comes at once or byte by byte; and no more is used up than came. */
#include "mta/door/detour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct detour talk;
	struct buf said;
	int end; /* 0: it goes on */
	size_t used;
};

static void begin(struct run *r, const struct proxy *p)
{
	*r = (struct run){ .talk = { .proxy = p, .port = 25 } };
	r->talk.to.family = AF_INET;
	(void)detour_begin(&r->talk, &r->said);
}

/* As much as can be heard of in[r->used..n). */
static void hear(struct run *r, const uint8_t *in, size_t n)
{
	size_t used = 1;

	while (!r->end && used) {
		r->end =
		    detour_hear(&r->talk, slice_of(in + r->used, n - r->used), &used, &r->said);
		assert(used <= n - r->used);
		r->used += used;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct proxy open = { .kind = PROXY_SOCKS5 };
	static const struct proxy secret = { .kind = PROXY_SOCKS5, .user = "u", .password = "p" };
	const struct proxy *p = size && data[0] & 1 ? &secret : &open;
	struct run whole, bits;

	if (!size)
		return 0;
	begin(&whole, p);
	begin(&bits, p);
	hear(&whole, data + 1, size - 1);
	for (size_t n = 1; n < size && !bits.end; n++)
		hear(&bits, data + 1, n);
	assert(whole.end == bits.end);
	assert(whole.end < 0 || whole.used == bits.used);
	assert(slice_eq(buf_data(&whole.said), buf_data(&bits.said)));
	buf_free(&whole.said);
	buf_free(&bits.said);
	return 0;
}
