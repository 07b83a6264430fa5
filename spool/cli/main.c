/* spool/cli/main.c - postern: the table of commands. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "spool/cli/cli.h"
#include "spool/cli/style.h"

/* clang-format off */
const struct cli_command commands[] = {
	{ "status",       "",         "the engine, its books and its submission listener",    0, 0, cmd_status    },
	{ "queue",        "",         "what is queued, by domain or as --by says",        0, 0, cmd_queue     },
	{ "find",         "SELECTOR", "who is queued of those that a selector names",         1, 16, cmd_find     },
	{ "show",         "WHAT",     "a job and its recipients, or the recipients of a selector", 1, 16, cmd_show },
	{ "why",          "SELECTOR", "why mail is not delivered yet, and when it is tried next", 1, 16, cmd_why  },
	{ "trace",        "SELECTOR", "follow the live sessions that a selector names",         1, 16, cmd_trace },
	{ "hold",         "SELECTOR", "keep recipients in the queue without trying them",      1, 16, cmd_hold      },
	{ "release",      "SELECTOR", "end a hold, a move or a standing cancel",              1, 16, cmd_release   },
	{ "move",         "SELECTOR", "let mail leave from the sources of another pool",      1, 16, cmd_move      },
	{ "retry",        "SELECTOR", "try deferred recipients now",                          1, 16, cmd_retry     },
	{ "cancel",       "SELECTOR", "end recipients as cancelled",                          1, 16, cmd_cancel   },
	{ "bounce",       "SELECTOR", "end recipients as bounced, after a while in which undo helps", 1, 16, cmd_bounce },
	{ "cap",          "SELECTOR", "a rate, or so many at a time",                         1, 16, cmd_cap      },
	{ "orders list",  "",         "the orders that were given, the latest first",         0, 0, cmd_orders_list },
	{ "orders show",  "ID",       "an order, its author, reason and state",               1, 1, cmd_orders_show },
	{ "orders undo",  "ID",       "take an order back",                                   1, 1, cmd_orders_undo },
	{ "rules",        "",         "the orders and suspensions that are in force",              0, 0, cmd_rules     },
	{ "suspend",      "SELECTOR|SOURCE WHERE", "no new tries; or send nothing from this address there", 1, 16, cmd_suspend },
	{ "resume",       "SELECTOR|SOURCE WHERE", "end a suspension, by hand or of the engine's own", 1, 16, cmd_resume },
	{ "tenants",      "",         "tenants: what is queued, limits, weights, and orders on them", 0, 0, cmd_tenants },
	{ "tenant limit", "TENANT KEY=VALUE", "set rate, connections, queue or weight of a tenant now",  2, 5, cmd_tenant_limit },
	{ "tenant undo",  "TENANT",   "bring back what the last such order changed",          1, 1, cmd_tenant_undo },
	{ "campaign weight", "CAMPAIGN N", "its share of its tenant's turns, now",           2, 2, cmd_campaign_weight },
	{ "campaign undo", "CAMPAIGN", "bring back the weight before",                       1, 1, cmd_campaign_undo },
	{ "shape show",   "",         "every value in force that a file or an order gives",   0, 0, cmd_shape_show },
	{ "shape explain", "DOMAIN",  "the values for a domain, and where each stands",       1, 1, cmd_shape_explain },
	{ "shape set",    "SECTION KEY=VALUE", "change a value now, until it is unset",       2, 2, cmd_shape_set },
	{ "shape unset",  "SECTION KEY", "take back what shape set changed",                  2, 2, cmd_shape_unset },
	{ "shape diff",   "",         "what orders changed, and what the files say",          0, 0, cmd_shape_diff },
	{ "shape test",   "FILE",     "would the engine take this file of shapes",            1, 1, cmd_shape_test },
	{ "tls explain",  "DOMAIN",   "how mail to a domain travels, by which policy, and why",  1, 1, cmd_tls_explain },
	{ "shape replay", "",         "the log run again under other shapes and rules", 0, 0, cmd_shape_replay },
	{ "senders",      "",         "who may send as which domain, and how many addresses are suppressed", 0, 0, cmd_senders },
	{ "rules explain", "",        "what a reply means, by the rules of postern-rules(5)", 0, 0, cmd_rules_explain },
	{ "rules test",   "FILE [CORPUS]", "check a rule file, and score it on labelled replies", 1, 2, cmd_rules_test },
	{ "rules words",  "",         "the classes, actions and keys of rule files",          0, 0, cmd_rules_words },
	{ "report explain", "FILE",   "what a message that came back says of whom",           1, 1, cmd_report_explain },
	{ "credentials",  "",         "who may submit with a password, and how much they sent", 0, 0, cmd_credentials },
	{ "credential hash", "",      "a password from standard input, as a hash", 0, 0, cmd_credential_hash },
	{ "events",       "",         "what was accepted and what became of it",              0, 0, cmd_events    },
	{ "top",          "",         "a live screen: rates by provider, tenant and source, what is suspended", 0, 0, cmd_top },
	{ "metrics",      "",         "counters as Prometheus text",                          0, 0, cmd_metrics   },
	{ "config",       "",         "every option and its value",                           0, 0, cmd_config    },
	{ "consumers",    "",         "the readers of the log, and how far each has read",    0, 0, cmd_consumers },
	{ "sources",      "",         "the addresses that mail leaves from, and which of them work", 0, 0, cmd_sources },
	{ "source add",   "POOL ADDRESS EHLO-NAME", "let mail of a pool leave from another address, now", 3, 3, cmd_source_add },
	{ "source remove", "POOL ADDRESS", "take back what source add added",                2, 2, cmd_source_remove },
	{ "source drain", "ADDRESS",  "begin no transaction from this address any more",     1, 1, cmd_source_drain },
	{ "source disable", "ADDRESS", "the same, and give up what has not begun to leave",  1, 1, cmd_source_disable },
	{ "source check", "ADDRESS",  "is the address fit to send from: DNS, port 25, block lists", 1, 1, cmd_source_check },
	{ "source enable", "ADDRESS", "use the address again, and look at it now",           1, 1, cmd_source_enable },
	{ "route list",   "",         "the smart hosts, whose mail goes there, and how they are", 0, 0, cmd_route_list },
	{ "route test",   "NAME",     "a session with a smart host that carries no mail",     1, 1, cmd_route_test },
	{ "adaptive",     "",         "which sources send less to which sites than they may, and why", 0, 0, cmd_adaptive },
	{ "adaptive forget", "SITE",  "forget what was learned of a site, or of all",         1, 1, cmd_adaptive_forget },
	{ "warmup",       "",         "new sources: plan against fact of today",              0, 0, cmd_warmup },
	{ "warmup show",  "[SOURCE [PROVIDER]]", "plan against fact, day by day",             0, 2, cmd_warmup_show },
	{ "warmup set",   "SOURCE PROVIDER PLAN", "how many may leave from a new source on which day", 3, 8, cmd_warmup_set },
	{ "warmup unset", "SOURCE PROVIDER", "take back what warmup set changed",             2, 2, cmd_warmup_unset },
	{ "warmup pause", "SOURCE [PROVIDER]", "send nothing from a new source there",         1, 2, cmd_warmup_pause },
	{ "warmup resume", "SOURCE [PROVIDER]", "end a pause, or let a plan go on that is held back", 1, 2, cmd_warmup_resume },
	{ "completion",   "SHELL",    "what bash, zsh or fish needs to complete commands",    1, 1, cmd_completion },
	{ "reload",       "",         "make the engine read its configuration again",         0, 0, cmd_reload    },
	{ "flush-dns",    "",         "make the engine ask DNS again",                        0, 0, cmd_flush_dns },
	{ "spool verify", "",         "read every segment and check every checksum",          0, 0, cmd_verify    },
	{ "spool audit",  "",         "prove from the files that every recipient is accounted for", 0, 0, cmd_audit },
	{ "spool repair", "",         "show what is damaged; with --yes set it aside, so that the rest runs", 0, 0, cmd_repair },
};
/* clang-format on */
const size_t n_commands = ARRAY_LEN(commands);

