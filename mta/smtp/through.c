/* mta/smtp/through.c - a session that reaches its host through a proxy: the talk before the
 * greeting, and whose fault it is when the session ends early. */
#include "mta/smtp/session_int.h"

struct conn_target session_first_hop(const struct session *s)
{
	const struct proxy *p = s->to.proxy;

	return p ? (struct conn_target){ .ip = p->ip, .port = p->port } : s->to;
}

static void say(struct session *s, struct buf *out)
{
	int r = buf_len(out) ? conn_write(s->conn, buf_data(out)) : 0;

	buf_free(out);
	if (r < 0)
		session_fail(s, r);
}

void session_through_begin(struct session *s)
{
	struct buf out = { 0 };
	bool through;

	s->talk = (struct detour){
		.proxy = s->to.proxy, .to = s->to.ip, .port = s->to.port, .source = s->to.source
	};
	s->lone = S_PROXY;
	through = detour_begin(&s->talk, &out);
	say(s, &out);
	if (s->life >= SESSION_OVER)
		return;
	if (through)
		session_arrive(s);
	else
		session_arm(s);
}

void session_through_hear(struct session *s)
{
	struct buf out = { 0 };
	size_t used;
	int r;

	do {
		r = detour_hear(&s->talk, conn_input(s->conn), &used, &out);
		conn_consume(s->conn, used);
	} while (r == 0 && used && !buf_len(&out));
	say(s, &out);
	if (s->life >= SESSION_OVER)
		return;
	if (r < 0)
		session_fail(s, r);
	else if (r > 0)
		session_arrive(s);
	else if (conn_eof(s->conn))
		session_fail(s, E_EOF);
}

static enum session_blame blame_of(const struct session *s, int err)
{
	if (s->lone == S_CONNECT || err == E_SYNTAX || !detour_asked(&s->talk))
		return BLAME_PROXY;
	return detour_is_hosts(err) ? BLAME_HOST : BLAME_WAY;
}

void session_through_failed(struct session *s, int err)
{
	if (!s->to.proxy)
		return;
	s->blame_err = err;
	if (s->ring_count == 0 && s->lone <= S_PROXY)
		s->blame = blame_of(s, err);
	else if (s->to.proxy->kind == PROXY_HAPROXY && s->ring_count &&
		 s->ring[s->ring_head].step == S_GREETING && !conn_input(s->conn).n)
		s->blame = BLAME_WAY; /* it has no words for a host that it cannot reach */
}

enum session_blame session_blame(const struct session *s, int *ret_err)
{
	*ret_err = s->blame_err;
	return s->blame;
}
