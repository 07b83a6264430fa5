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
	{ "report explain", "FILE",   "what a message that came back says of whom",           1, 1, cmd_report_explain },
	{ "credential hash", "",      "a password from standard input, as a hash", 0, 0, cmd_credential_hash },
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

/* What an option's argument is, and where it goes. */
enum takes { TAKES_TEXT, TAKES_FLAG, TAKES_NUMBER, TAKES_NOTHING };
#define AT(member) offsetof(struct cli, member)

/* clang-format off */
static const struct option_row {
	const char *name;
	char letter; /* NUL: none */
	enum takes takes;
	size_t at;
	const char *argument, *help;
} options[] = {
	{ "config",   'c', TAKES_TEXT,    AT(config),   "FILE",  "the engine's configuration (default /etc/postern/mta.conf)" },
	{ "socket",   0,   TAKES_TEXT,    AT(socket),   "PATH",  "the admin socket" },
	{ "spool",    0,   TAKES_TEXT,    AT(spool),    "DIR",   "read this spool instead of asking the engine" },
	{ "json",     0,   TAKES_FLAG,    AT(json),     "",      "print one JSON document" },
	{ "by",       0,   TAKES_TEXT,    AT(by),       "KEY",   "queue: domain, tenant, campaign, site, provider or pool" },
	{ "reason",   0,   TAKES_TEXT,    AT(reason),   "TEXT",  "hold, cancel: the reason; why and rules show it later" },
	{ "yes",      0,   TAKES_FLAG,    AT(yes),      "",      "do it; without it only the count is shown" },
	{ "follow",   0,   TAKES_FLAG,    AT(follow),   "",      "events: keep printing new ones" },
	{ "max",      0,   TAKES_NUMBER,  AT(max),      "N",     "print at most N rows or events" },
	{ "from",     0,   TAKES_NUMBER,  AT(from),     "LSN",   "events: start after this position" },
	{ "for",      0,   TAKES_TEXT,    AT(duration), "TIME",  "suspend: for how long (default 1h)" },
	{ "tenant",   0,   TAKES_NUMBER,  AT(tenant),   "N",     "shape explain: for its mail" },
	{ "source",   0,   TAKES_TEXT,    AT(source),   "IP",    "shape explain: over this source" },
	{ "pool",     0,   TAKES_TEXT,    AT(pool),     "NAME",  "move, shape explain: the pool" },
	{ "code",     0,   TAKES_TEXT,    AT(code),     "N",     "rules explain: the reply's code" },
	{ "status",   0,   TAKES_TEXT,    AT(status),   "X.Y.Z", "rules explain: its enhanced status" },
	{ "text",     0,   TAKES_TEXT,    AT(text),     "TEXT",  "rules explain: its text" },
	{ "provider", 0,   TAKES_TEXT,    AT(provider), "NAME",  "rules explain: the provider that said it" },
	{ "help",     0,   TAKES_NOTHING, 0,            "",      "print this text" },
	{ "version",  0,   TAKES_NOTHING, 0,            "",      "print the version" },
};
/* clang-format on */

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
		(void)fprintf(to, "  %s--%-8s %-5s %s\n", options[i].letter ? "-c, " : "    ",
			      options[i].name, options[i].argument, options[i].help);
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
static int take_option(struct cli *c, const struct option_row *row, const char *arg)
{
	char *at = (char *)c + row->at;

	switch (row->takes) {
	case TAKES_TEXT:
		*(const char **)(void *)at = arg;
		return -1;
	case TAKES_FLAG:
		*(bool *)at = true;
		return -1;
	case TAKES_NUMBER:
		c->bounded |= row->at == AT(max);
		return take_number(row->name, arg, (uint64_t *)(void *)at);
	case TAKES_NOTHING:
		break;
	}
	if (strcmp(row->name, "help") == 0)
		return help(stdout, EXIT_DONE);
	return puts("postern " POSTERN_VERSION) < 0 ? EXIT_FAILED : EXIT_DONE;
}

static bool is_key(const char *by)
{
	static const char *const keys[] = { "domain", "tenant",   "campaign",
					    "site",   "provider", "pool" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(by, keys[i]) == 0)
			return true;
	return false;
}

static int take_options(struct cli *c, int argc, char **argv)
{
	enum { FIRST = 256 }; /* row i is FIRST + i, or its letter */
	struct option list[ARRAY_LEN(options) + 1] = { 0 };
	int opt, r = -1;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		list[i] = (struct option){ .name = options[i].name,
					   .has_arg = *options[i].argument != '\0',
					   .val = FIRST + (int)i };
	while (r < 0 && (opt = getopt_long(argc, argv, "c:", list, NULL)) != -1) {
		if (opt == 'c')
			opt = FIRST; /* --config is the first row */
		r = opt < FIRST ? EXIT_BAD_USAGE : take_option(c, &options[opt - FIRST], optarg);
	}
	if (r < 0 && c->by && !is_key(c->by)) {
		(void)fprintf(stderr,
			      "postern: --by takes domain, tenant, campaign, site, provider or "
			      "pool\n");
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
