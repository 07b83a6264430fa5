/* spool/cli/options.c - the options that the commands share. */
#include <getopt.h>
#include <stdio.h>

#include "spool/cli/cli.h"
#include "spool/cli/style.h"

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
	{ "output",   'o', TAKES_TEXT,    AT(output),   "FORMAT", "table, wide, json, ndjson or yaml (else: by terminal)" },
	{ "json",     0,   TAKES_FLAG,    AT(json),     "",      "the same as -o json" },
	{ "fields",   0,   TAKES_TEXT,    AT(fields),   "NAMES", "only these members of each row, as in domain,queued" },
	{ "watch",    0,   TAKES_TEXT,    AT(watch),    "TIME",  "ask again every so many seconds, until interrupted" },
	{ "timeout",  0,   TAKES_TEXT,    AT(timeout),  "TIME",  "give up on an answer after so many seconds" },
	{ "by",       0,   TAKES_TEXT,    AT(by),       "KEY",   "queue: domain, tenant, provider, class and so on" },
	{ "reason",   0,   TAKES_TEXT,    AT(reason),   "TEXT",  "orders: the reason; why, rules and orders show it later" },
	{ "until",    0,   TAKES_TEXT,    AT(until),    "TIME",  "orders: for so long, or until a time such as 2026-11-26T22:00Z" },
	{ "grace",    0,   TAKES_TEXT,    AT(grace),    "TIME",  "bounce: for how long undo helps (default 60s)" },
	{ "rate",     0,   TAKES_TEXT,    AT(rate),     "RATE",  "cap: messages per time, such as 100/m" },
	{ "connections", 0, TAKES_NUMBER, AT(connections), "N",  "cap: over so many connections" },
	{ "yes",      0,   TAKES_FLAG,    AT(yes),      "",      "do it; without it only the count is shown" },
	{ "follow",   0,   TAKES_FLAG,    AT(follow),   "",      "events: keep printing new ones" },
	{ "max",      0,   TAKES_NUMBER,  AT(max),      "N",     "print at most N rows or events" },
	{ "from",     0,   TAKES_TEXT,    AT(from_text), "LSN",  "events, shape replay: start after this position" },
	{ "shape",    0,   TAKES_TEXT,    AT(shape),    "FILE",  "shape replay: these shapes instead of the operator's" },
	{ "rules",    0,   TAKES_TEXT,    AT(rules),    "FILE",  "shape replay: these rules instead of the operator's" },
	{ "for",      0,   TAKES_TEXT,    AT(duration), "TIME",  "suspend: for how long (default 1h); trace (default 60s)" },
	{ "tenant",   0,   TAKES_NUMBER,  AT(tenant),   "N",     "shape explain, set, unset: for its mail" },
	{ "source",   0,   TAKES_TEXT,    AT(source),   "IP",    "shape explain, set, unset: over this source" },
	{ "pool",     0,   TAKES_TEXT,    AT(pool),     "NAME",  "move, shape explain, set, unset: the pool" },
	{ "weight",   0,   TAKES_TEXT,    AT(weight),   "N",     "source add: its share of the pool (default 1)" },
	{ "via",      0,   TAKES_TEXT,    AT(via),      "NAME",  "source add: the proxy that owns the address" },
	{ "code",     0,   TAKES_TEXT,    AT(code),     "N",     "rules explain: the reply's code" },
	{ "status",   0,   TAKES_TEXT,    AT(status),   "X.Y.Z", "rules explain: its enhanced status" },
	{ "text",     0,   TAKES_TEXT,    AT(text),     "TEXT",  "rules explain: the reply's text; bounce: its text" },
	{ "provider", 0,   TAKES_TEXT,    AT(provider), "NAME",  "rules explain: the provider that said it" },
	{ "once",     0,   TAKES_FLAG,    AT(once),     "",      "top: print it once" },
	{ "transcript", 0, TAKES_FLAG,    AT(transcript), "",    "show: what failed sessions said and heard" },
	{ "headers",  0,   TAKES_FLAG,    AT(headers),  "",      "show: the header of the message as it would be sent now" },
	{ "content",  0,   TAKES_FLAG,    AT(content),  "",      "show: the whole message" },
	{ "help",     0,   TAKES_NOTHING, 0,            "",      "print this text" },
	{ "version",  0,   TAKES_NOTHING, 0,            "",      "print the version" },
};
/* clang-format on */

