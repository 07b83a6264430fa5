/* tests/e2e/smtp_probe.c - one SMTP session of ours to a real server: sends a file some times and
 * says what came of it, one line a recipient.
 *	smtp_probe ip:port tls(never|may|must) message-file times from rcpt... */
#include <stdio.h>

#include "base/file.h"
#include "mta/smtp/session.h"

struct probe {
	struct session_user user;
	struct loop loop;
	struct session *session;
	struct txn txn[2];
	struct txn_rcpt rcpts[2][64];
	bool busy[2];
	struct buf message;
	const char *from, *const *to;
	unsigned n_to, left;
	int failures;
};

static void fill(struct probe *p, unsigned i)
{
	p->txn[i] = (struct txn){ .mail_from = slice_str(p->from),
				  .message = buf_data(&p->message),
				  .n_rcpts = p->n_to,
				  .rcpts = p->rcpts[i] };
	for (unsigned k = 0; k < p->n_to; k++)
		p->rcpts[i][k].address = slice_str(p->to[k]);
	p->busy[i] = true;
}

static void on_ready(struct session_user *u)
{
	struct probe *p = container_of(u, struct probe, user);

	while (p->left && session_can_take(p->session)) {
		unsigned i = p->busy[0];

		fill(p, i);
		p->left--;
		if (session_send(p->session, &p->txn[i]) < 0)
			abort();
	}
	if (!p->left && !p->busy[0] && !p->busy[1])
		session_quit(p->session);
}

static void on_done(struct session_user *u, struct txn *t)
{
	struct probe *p = container_of(u, struct probe, user);
	char tls[64] = "plain";

	if (conn_is_tls(session_conn(p->session)))
		(void)conn_tls_text(session_conn(p->session), tls, sizeof(tls));
	for (unsigned i = 0; i < t->n_rcpts; i++) {
		const struct verdict *v = &t->rcpts[i].verdict;

		p->failures += v->kind != VERDICT_DELIVERED;
		printf("rcpt=%.*s kind=%d code=%u dsn=%u.%u.%u tls=\"%s\" text=\"%.*s\"\n",
		       (int)t->rcpts[i].address.n, t->rcpts[i].address.p, (int)v->kind, v->code,
		       v->status.class, v->status.subject, v->status.detail, tls, (int)v->text_n,
		       v->text);
	}
	p->busy[t - p->txn] = false;
}

static void on_gone(struct session_user *u, const struct verdict *v)
{
	struct probe *p = container_of(u, struct probe, user);

	printf("gone kind=%d code=%u text=\"%.*s\"\n", (int)v->kind, v->code, (int)v->text_n,
	       v->text);
	p->failures += v->kind != VERDICT_NONE;
	p->session = session_free(p->session);
	loop_stop(&p->loop);
}

static enum tls_policy policy_of(const char *s)
{
	return !strcmp(s, "must") ? TLS_MUST : !strcmp(s, "may") ? TLS_MAY : TLS_NEVER;
}

int main(int argc, char **argv)
{
	static struct probe p = { .user = { on_ready, on_done, on_gone } };
	struct session_options o = { .mx_host = "mx.test", .ehlo = "probe.test" };
	struct tls_context *tls = NULL;

	if (argc < 7 || argc - 6 > 64 ||
	    ip_port_parse(slice_str(argv[1]), &o.to.ip, &o.to.port) < 0 ||
	    file_read(argv[3], 64 << 20, &p.message) < 0 || tls_client_new(&tls, NULL) < 0) {
		(void)fprintf(stderr,
			      "smtp_probe ip:port never|may|must file times from rcpt...\n");
		return 2;
	}
	o.tls = policy_of(argv[2]);
	o.tls_context = tls;
	smtp_timeouts_default(&o.timeouts);
	p.left = (unsigned)atoi(argv[4]);
	p.from = argv[5];
	p.to = (const char *const *)argv + 6;
	p.n_to = (unsigned)(argc - 6);
	loop_init(&p.loop);
	if (session_new(&p.session, &p.loop, &o, &p.user) < 0)
		return 2;
	loop_run(&p.loop);
	loop_end(&p.loop);
	(void)tls_context_free(tls);
	buf_free(&p.message);
	return p.failures != 0;
}
