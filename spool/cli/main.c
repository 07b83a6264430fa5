/* spool/cli/main.c - postern: the table of commands and the options they share. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "spool/cli/cli.h"

/* clang-format off */
const struct cli_command commands[] = {
	{ "status",       "",         "the engine, its books and its submission listener",    0, 0, cmd_status    },
	{ "queue",        "",         "what is queued, by domain, tenant or campaign",        0, 0, cmd_queue     },
	{ "show",         "WHAT",     "a job and its recipients, or the recipients of a selector", 1, 1, cmd_show },
	{ "why",          "ID|DOMAIN", "why mail is not delivered yet, and when it is tried next", 1, 1, cmd_why   },
	{ "hold",         "SELECTOR", "keep recipients in the queue without trying them",      1, 1, cmd_hold      },
	{ "release",      "SELECTOR", "end a hold or a standing cancel",                      1, 1, cmd_release   },
	{ "move",         "SELECTOR", "let mail leave from the sources of another pool",      1, 1, cmd_move      },
	{ "retry",        "SELECTOR", "try deferred recipients now",                          1, 1, cmd_retry     },
	{ "cancel",       "SELECTOR", "end recipients as cancelled",                          1, 1, cmd_cancel    },
	{ "rules",        "",         "the holds and cancels that are in force",              0, 0, cmd_rules     },
	{ "suspend",      "SOURCE WHERE", "send nothing from this address to a provider or site", 2, 2, cmd_suspend },
	{ "resume",       "SOURCE WHERE", "end a suspension, by hand or of the engine's own", 2, 2, cmd_resume    },
	{ "shape show",   "",         "every value in force that a file or an order gives",   0, 0, cmd_shape_show },
	{ "shape explain", "DOMAIN",  "the values for a domain, and where each stands",       1, 1, cmd_shape_explain },
	{ "shape set",    "SECTION KEY=VALUE", "change a value now, until it is unset",       2, 2, cmd_shape_set },
	{ "shape unset",  "SECTION KEY", "take back what shape set changed",                  2, 2, cmd_shape_unset },
	{ "shape diff",   "",         "what orders changed, and what the files say",          0, 0, cmd_shape_diff },
	{ "shape test",   "FILE",     "would the engine take this file of shapes",            1, 1, cmd_shape_test },
	{ "senders",      "",         "who may send as which domain, and how many addresses are suppressed", 0, 0, cmd_senders },
	{ "rules explain", "",        "what a reply means, by the rules of postern-rules(5)", 0, 0, cmd_rules_explain },
	{ "rules test",   "FILE [CORPUS]", "check a rule file, and score it on labelled replies", 1, 2, cmd_rules_test },
	{ "rules words",  "",         "the classes, actions and keys of rule files",          0, 0, cmd_rules_words },
	{ "events",       "",         "what was accepted and what became of it",              0, 0, cmd_events    },
	{ "metrics",      "",         "counters as Prometheus text",                          0, 0, cmd_metrics   },
	{ "config",       "",         "every option and its value",                           0, 0, cmd_config    },
	{ "consumers",    "",         "the readers of the log, and how far each has read",    0, 0, cmd_consumers },
	{ "sources",      "",         "the addresses that mail leaves from, and which of them work", 0, 0, cmd_sources },
	{ "reload",       "",         "make the engine read its configuration again",         0, 0, cmd_reload    },
	{ "flush-dns",    "",         "make the engine ask DNS again",                        0, 0, cmd_flush_dns },
	{ "spool verify", "",         "read every segment and check every checksum",          0, 0, cmd_verify    },
	{ "spool audit",  "",         "prove from the files that every recipient is accounted for", 0, 0, cmd_audit },
	{ "spool repair", "",         "show what is damaged; with --yes set it aside, so that the rest runs", 0, 0, cmd_repair },
};
/* clang-format on */
const size_t n_commands = ARRAY_LEN(commands);

