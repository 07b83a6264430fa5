/* control/main.c - postern-control(8): the control plane's daemon, and its few commands. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "control/app/options.h"
#include "control/auth/gate.h"
#include "control/db/migrate.h"
#include "control/http/route.h"
#include "control/http/server.h"
#include "control/saml/reader.h"
#include "control/setup.h"
#include "control/worker/worker.h"

static const char config_default[] = "/etc/postern/control.conf";

/* What runs side by side, in the order in which it starts; it stops in the reverse order. */
struct service {
	const char *name;
	int (*start)(void **ret, struct app *app, char *error);
	void (*stop)(void *service);
	void (*reload)(void *service); /* SIGHUP; may be NULL */
};

static int http_start(void **ret, struct app *app, char *error)
{
	struct http_server *server = NULL;
	char api[128], public[128], admin[128];
	int r = http_server_start(&server, app, &auth_gate, error);

	if (r < 0)
		return r;
	log_info("http.listening", kv_str("api", http_server_address(server, LISTEN_API, api)),
		 kv_str("public", http_server_address(server, LISTEN_PUBLIC, public)),
		 kv_str("admin", http_server_address(server, LISTEN_ADMIN, admin)));
	*ret = server;
	return 0;
}

static void http_stop(void *service)
{
	(void)http_server_stop(service);
}

static void http_reload(void *service)
{
	http_server_reload(service);
}

static int work_start(void **ret, struct app *app, char *error UNUSED)
{
	struct workers *workers = NULL;
	int r = worker_start_all(&workers, app);

	*ret = workers;
	return r;
}

static void work_stop(void *service)
{
	(void)worker_stop_all(service);
}

static const struct service services[] = {
	{ "http", http_start, http_stop, http_reload },
	{ "workers", work_start, work_stop, NULL },
};

static int print_sample(void)
{
	struct buf out = { 0 };

	setup_sample(&out);
	(void)fwrite(buf_data(&out).p, 1, buf_len(&out), stdout);
	buf_free(&out);
	return 0;
}

static int bootstrap(struct app *app)
{
	OWNED(db) db = app_db(app, APP_BOOTSTRAP);
	int r = migrate_bootstrap(db);

	if (r < 0)
		(void)fprintf(stderr, "postern-control: the roles were not created: %s\n",
			      db_error(db));
	return r < 0;
}

static int migrate(struct app *app)
{
	OWNED(db) db = app_db(app, APP_OWNER);
	const char *at = "";
	int r = migrate_run(db, &at);

	if (r < 0) {
		(void)fprintf(stderr, "postern-control: migration stopped at %s: %s%s%s\n", at,
			      err_text(r), db_error(db)[0] ? ": " : "", db_error(db));
		return 1;
	}
	printf("%d migrations applied\n", r);
	return 0;
}

static int start_all(struct app *app, void **running)
{
	char error[OPTION_ERROR_MAX] = "";

	for (size_t i = 0; i < ARRAY_LEN(services); i++) {
		int r = services[i].start(&running[i], app, error);

		if (r < 0) {
			log_error("start.failed", kv_str("part", services[i].name),
				  kv_err("error", r), kv_str("why", error));
			return r;
		}
	}
	return 0;
}

static void set_log_level(const struct settings *settings)
{
	const struct setup_log_options *o = settings_of(settings, &setup_log_option_set);

	log_open(STDERR_FILENO, o->level);
	log_set_format(o->format);
}

/* SIGHUP: the log's level may change while we run, and what lies in files of TLS; the rest needs a
 * restart. */
static void reload(const char *config_path, void **running)
{
	char error[OPTION_ERROR_MAX] = "";
	OWNED(settings) fresh = NULL;
	int r = setup_read(&fresh, config_path, error);

	if (r < 0)
		log_error("config.refused", kv_str("why", error[0] ? error : err_text(r)));
	else
		set_log_level(fresh);
	for (size_t i = 0; i < ARRAY_LEN(services); i++)
		if (running[i] && services[i].reload)
			services[i].reload(running[i]);
}