enum { HELP_WIDTH = 80 };

/* `before` blanks stand in front of the lines after the first. */
static void put_wrapped(FILE *to, const char *text, int before)
{
	struct slice rest = slice_str(text);
	bool first = true;

	do {
		struct slice part = style_next_line(&rest, (unsigned)(HELP_WIDTH - before));
		(void)fprintf(to, "%*s%.*s\n", first ? 0 : before, "", (int)part.n, part.p);
		first = false;
	} while (rest.n);
}

void cli_help_line(FILE *to, const char *left, int width, const char *help)
{
	const int n = (int)strlen(left);

	if (n > width)
		(void)fprintf(to, "  %s\n%*s", left, width + 3, "");
	else
		(void)fprintf(to, "  %-*s ", width, left);
	put_wrapped(to, help, width + 3);
}

int cli_help(FILE *to, int code)
{
	(void)fprintf(to, "usage: postern [options] command [argument]\n\ncommands\n");
	for (size_t i = 0; i < n_commands; i++) {
		char left[64];
		(void)snprintf(left, sizeof(left), "%s%s%s", commands[i].name,
			       *commands[i].arguments ? " " : "", commands[i].arguments);
		cli_help_line(to, left, 18, commands[i].help);
	}
	(void)fprintf(to, "\noptions\n");
	cli_help_options(to);
	(void)fprintf(
	    to, "\nA SELECTOR is all, an ID, ID:ROW, an address or a domain, or terms that must\n"
		"all hold, as in: tenant/7 provider/gmail 'age>2h' class/spam-block.  See\n"
		"postern(1).\n");
	return code;
}

/* No command, or the first word of several. */
static void say_what_there_is(int argc, char **argv)
{
	bool any = false;

	if (!argc) {
		(void)cli_help(stderr, 0);
		return;
	}
	for (size_t i = 0; i < n_commands; i++) {
		struct slice rest = slice_str(commands[i].name);
		if (!slice_strip(&rest, slice_str(argv[0])) || !rest.n || *rest.p != ' ')
			continue;
		(void)fprintf(stderr, "%s postern %s %s\n",
			      any ? "      " : "usage:", commands[i].name, commands[i].arguments);
		any = true;
	}
	if (!any)
		(void)fprintf(stderr,
			      "postern: there is no command \"%.60s\"; see postern --help\n",
			      argv[0]);
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
	int r = cli_take_options(&c, argc, argv), words;

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
			say_what_there_is(argc, argv);
		return EXIT_BAD_USAGE;
	}
	for (int i = words; i < argc; i++)
		c.args[c.n_args++] = argv[i];
	r = cli_locate(&c);
	if (r == EXIT_DONE)
		r = cli_run(&c, command);
	else
		(void)fprintf(stderr, "postern: %s\n", c.error);
	if (c.fd >= 0)
		(void)close(c.fd);
	buf_free(&c.in);
	wire_arena_free(c.arena);
	return r;
}