enum {
	OPT_SOCKET = 256,
	OPT_SPOOL,
	OPT_JSON,
	OPT_BY,
	OPT_REASON,
	OPT_YES,
	OPT_FOLLOW,
	OPT_MAX,
	OPT_FROM,
	OPT_TENANT,
	OPT_FOR,
	OPT_SOURCE,
	OPT_POOL,
	OPT_CODE,
	OPT_STATUS,
	OPT_TEXT,
	OPT_PROVIDER,
	OPT_HELP,
	OPT_VERSION
};

static const struct option_text {
	struct option o;
	const char *argument, *help;
} options[] = {
	{ { "config", required_argument, NULL, 'c' },
	  "FILE",
	  "the engine's configuration (default /etc/postern/mta.conf)" },
	{ { "socket", required_argument, NULL, OPT_SOCKET }, "PATH", "the admin socket" },
	{ { "spool", required_argument, NULL, OPT_SPOOL },
	  "DIR",
	  "read this spool instead of asking the engine" },
	{ { "json", no_argument, NULL, OPT_JSON }, "", "print one JSON document" },
	{ { "by", required_argument, NULL, OPT_BY }, "KEY", "queue: domain, tenant or campaign" },
	{ { "reason", required_argument, NULL, OPT_REASON },
	  "TEXT",
	  "hold, cancel: the reason; why and rules show it later" },
	{ { "yes", no_argument, NULL, OPT_YES }, "", "do it; without it only the count is shown" },
	{ { "follow", no_argument, NULL, OPT_FOLLOW }, "", "events: keep printing new ones" },
	{ { "max", required_argument, NULL, OPT_MAX }, "N", "print at most N rows or events" },
	{ { "from", required_argument, NULL, OPT_FROM },
	  "LSN",
	  "events: start after this position" },
	{ { "for", required_argument, NULL, OPT_FOR },
	  "TIME",
	  "suspend: for how long (default 1h)" },
	{ { "tenant", required_argument, NULL, OPT_TENANT }, "N", "shape explain: for its mail" },
	{ { "source", required_argument, NULL, OPT_SOURCE },
	  "IP",
	  "shape explain: over this source" },
	{ { "pool", required_argument, NULL, OPT_POOL }, "NAME", "move, shape explain: the pool" },
	{ { "code", required_argument, NULL, OPT_CODE }, "N", "rules explain: the reply's code" },
	{ { "status", required_argument, NULL, OPT_STATUS },
	  "X.Y.Z",
	  "rules explain: its enhanced status" },
	{ { "text", required_argument, NULL, OPT_TEXT }, "TEXT", "rules explain: its text" },
	{ { "provider", required_argument, NULL, OPT_PROVIDER },
	  "NAME",
	  "rules explain: the provider that said it" },
	{ { "help", no_argument, NULL, OPT_HELP }, "", "print this text" },
	{ { "version", no_argument, NULL, OPT_VERSION }, "", "print the version" },
};

static int help(FILE *to, int code)
{
	(void)fprintf(to, "usage: postern [options] command [argument]\n\ncommands\n");
	for (size_t i = 0; i < n_commands; i++) {
		char left[64];
		(void)snprintf(left, sizeof(left), "%s %s", commands[i].name,
			       commands[i].arguments);
		(void)fprintf(to, "  %-18s %s\n", left, commands[i].help);
	}
	(void)fprintf(to, "\noptions\n");
	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)fprintf(to, "  %s--%-8s %-5s %s\n", options[i].o.val < 256 ? "-c, " : "    ",
			      options[i].o.name, options[i].argument, options[i].help);
	(void)fprintf(
	    to, "\nA SELECTOR is all, an ID, ID:ROW, a domain, tenant/N, campaign/N, domain/NAME,\n"
		"job/ID or rcpt/ID:ROW.  See postern(1).\n");
	return code;
}

static int take_number(const char *option, const char *text, uint64_t *ret)
{
	if (slice_u64(slice_str(text), INT64_MAX, ret) == 0)
		return -1;
	(void)fprintf(stderr, "postern: --%s takes a number, not \"%s\"\n", option, text);
	return EXIT_BAD_USAGE;
}

