/* mta/door/detour.c - SOCKS5 and the PROXY header, as bytes. */
#include "mta/door/detour.h"

/* ---- SOCKS5, RFC 1928 and 1929 ----------------------------------------------------------- */

enum { STEP_METHOD, STEP_PASSWORD, STEP_CONNECT, STEP_DONE };
enum { SOCKS = 5, NO_METHOD = 0xff, WITHOUT_PASSWORD = 0, WITH_PASSWORD = 2, PASSWORD_VERSION = 1 };

static void put_byte(struct buf *out, unsigned byte)
{
	char c = (char)byte;

	buf_put(out, slice_of(&c, 1));
}

static void say_methods(const struct proxy *p, struct buf *out)
{
	put_byte(out, SOCKS);
	put_byte(out, p->user ? 2 : 1);
	put_byte(out, WITHOUT_PASSWORD);
	if (p->user)
		put_byte(out, WITH_PASSWORD);
}

static void say_password(const struct proxy *p, struct buf *out)
{
	struct slice user = slice_str(p->user), password = slice_str(p->password);

	put_byte(out, PASSWORD_VERSION);
	put_byte(out, (unsigned)user.n);
	buf_put(out, user);
	put_byte(out, (unsigned)password.n);
	buf_put(out, password);
}

static void put_address(const struct ip *ip, struct buf *out)
{
	buf_put(out, slice_of(ip->bytes, ip->family == AF_INET ? 4 : 16));
}

static void put_port(uint16_t port, struct buf *out)
{
	put_byte(out, port >> 8);
	put_byte(out, port & 0xff);
}

/* Section 4: CONNECT to an address. */
static int say_connect(struct detour *t, struct buf *out)
{
	t->step = t->only_hello ? STEP_DONE : STEP_CONNECT;
	if (t->only_hello)
		return 1;
	put_byte(out, SOCKS);
	put_byte(out, 1);
	put_byte(out, 0);
	put_byte(out, t->to.family == AF_INET ? 1 : 4);
	put_address(&t->to, out);
	put_port(t->port, out);
	return 0;
}

static int hear_method(struct detour *t, const uint8_t *in, struct buf *out)
{
	if (in[0] != SOCKS)
		return E_SYNTAX;
	if (in[1] == WITHOUT_PASSWORD)
		return say_connect(t, out);
	if (in[1] == WITH_PASSWORD && t->proxy->user) {
		say_password(t->proxy, out);
		t->step = STEP_PASSWORD;
		return 0;
	}
	return in[1] == NO_METHOD ? E_DENIED : E_SYNTAX;
}

static int hear_password(struct detour *t, const uint8_t *in, struct buf *out)
{
	if (in[0] != PASSWORD_VERSION)
		return E_SYNTAX;
	return in[1] == 0 ? say_connect(t, out) : E_DENIED;
}

/* Section 6: general failures and rulesets are the proxy's, the rest is about the host. */
static int error_of(uint8_t reply)
{
	static const int errors[] = {
		[1] = E_DENIED,      [2] = E_DENIED,      [3] = -ENETUNREACH, [4] = -EHOSTUNREACH,
		[5] = -ECONNREFUSED, [6] = -EHOSTUNREACH, [7] = E_SYNTAX,     [8] = -EAFNOSUPPORT,
	};

	return reply < ARRAY_LEN(errors) ? errors[reply] : E_SYNTAX;
}

/* The whole answer's length; 0: not known yet; negative: it is none. */
static int answer_length(const uint8_t *in, size_t n)
{
	if (n < 5)
		return 0;
	if (in[0] != SOCKS || in[2] != 0)
		return E_SYNTAX;
	if (in[3] == 1)
		return 4 + 4 + 2;
	if (in[3] == 4)
		return 4 + 16 + 2;
	return in[3] == 3 ? 4 + 1 + in[4] + 2 : E_SYNTAX;
}

static int hear_connected(struct detour *t, const uint8_t *in, size_t n, size_t *ret_used)
{
	int length = answer_length(in, n);

	/* Some say no more than the reply when they refuse. */
	if (n >= 2 && in[0] == SOCKS && in[1] != 0)
		return error_of(in[1]);
	if (length <= 0 || n < (size_t)length)
		return MIN_OF(length, 0);
	*ret_used = (size_t)length;
	t->step = STEP_DONE;
	return 1;
}

int detour_hear(struct detour *t, struct slice in, size_t *ret_used, struct buf *out)
{
	const uint8_t *p = (const void *)in.p;

	*ret_used = 0;
	if (t->step == STEP_CONNECT)
		return hear_connected(t, p, in.n, ret_used);
	if (t->step == STEP_DONE)
		return 1;
	if (in.n && p[0] != (t->step == STEP_METHOD ? SOCKS : PASSWORD_VERSION))
		return E_SYNTAX;
	if (in.n < 2)
		return 0;
	*ret_used = 2;
	return t->step == STEP_METHOD ? hear_method(t, p, out) : hear_password(t, p, out);
}

/* ---- the PROXY protocol, version 2 ------------------------------------------------------- */

static void say_header(const struct detour *t, struct buf *out)
{
	bool v4 = t->to.family == AF_INET;

	buf_put(out, SLICE("\r\n\r\n\0\r\nQUIT\n"));
	put_byte(out, 0x21); /* version 2, PROXY */
	put_byte(out, v4 ? 0x11 : 0x21);
	put_port(v4 ? 12 : 36, out); /* the length of what follows */
	put_address(&t->source, out);
	put_address(&t->to, out);
	put_port(0, out); /* any */
	put_port(t->port, out);
}

bool detour_begin(struct detour *t, struct buf *out)
{
	t->step = STEP_METHOD;
	if (t->proxy->kind == PROXY_SOCKS5) {
		say_methods(t->proxy, out);
		return false;
	}
	t->step = STEP_DONE;
	if (!t->only_hello)
		say_header(t, out);
	return true;
}

bool detour_asked(const struct detour *t)
{
	return t->step >= STEP_CONNECT;
}

bool detour_is_hosts(int err)
{
	return err == -ENETUNREACH || err == -EHOSTUNREACH || err == -ECONNREFUSED ||
	       err == -EAFNOSUPPORT;
}
