/* spool/cli/top.c - a live screen: how fast mail goes, where it is deferred, which sources are
 * suspended.  q ends it; --once prints it once, and so does a pipe. */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

enum { EVERY_MS = 2000, HEAD_ROWS = 5, ROWS_MIN = 2 };

static struct termios before;
static volatile sig_atomic_t stopped;

/* ---- what is shown ----------------------------------------------------------------------- */

/* A line of it, cut to the screen. */
static void PRINTF(1, 2) print_line(const char *format, ...)
{
	char text[256];
	struct slice s;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	s = slice_of(text, MIN_OF((size_t)n, sizeof(text) - 1));
	if (style.width)
		s = style_cut(s, style.width);
	(void)printf("%.*s\n", (int)s.n, s.p);
}

static void print_head(const struct value *v)
{
	int64_t oldest = member_int(v, "oldest_ms");
	struct buf age = { 0 };

	print_age(&age, oldest ? clock_wall_ms() - oldest : -1);
	if (oldest)
		print_line("%lld queued, the oldest %s old", (long long)member_int(v, "queued"),
			   buf_cstr(&age));
	else
		print_line("%lld queued", (long long)member_int(v, "queued"));
	print_line("a minute: %lld delivered, %lld deferred, %lld bounced",
		   (long long)member_int(v, "delivered_per_min"),
		   (long long)member_int(v, "deferred_per_min"),
		   (long long)member_int(v, "bounced_per_min"));
	if (member_int(v, "latency_p50_millis") >= 0)
		print_line("delivered within %lld ms (half of it), %lld ms (99 %%)",
			   (long long)member_int(v, "latency_p50_millis"),
			   (long long)member_int(v, "latency_p99_millis"));
	if (!member_true(v, "balanced"))
		print_line("THE BOOKS DO NOT BALANCE: postern spool audit");
	buf_free(&age);
}

#define RATES                                                                                      \
	{ "delivered_per_min", "SENT/M", COLUMN_NUMBER },                                          \
	    { "deferred_per_min", "DEFER/M", COLUMN_NUMBER },                                      \
	    { "deferred_percent", "%", COLUMN_NUMBER },                                            \
	{                                                                                          \
		"bounced_per_min", "BOUNCE/M", COLUMN_NUMBER                                       \
	}
static const struct print_column providers[] = {
	{ "provider", "PROVIDER", COLUMN_NAME },
	RATES,
	{ "queued", "QUEUED", COLUMN_NUMBER },
	{ "connections", "CONN", COLUMN_NUMBER },
};
static const struct print_column tenants[] = { { "tenant", "TENANT", COLUMN_TEXT }, RATES };
static const struct print_column sources[] = { { "source", "SOURCE", COLUMN_NAME }, RATES };
static const struct print_column suspended[] = {
	{ "source", "SUSPENDED", COLUMN_NAME },
	{ "where", "WHERE", COLUMN_NAME },
	{ "until_ms", "UNTIL", COLUMN_TIME },
	{ "why", "WHY", COLUMN_TEXT },
};

static const struct {
	const char *list;
	const struct print_column *columns;
	size_t n;
	unsigned share; /* of the screen's rows */
} tables[] = {
	{ "providers", providers, ARRAY_LEN(providers), 3 },
	{ "suspended", suspended, ARRAY_LEN(suspended), 1 },
	{ "sources", sources, ARRAY_LEN(sources), 1 },
	{ "tenants", tenants, ARRAY_LEN(tenants), 1 },
};

/* height 0: all of it. */
static void print_top(const struct value *v, unsigned height)
{
	print_head(v);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct value rows = *member_list(v, tables[i].list);
		unsigned room = height > HEAD_ROWS ? (height - HEAD_ROWS) * tables[i].share / 6 : 0;

		if (!rows.count)
			continue;
		if (height) /* its heading and the empty line before it take two */
			rows.count = MIN_OF(rows.count, MAX_OF(room, 2U + ROWS_MIN) - 2U);
		(void)printf("\n");
		print_table(&rows, tables[i].columns, tables[i].n);
	}
}

/* ---- the screen -------------------------------------------------------------------------- */

static void on_signal(int signum)
{
	stopped = signum != SIGWINCH;
}

static void end_screen(void)
{
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	(void)!write(STDOUT_FILENO, "\033[?25h\033[?1049l", 14);
}

static int begin_screen(void)
{
	struct sigaction act = { .sa_handler = on_signal }; /* without SA_RESTART: poll() ends */
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return -errno;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	(void)sigaction(SIGWINCH, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return -errno;
	(void)!write(STDOUT_FILENO, "\033[?1049h\033[?25l", 14);
	return 0;
}

static unsigned look_at_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 24;
	style.width = MAX_OF((unsigned)size.ws_col, 40U);
	return size.ws_row;
}

/* Until the time is over, a key or the size; true: it was q. */
static bool wait_for_q(void)
{
	struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
	char c = 0;

	return poll(&in, 1, EVERY_MS) > 0 && (read(STDIN_FILENO, &c, 1) <= 0 || c == 'q');
}

static int follow(struct cli *c)
{
	struct value v;
	int r = begin_screen();

	if (r < 0)
		return cli_complain(c, r);
	while ((r = cli_ask_engine(c, "top", &v)) == 0 && !stopped) {
		unsigned height = look_at_size();
		(void)printf("\033[H\033[2J");
		print_top(&v, height);
		(void)fflush(stdout);
		if (wait_for_q())
			break;
	}
	end_screen();
	return r < 0 ? cli_complain(c, r) : EXIT_DONE;
}

int cmd_top(struct cli *c)
{
	struct value v;
	int r;

	if (!c->json && !c->once && !c->watch && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return follow(c);
	r = cli_ask_engine(c, "top", &v);
	if (r < 0)
		return cli_complain(c, r);
	if (c->json)
		print_json(&v);
	else
		print_top(&v, 0);
	return EXIT_DONE;
}
