/* spool/cli/credential.c - who may submit with a password; a hash for the file of them. */
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/crypted.h"
#include "spool/cli/cli.h"

/* One line, without its end, that a terminal does not show. */
static int read_password(char *line, size_t cap)
{
	struct termios before, silent;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	char *got;

	if (terminal) {
		(void)fprintf(stderr, "password: ");
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	}
	got = fgets(line, (int)cap, stdin);
	if (terminal) {
		(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		(void)fprintf(stderr, "\n");
	}
	if (!got)
		return E_EOF;
	line[strcspn(line, "\r\n")] = '\0';
	return 0;
}

int cmd_credential_hash(struct cli *c)
{
	char line[CRYPTED_PASSWORD_MAX + 3], hash[CRYPTED_HASH_MAX + 1];
	int r = read_password(line, sizeof(line));

	(void)c;
	if (r == 0)
		r = strlen(line) > 255 ? E_LIMIT : crypted_make(slice_str(line), hash);
	explicit_bzero(line, sizeof(line));
	if (r < 0) {
		(void)fprintf(
		    stderr,
		    "postern: standard input must hold a password of 1 to 255 bytes in one line\n");
		return EXIT_BAD_USAGE;
	}
	(void)printf("%s\n", hash); /* for a file or a variable, never a document */
	return EXIT_DONE;
}

static void print_credentials(const struct value *v)
{
	static const struct print_column columns[] = {
		{ "name", "NAME", COLUMN_NAME },       { "tenant", "TENANT", COLUMN_NUMBER },
		{ "from", "FROM", COLUMN_TEXT },       { "stream", "STREAM", COLUMN_TEXT },
		{ "hour", "HOUR", COLUMN_NUMBER },     { "hour_limit", "OF", COLUMN_NUMBER },
		{ "day", "DAY", COLUMN_NUMBER },       { "day_limit", "OF", COLUMN_NUMBER },
		{ "expired", "EXPIRED", COLUMN_TEXT }, { "domains", "DOMAINS", COLUMN_LONG },
	};
	const struct value *rows = member_list(v, "credentials");

	print_table(rows, columns, ARRAY_LEN(columns));
	if (member_int(v, "more"))
		print_more("credentials", rows->count, "--max N shows up to N");
}

int cmd_credentials(struct cli *c)
{
	OWNED(tree) t = cli_arguments(c);

	return cli_ask_and_show(c, "credentials", t, print_credentials);
}
