/* mta/main.c - postern-mta: command line, start, signals, end. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <ev.h>

#include "base/log.h"
#include "mta/config/host.h"
#include "mta/daemon.h"
#include "mta/egress/egress.h"
#include "mta/opening.h"
#include "mta/metrics/metrics.h"
#include "mta/reports/reader.h"
#include "mta/parts.h"
#include "mta/site/options.h"
#include "mta/smtp/options.h"

enum { EXIT_USAGE = 64, EXIT_CONFIG = 78 }; /* as in sysexits.h */

struct running {
	const char *config_path;
	struct engine *engine;
	struct engine_rereader rereader;
	ev_signal on_term, on_int, on_hup;
};

static int read_options(struct settings **ret, const char *path, char *error)
{
	return settings_read(ret, mta_option_sets, mta_option_sets_n, path, error);
}

static void on_stop_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct running *p = w->data;

	(void)ev, (void)revents;
	log_info("engine.stopping", kv_int("signal", w->signum));
	daemon_notify("STOPPING=1");
	engine_stop(p->engine);
}

/* What is allowed but hardly meant. */
static void check(const struct settings *s, void (*warn)(void *arg, const char *text))
{
	const struct dns_options *dns = settings_of(s, &dns_option_set);

	egress_check(settings_of(s, &egress_option_set), dns->ipv4, dns->ipv6, warn, NULL);
	smtp_options_check(settings_of(s, &smtp_option_set), warn, NULL);
}

static void log_warning(void *arg, const char *text)
{
	(void)arg;
	log_warn("config.warning", kv_str("text", text));
}

static void print_warning(void *arg, const char *text)
{
	(void)arg;
	(void)fprintf(stderr, "postern-mta: warning: %s\n", text);
}

static int read_again(struct engine_rereader *rr, char *text)
{
	struct running *p = container_of(rr, struct running, rereader);
	struct settings *fresh;
	const char *restart;

	if (read_options(&fresh, p->config_path, text) < 0) {
		log_error("config.refused", kv_str("reason", text));
		return E_SYNTAX;
	}
	restart = settings_needs_restart(engine_settings(p->engine), fresh);
	(void)snprintf(text, OPTION_ERROR_MAX, "%s", restart ? restart : "");
	if (restart)
		log_warn("config.needs-restart", kv_str("option", restart));
	log_open(STDERR_FILENO, host_options(fresh)->level);
	log_set_format(host_options(fresh)->format);
	engine_reload(p->engine, fresh);
	check(fresh, log_warning);
	log_info("config.reloaded", kv_str("file", p->config_path ? p->config_path : ""));
	return 0;
}

static void on_hup_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct running *p = w->data;
	char text[OPTION_ERROR_MAX];

	(void)ev, (void)revents;
	(void)!engine_read_again(p->engine, text); /* it has logged what is to be said */
}

static void watch(struct running *p, ev_signal *w, void (*cb)(struct ev_loop *, ev_signal *, int),
		  int signum)
{
	ev_signal_init(w, cb, signum);
	w->data = p;
	ev_signal_start(lane_loop(engine_front(p->engine))->ev, w);
}

static void on_ready(void *arg)
{
	struct running *p = arg;
	struct books b;

	watch(p, &p->on_term, on_stop_signal, SIGTERM);
	watch(p, &p->on_int, on_stop_signal, SIGINT);
	watch(p, &p->on_hup, on_hup_signal, SIGHUP);
	spool_books(engine_spool(p->engine), &b);
	check(engine_settings(p->engine), log_warning);
	log_info("engine.started", kv_int("lanes", engine_lanes(p->engine)), kv_int("jobs", b.jobs),
		 kv_int("queued", b.queued));
	daemon_notify("READY=1");
}