/* -1: go on; else the exit code. */
static int take_option(struct cli *c, int opt, const char *arg)
{
	switch (opt) {
	case 'c':
		c->config = arg;
		return -1;
	case OPT_SOCKET:
		c->socket = arg;
		return -1;
	case OPT_SPOOL:
		c->spool = arg;
		return -1;
	case OPT_JSON:
		c->json = true;
		return -1;
	case OPT_BY:
		c->by = arg;
		return -1;
	case OPT_REASON:
		c->reason = arg;
		return -1;
	case OPT_YES:
		c->yes = true;
		return -1;
	case OPT_FOLLOW:
		c->follow = true;
		return -1;
	case OPT_MAX:
		c->bounded = true;
		return take_number("max", arg, &c->max);
	case OPT_FROM:
		return take_number("from", arg, &c->from);
	case OPT_FOR:
		c->duration = arg;
		return -1;
	case OPT_TENANT:
		return take_number("tenant", arg, &c->tenant);
	case OPT_SOURCE:
		c->source = arg;
		return -1;
	case OPT_POOL:
		c->pool = arg;
		return -1;
	case OPT_CODE:
		c->code = arg;
		return -1;
	case OPT_STATUS:
		c->status = arg;
		return -1;
	case OPT_TEXT:
		c->text = arg;
		return -1;
	case OPT_PROVIDER:
		c->provider = arg;
		return -1;
	case OPT_HELP:
		return help(stdout, EXIT_DONE);
	case OPT_VERSION:
		return puts("postern " POSTERN_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
	default:
		return EXIT_BAD_USAGE;
	}
}

static int take_options(struct cli *c, int argc, char **argv)
{
	struct option list[ARRAY_LEN(options) + 1] = { 0 };
	int opt, r = -1;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		list[i] = options[i].o;
	while (r < 0 && (opt = getopt_long(argc, argv, "c:", list, NULL)) != -1)
		r = take_option(c, opt, optarg);
	if (r < 0 && c->by && strcmp(c->by, "domain") != 0 && strcmp(c->by, "tenant") != 0 &&
	    strcmp(c->by, "campaign") != 0) {
		(void)fprintf(stderr, "postern: --by takes domain, tenant or campaign\n");
		r = EXIT_BAD_USAGE;
	}
	if (r == EXIT_BAD_USAGE)
		(void)fprintf(stderr, "postern: see postern --help\n");
	return r;
}

/* A command is one word or two. */
static const struct cli_command *find(int argc, char **argv, int *ret_words)
{
	char two[64];

	for (*ret_words = 2; *ret_words > 0; --*ret_words) {
		if (argc < *ret_words)
			continue;
		(void)snprintf(two, sizeof(two), *ret_words == 2 ? "%s %s" : "%s", argv[0],
			       argc > 1 ? argv[1] : "");
		for (size_t i = 0; i < n_commands; i++)
			if (strcmp(commands[i].name, two) == 0)
				return &commands[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	struct cli c = { .fd = -1, .max = 1000, .by = "domain" };
	const struct cli_command *command;
	int r = take_options(&c, argc, argv), words;

	if (r >= 0)
		return r;
	(void)signal(SIGPIPE, SIG_DFL);
	argc -= optind;
	argv += optind;
	command = find(argc, argv, &words);
	if (!command || (unsigned)(argc - words) < command->min ||
	    (unsigned)(argc - words) > command->max) {
		if (command)
			(void)fprintf(stderr, "usage: postern %s %s\n", command->name,
				      command->arguments);
		else
			(void)help(stderr, 0);
		return EXIT_BAD_USAGE;
	}
	for (int i = words; i < argc; i++)
		c.args[c.n_args++] = argv[i];
	r = cli_locate(&c);
	if (r == EXIT_DONE)
		r = command->run(&c);
	else
		(void)fprintf(stderr, "postern: %s\n", c.error);
	if (c.fd >= 0)
		(void)close(c.fd);
	buf_free(&c.in);
	wire_arena_free(c.arena);
	return r;
}