bool cli_option(size_t i, const char **ret_name, bool *ret_argument)
{
	if (i >= ARRAY_LEN(options))
		return false;
	*ret_name = options[i].name;
	*ret_argument = *options[i].argument != '\0';
	return true;
}

void cli_help_options(FILE *to)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const char letter[5] = { '-', options[i].letter, ',', ' ' };
		char left[64];
		(void)snprintf(left, sizeof(left), "%-4s--%-8s %s", options[i].letter ? letter : "",
			       options[i].name, options[i].argument);
		cli_help_line(to, left, 21, options[i].help);
	}
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
		return cli_help(stdout, EXIT_DONE);
	return puts("postern " POSTERN_VERSION) < 0 ? EXIT_NO : EXIT_DONE;
}

static bool is_key(const char *by)
{
	static const char *const keys[] = { "domain", "tenant", "campaign", "site",  "provider",
					    "pool",   "source", "stream",   "class", "reply" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(by, keys[i]) == 0)
			return true;
	return false;
}

/* Row i is FIRST + i, or its letter. */
enum { FIRST = 256 };
static int by_letter(int opt)
{
	for (size_t i = 0; opt < FIRST && i < ARRAY_LEN(options); i++)
		if (options[i].letter == opt)
			return FIRST + (int)i;
	return opt;
}

/* Seconds, such as 2 or 0.5. */
static int take_seconds(const char *option, const char *text, int64_t most_s, int64_t *ret_ms)
{
	char *end;
	double s = strtod(text, &end);

	if (end != text && *end == '\0' && s > 0 && s <= (double)most_s) {
		*ret_ms = MAX_OF((int64_t)(s * 1000), (int64_t)1);
		return -1;
	}
	(void)fprintf(stderr, "postern: --%s takes seconds, up to %lld, not \"%s\"\n", option,
		      (long long)most_s, text);
	return EXIT_BAD_USAGE;
}

/* What depends on several of them. */
static int settle(struct cli *c)
{
	int r = -1;

	if (c->by && !is_key(c->by)) {
		(void)fprintf(stderr, "postern: --by takes domain, site, provider, source, pool, "
				      "tenant, campaign, stream, class or reply\n");
		return EXIT_BAD_USAGE;
	}
	if (c->from_text && slice_u64(slice_str(c->from_text), INT64_MAX, &c->from) < 0 &&
	    cli_time(c->from_text, &c->from_ms) < 0) {
		(void)fprintf(stderr,
			      "postern: --from takes a position or a time such as 2h or "
			      "2026-03-14T09:00, not \"%s\"\n",
			      c->from_text);
		return EXIT_BAD_USAGE;
	}
	if (c->timeout)
		r = take_seconds("timeout", c->timeout, 3600, &c->timeout_ms);
	if (r < 0 && c->watch)
		r = take_seconds("watch", c->watch, 86400, &c->watch_ms);
	if (r < 0 && style_begin(c->output, c->json, c->fields) != EXIT_DONE)
		r = EXIT_BAD_USAGE;
	c->json = style_for_programs();
	return r;
}

int cli_take_options(struct cli *c, int argc, char **argv)
{
	struct option list[ARRAY_LEN(options) + 1] = { 0 };
	int opt, r = -1;

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		list[i] = (struct option){ .name = options[i].name,
					   .has_arg = *options[i].argument != '\0',
					   .val = FIRST + (int)i };
	while (r < 0 && (opt = getopt_long(argc, argv, "c:o:", list, NULL)) != -1) {
		opt = by_letter(opt);
		r = opt < FIRST ? EXIT_BAD_USAGE : take_option(c, &options[opt - FIRST], optarg);
	}
	if (r < 0)
		r = settle(c);
	if (r == EXIT_BAD_USAGE)
		(void)fprintf(stderr, "postern: see postern --help\n");
	return r;
}