static int prepare_process(const struct host_options *c)
{
	int r;

	r = daemon_raise_files((uint64_t)c->files_max);
	if (r < 0)
		return r;
	r = daemon_become(c->user);
	if (r < 0) {
		log_error("engine.user", kv_str("user", c->user), kv_err("reason", r));
		return r;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	return daemon_harden();
}

static int run(struct settings *c, const char *config_path, bool fresh)
{
	struct running p = { .config_path = config_path, .rereader = { read_again } };
	OWNED(engine) e = NULL;
	struct spool *sp = NULL;
	const char *what = "process", *text = NULL;
	int r;

	log_open(STDERR_FILENO, host_options(c)->level);
	log_set_format(host_options(c)->format);
	r = prepare_process(host_options(c));
	if (r == 0) {
		what = "spool";
		r = opening_spool(spool_settings(c), fresh, &sp);
		if (r == -EAGAIN)
			text = "another process, probably another engine, has it open";
	}
	if (r < 0) {
		log_error("engine.failed", kv_str("what", what),
			  kv_str("dir", text ? spool_settings(c)->dir : ""),
			  kv_str("reason", text ? text : err_text(r)));
		settings_free(c);
		return EXIT_FAILURE;
	}
	r = engine_new(&e, c, sp, mta_parts, mta_parts_n, true);
	what = "engine";
	if (r == 0) {
		p.engine = e;
		engine_set_rereader(e, &p.rereader);
		r = engine_run(e, on_ready, &p, &what);
	}
	if (e)
		opening_explain(spool_settings(engine_settings(e)), engine_spool(e));
	if (r < 0)
		log_error("engine.failed", kv_str("what", what), kv_err("reason", r));
	else
		log_info("engine.stopped", kv_int("signal", 0));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int print_sample(void)
{
	struct buf out;

	buf_init(&out, 0);
	settings_sample(mta_option_sets, mta_option_sets_n, &out);
	(void)!fwrite(buf_data(&out).p, 1, buf_len(&out), stdout);
	buf_free(&out);
	return EXIT_SUCCESS;
}

static int print_metrics(void)
{
	struct buf out = { 0 };
	int r;

	metrics_heads(mta_parts, mta_parts_n, &out);
	r = fwrite(buf_data(&out).p, 1, buf_len(&out), stdout) == buf_len(&out) ? 0 : 1;
	buf_free(&out);
	return r;
}

static int usage(FILE *to, int code)
{
	(void)fprintf(
	    to, "usage: postern-mta [-c FILE] [-t] [--new-spool]\n"
		"       postern-mta --sample | --metrics | --version | --help\n"
		"  -c FILE    read the configuration from FILE (default: /etc/postern/mta.conf)\n"
		"  -t         check the configuration and exit\n"
		"  --new-spool  begin a new spool where the old one is gone\n"
		"  --sample   print every option with its explanation and default\n"
		"  --metrics  print every metric with its type and what it says\n"
		"  --version  print the version\n"
		"  --help     print this text\n");
	return code;
}

int main(int argc, char **argv)
{
	const char *path = "/etc/postern/mta.conf";
	char error[OPTION_ERROR_MAX];
	struct settings *c;
	bool test = false, fresh = false;

	if (argc == 3 && strcmp(argv[1], READER_ARGUMENT) == 0)
		return reader_main(argv[2]);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-c") == 0 && i + 1 < argc)
			path = argv[++i];
		else if (strcmp(argv[i], "-t") == 0)
			test = true;
		else if (strcmp(argv[i], "--new-spool") == 0)
			fresh = true;
		else if (strcmp(argv[i], "--sample") == 0)
			return print_sample();
		else if (strcmp(argv[i], "--metrics") == 0)
			return print_metrics();
		else if (strcmp(argv[i], "--version") == 0)
			return puts("postern-mta " POSTERN_VERSION) < 0;
		else if (strcmp(argv[i], "--help") == 0)
			return usage(stdout, EXIT_SUCCESS);
		else
			return usage(stderr, EXIT_USAGE);
	}
	if (read_options(&c, path, error) < 0) {
		(void)fprintf(stderr, "postern-mta: %s\n", error);
		return EXIT_CONFIG;
	}
	if (test) {
		check(c, print_warning);
		settings_free(c);
		return puts("the configuration has no errors") < 0;
	}
	return run(c, path, fresh);
}
