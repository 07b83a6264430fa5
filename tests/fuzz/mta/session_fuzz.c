/* Laws: whatever a host says and however it cuts it, the session ends in bounded time, gives back
 * every message once with every recipient judged, calls nobody delivered whose message had not gone
 * out, and holds no more than conn_sim asserts.
 *
 * The first byte picks the policy, how many messages, and whether the host is known to do BDAT;
 * 0xff parts the rest into pieces sent one after the other, 0xfe is a completed handshake. */
#include "base/clock.h"
#include "mta/smtp/session.h"
#include "tests/sim/conn_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TXNS = 3, RCPTS = 2, HOURS_MAX = 4 };
struct world {
	struct loop loop;
	struct session *session;
	struct session_user user;
	struct txn txns[TXNS];
	struct txn_rcpt rcpts[TXNS][RCPTS];
	unsigned most, sent, done[TXNS], gone;
};

static void on_ready(struct session_user *u)
{
	struct world *w = container_of(u, struct world, user);

	while (w->sent < w->most && session_can_take(w->session))
		if (session_send(w->session, &w->txns[w->sent++]) < 0)
			abort();
	if (w->sent == w->most)
		session_quit(w->session);
}

static void on_done(struct session_user *u, struct txn *t)
{
	struct world *w = container_of(u, struct world, user);

	w->done[t - w->txns]++;
	for (unsigned i = 0; i < t->n_rcpts; i++) {
		assert(t->rcpts[i].verdict.kind != VERDICT_NONE);
		assert(t->rcpts[i].verdict.kind != VERDICT_DELIVERED || t->sent_data);
	}
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct world *w = container_of(u, struct world, user);

	assert(v->kind == VERDICT_NONE || v->kind == VERDICT_DEFERRED);
	w->gone++;
	w->session = session_free(w->session);
}

static void write_script(struct buf *script, const uint8_t *data, size_t size)
{
	bool in_line = false;

	for (size_t i = 0; i < size; i++) {
		if (data[i] >= 0xfe) {
			buf_put(script, data[i] == 0xfe ? SLICE("\ntls\n") : SLICE("\ndelay 10\n"));
			in_line = false;
			continue;
		}
		if (!in_line)
			buf_put(script, SLICE("\nraw "));
		in_line = true;
		buf_putf(script, "\\x%02x", data[i]);
	}
	buf_put(script, SLICE("\nsilent\n"));
}

static void fill(struct world *w, unsigned most)
{
	*w = (struct world){ .user = { on_ready, on_done, on_gone }, .most = most };
	for (unsigned i = 0; i < TXNS; i++) {
		w->txns[i] = (struct txn){ .mail_from = SLICE("a@b.test"),
					   .message = SLICE("x: y\r\n\r\n.\r\n"),
					   .body_8bit = i == 1,
					   .n_rcpts = RCPTS,
					   .rcpts = w->rcpts[i] };
		for (unsigned k = 0; k < RCPTS; k++)
			w->rcpts[i][k].address = SLICE("c@d.test");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct session_options o = { .mx_host = "mx.test", .ehlo = "our.test" };
	struct buf script = { 0 };
	int64_t start;

	if (size < 2 || size > 65536)
		return 0;
	fill(&w, data[0] / 3 % (TXNS + 1));
	o.tls = (enum tls_policy)(data[0] % 3);
	o.chunks = o.pipelines = data[0] / 12 % 2;
	smtp_timeouts_default(&o.timeouts);
	write_script(&script, data + 1, size - 1);
	loop_sim_init(&w.loop);
	if (tls_client_new(&o.tls_context, NULL) < 0 ||
	    conn_sim_host(SLICE("192.0.2.1:25"), buf_data(&script)) < 0 ||
	    ip_port_parse(SLICE("192.0.2.1:25"), &o.to.ip, &o.to.port) < 0 ||
	    session_new(&w.session, &w.loop, &o, &w.user) < 0)
		abort();
	start = clock_mono_ms();
	loop_sim_run(&w.loop, 2LL * HOURS_MAX * 3600 * 1000);
	assert(w.gone == 1 && clock_mono_ms() - start < HOURS_MAX * 3600 * 1000LL);
	for (unsigned i = 0; i < TXNS; i++)
		assert(w.done[i] == (i < w.sent));
	loop_sim_end(&w.loop);
	assert(!conn_sim_live());
	conn_sim_reset();
	(void)tls_context_free(o.tls_context);
	buf_free(&script);
	return 0;
}
