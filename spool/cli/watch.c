/* spool/cli/watch.c - runs a command; with --watch again and again, until it is interrupted. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "spool/cli/cli.h"
#include "spool/cli/style.h"

static void forget_answer(struct cli *c)
{
	*c->error = '\0';
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

/* People see one screen that changes; programs read one answer after the other. */
static void begin_screen(const struct cli_command *command, int64_t every_ms)
{
	char now[RFC3339_MAX];

	if (style_for_programs())
		return;
	if (isatty(STDOUT_FILENO))
		printf("\033[H\033[2J");
	printf("%s, every %g s: %s\n\n", command->name, (double)every_ms / 1000,
	       clock_rfc3339(clock_wall_ms(), now));
}

int cli_run(struct cli *c, const struct cli_command *command)
{
	struct timespec wait = { .tv_sec = c->watch_ms / 1000,
				 .tv_nsec = c->watch_ms % 1000 * 1000000L };
	int r;

	if (!c->watch)
		return command->run(c);
	for (;;) { /* ends by a signal, or when nobody reads */
		begin_screen(command, c->watch_ms);
		r = command->run(c);
		if (r == EXIT_BAD_USAGE || fflush(stdout) != 0)
			return r;
		(void)nanosleep(&wait, NULL);
		forget_answer(c);
	}
}
