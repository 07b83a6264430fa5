/* A session in a bed; see the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/unit/mta/smtp/bed.h"

static void on_ready(struct session_user *u)
{
	struct bed_user *x = container_of(u, struct bed_user, base);

	x->ready++;
	if (x->to_quit)
		session_quit(x->to_quit);
	if (x->habit == FREE_IN_READY)
		x->session = session_free(x->session);
}

static void on_done(struct session_user *u, struct txn *t)
{
	struct bed_user *x = container_of(u, struct bed_user, base);

	x->done++;
	x->last_done = t;
	if (x->habit == FREE_IN_DONE)
		x->session = session_free(x->session);
	if (x->habit == SEND_IN_DONE && x->to_send)
		x->sent = session_send(x->session, TAKE(x->to_send));
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct bed_user *x = container_of(u, struct bed_user, base);

	x->gone++;
	verdict_copy(&x->why, v);
	if (x->habit == FREE_IN_GONE)
		x->session = session_free(x->session);
	if (x->habit == ASK_IN_GONE) {
		x->sent = session_send(x->session, x->to_send);
		session_quit(x->session);
	}
}

const struct session_user bed_calls = { on_ready, on_done, on_gone };

void bed_make(struct bed *b, const char *script)
{
	*b = (struct bed){ .user.base = bed_calls };
	loop_sim_init(&b->loop);
	assert_int_equal(conn_sim_host(SLICE("192.0.2.1:25"), slice_str(script)), 0);
	assert_int_equal(ip_port_parse(SLICE("192.0.2.1:25"), &b->o.to.ip, &b->o.to.port), 0);
	b->o.mx_host = "mx.test";
	b->o.ehlo = "our.test";
	smtp_timeouts_default(&b->o.timeouts);
	for (int i = 0; i < 3; i++) {
		b->txn[i] = (struct txn){ .mail_from = SLICE("a@our.test"),
					  .message = SLICE("x: y\r\n\r\nz\r\n"),
					  .head = SLICE("head: h\r\n"),
					  .n_rcpts = 1,
					  .rcpts = b->rcpts[i] };
		for (int k = 0; k < 2; k++) {
			b->rcpts[i][k].address = SLICE("b@mx.test");
			/* A value from an earlier try must not count. */
			b->rcpts[i][k].verdict.kind = VERDICT_DELIVERED;
		}
	}
}

void bed_start(struct bed *b)
{
	assert_int_equal(session_new(&b->user.session, &b->loop, &b->o, &b->user.base), 0);
}

void bed_open(struct bed *b, const char *script)
{
	bed_make(b, script);
	bed_start(b);
}

void bed_close(struct bed *b)
{
	(void)session_free(b->user.session);
	loop_sim_end(&b->loop);
	assert_int_equal(conn_sim_live(), 0);
	assert_null(conn_sim_mistake());
	conn_sim_reset();
}
