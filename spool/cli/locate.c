/* spool/cli/locate.c - finds the admin socket, the spool, the rule file and shapes: first as the
 * command line says, then as the engine's configuration says, else at their default places.  Only
 * these four options are looked for.  The grammar of the file is that of base/options.h. */
#include <stdio.h>

#include "base/file.h"
#include "message/judge/judge.h"
#include "spool/cli/cli.h"

#define DEFAULT_CONFIG "/etc/postern/mta.conf"
#define DEFAULT_SOCKET "/run/postern/admin.sock"
#define DEFAULT_SPOOL "/var/spool/postern"
#define BLANKS " \t\r" /* as base/options.c has them */
enum { CONFIG_MAX = 1024 * 1024 };

/* A '#' starts a comment at the beginning of a line or after white space. */
static struct slice without_comment(struct slice line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '#' && (i == 0 || strchr(BLANKS, line.p[i - 1])))
			return slice_of(line.p, i);
	return line;
}

static void take_line(struct cli *c, struct slice line)
{
	struct slice name, value;

	if (!slice_cut(without_comment(line), '=', &name, &value))
		return;
	name = slice_trim_set(name, BLANKS);
	value = slice_trim_set(value, BLANKS);
	if (slice_eq(name, SLICE("admin.socket")))
		slice_copy(c->socket_path, sizeof(c->socket_path), value);
	else if (slice_eq(name, SLICE("spool.dir")))
		slice_copy(c->spool_path, sizeof(c->spool_path), value);
	else if (slice_eq(name, SLICE("replies.rules")))
		slice_copy(c->rules_path, sizeof(c->rules_path), value);
	else if (slice_eq(name, SLICE("shape.file")))
		slice_copy(c->shape_paths, sizeof(c->shape_paths), value);
}

static void take_file(struct cli *c, struct slice text)
{
	while (text.n)
		take_line(c, slice_take(&text, '\n'));
}

int cli_locate(struct cli *c)
{
	const char *path = c->config ? c->config : DEFAULT_CONFIG;
	struct buf text = { 0 };
	int r = file_read(path, CONFIG_MAX, &text);

	slice_copy(c->socket_path, sizeof(c->socket_path), SLICE(DEFAULT_SOCKET));
	slice_copy(c->spool_path, sizeof(c->spool_path), SLICE(DEFAULT_SPOOL));
	slice_copy(c->rules_path, sizeof(c->rules_path), SLICE(JUDGE_DEFAULT_FILE));
	if (r == 0)
		take_file(c, buf_data(&text));
	buf_free(&text);
	if (r < 0 && c->config) {
		(void)snprintf(c->error, sizeof(c->error),
			       "cannot read %s: %s; name the engine's configuration with --config",
			       path, err_text(r));
		return EXIT_BAD_USAGE;
	}
	if (c->socket)
		slice_copy(c->socket_path, sizeof(c->socket_path), slice_str(c->socket));
	if (c->spool)
		slice_copy(c->spool_path, sizeof(c->spool_path), slice_str(c->spool));
	return EXIT_DONE;
}
