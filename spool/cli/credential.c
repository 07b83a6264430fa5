/* spool/cli/credential.c - a line for submission.credentials: asks nobody. */
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