static int wait_for_end(const sigset_t *set, const char *config_path, void **running)
{
	int sig = 0;

	while (sigwait(set, &sig) == 0 && sig == SIGHUP)
		reload(config_path, running);
	return sig;
}

static int serve(struct app *app, const char *config_path)
{
	void *running[ARRAY_LEN(services)] = { 0 };
	sigset_t set;
	int r;

	set_log_level(app->settings);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	/* Before any thread starts: all inherit the mask, and this thread waits for the signals. */
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	r = file_make_dirs(app_options(app)->data_dir, 0700);
	if (r < 0)
		log_error("start.failed", kv_str("part", "data.dir"), kv_err("error", r));
	if (r >= 0)
		r = start_all(app, running);
	if (r >= 0) {
		log_info("control.ready", kv_int("pid", getpid()));
		log_info("control.stopping",
			 kv_int("signal", wait_for_end(&set, config_path, running)));
	}
	atomic_store(&app->stopping, true);
	for (size_t i = ARRAY_LEN(services); i-- > 0;)
		if (running[i])
			services[i].stop(running[i]);
	return r < 0;
}

static int usage(void)
{
	(void)fputs(
	    "usage: postern-control [-c FILE] [-t | --make-secrets | --bootstrap | --migrate]\n"
	    "       postern-control --sample | --routes | --version\n"
	    "  -c FILE         read FILE instead of /etc/postern/control.conf\n"
	    "  -t              check the configuration and the secrets\n"
	    "  --make-secrets  write new secrets to secrets.key_file\n"
	    "  --bootstrap     create the roles in the database\n"
	    "  --migrate       bring the tables to this version\n"
	    "  --sample        print every option with its default\n"
	    "  --routes        print every route of the API\n"
	    "  --version       print the version\n",
	    stderr);
	return 2;
}

/* Only the options are read, because there are no secrets yet. */
static int make_secrets(const char *config_path)
{
	char error[OPTION_ERROR_MAX] = "";
	OWNED(settings) settings = NULL;
	const struct app_options *o;
	int r = setup_read(&settings, config_path, error);

	if (r < 0) {
		(void)fprintf(stderr, "postern-control: %s\n", error[0] ? error : err_text(r));
		return 1;
	}
	o = settings_of(settings, &app_option_set);
	r = secrets_make(o->secrets_file);
	if (r < 0)
		(void)fprintf(stderr, "postern-control: no secrets were written: %s: %s\n",
			      o->secrets_file, err_text(r));
	return r < 0;
}

int main(int argc, char **argv)
{
	const char *config = config_default;
	char error[OPTION_ERROR_MAX] = "", command = 's';
	struct app app;
	int i, r;

	if (argc == 2 && strcmp(argv[1], SAML_READER_ARGUMENT) == 0)
		return saml_reader_main();
	for (i = 1; i < argc; i++) {
		if ((!strcmp(argv[i], "-c") || !strcmp(argv[i], "--config")) && i + 1 < argc)
			config = argv[++i];
		else if (!strcmp(argv[i], "--make-secrets"))
			command = 'k';
		else if (!strcmp(argv[i], "--sample"))
			return print_sample();
		else if (!strcmp(argv[i], "--routes"))
			return http_route_print(&auth_gate), 0;
		else if (!strcmp(argv[i], "--version"))
			return puts("postern-control 0.1.0") < 0;
		else if (!strcmp(argv[i], "-t") || !strcmp(argv[i], "--check"))
			command = 'c';
		else if (!strcmp(argv[i], "--bootstrap"))
			command = 'b';
		else if (!strcmp(argv[i], "--migrate"))
			command = 'm';
		else
			return usage();
	}
	if (command == 'k')
		return make_secrets(config);
	r = setup_open(&app, config, error);
	if (r < 0)
		(void)fprintf(stderr, "postern-control: %s\n", error[0] ? error : err_text(r));
	else if (command == 'b')
		r = bootstrap(&app);
	else if (command == 'm')
		r = migrate(&app);
	else if (command == 's')
		r = serve(&app, config);
	app_close(&app);
	return r != 0;
}
