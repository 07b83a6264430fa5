/* spool/cli/completion.c - completion for shells, made from the tables of commands and options.
 *
 * What is printed is a script; commands are one word or two.  Values of options and arguments are
 * files, except where a table here has the words. */
#include <stdio.h>

#include "spool/cli/cli.h"

/* Words that an option takes. */
static const struct {
	const char *option, *words;
} values[] = {
	{ "output", "table wide json ndjson yaml" },
	{ "by", "domain site provider source pool tenant campaign stream class reply" },
};

static const char *words_of(const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		if (strcmp(values[i].option, option) == 0)
			return values[i].words;
	return NULL;
}

static struct slice first_word(const char *name)
{
	return slice_of(name, strcspn(name, " "));
}

/* The first words of commands, each once: those of a kind stand together in the table, or not. */
static bool is_first(size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (slice_eq(first_word(commands[k].name), first_word(commands[i].name)))
			return false;
	return true;
}

static void put_first_words(void)
{
	for (size_t i = 0; i < n_commands; i++)
		if (is_first(i))
			printf("%s%.*s", i ? " " : "", (int)first_word(commands[i].name).n,
			       commands[i].name);
}

static bool has_second(size_t i)
{
	return strchr(commands[i].name, ' ') != NULL;
}

static void put_second_words(size_t first)
{
	const char *blank = "";

	for (size_t i = first; i < n_commands; i++) {
		if (!has_second(i) ||
		    !slice_eq(first_word(commands[i].name), first_word(commands[first].name)))
			continue;
		printf("%s%s", blank, strchr(commands[i].name, ' ') + 1);
		blank = " ";
	}
}

/* A first word whose commands have a second one. */
static bool leads(size_t first)
{
	for (size_t i = first; i < n_commands; i++)
		if (has_second(i) &&
		    slice_eq(first_word(commands[i].name), first_word(commands[first].name)))
			return is_first(first);
	return false;
}

static void put_options(void)
{
	const char *name;
	bool argument;

	for (size_t i = 0; cli_option(i, &name, &argument); i++)
		printf("%s--%s", i ? " " : "", name);
}

static int bash(void)
{
	const char *name;
	bool argument;

	printf("# bash completion for postern\n_postern()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
	       "\tlocal words=() i\n\tCOMPREPLY=()\n\tcase $prev in\n");
	for (size_t i = 0; cli_option(i, &name, &argument); i++) {
		if (words_of(name))
			printf("\t--%s%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
			       name, strcmp(name, "output") == 0 ? "|-o" : "", words_of(name));
		else if (argument)
			printf("\t--%s) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", name);
	}
	printf("\tesac\n\tif [[ $cur == -* ]]; then\n\t\tCOMPREPLY=($(compgen -W '");
	put_options();
	printf("' -- \"$cur\"))\n\t\treturn\n\tfi\n"
	       "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "\t\t[[ ${COMP_WORDS[i]} == -* ]] || words+=(\"${COMP_WORDS[i]}\")\n\tdone\n"
	       "\tif [[ ${#words[@]} -eq 0 ]]; then\n\t\tCOMPREPLY=($(compgen -W '");
	put_first_words();
	printf("' -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase ${words[0]} in\n");
	for (size_t i = 0; i < n_commands; i++) {
		if (!leads(i))
			continue;
		printf("\t%.*s) [[ ${#words[@]} -eq 1 ]] && COMPREPLY=($(compgen -W '",
		       (int)first_word(commands[i].name).n, commands[i].name);
		put_second_words(i);
		printf("' -- \"$cur\")) ;;\n");
	}
	printf("\tesac\n}\ncomplete -o default -F _postern postern\n");
	return EXIT_DONE;
}

/* A help text inside single quotes, for zsh also without what _describe takes for its own. */
static void put_quoted(const char *text, bool zsh)
{
	for (; *text; text++) {
		if (*text == '\'')
			printf("'\\''");
		else if (zsh && *text == ':')
			printf("\\:");
		else
			(void)putchar(*text);
	}
}

static int zsh(void)
{
	const char *name;
	bool argument;

	printf("#compdef postern\n_postern() {\n\tlocal -a first second\n\tfirst=(\n");
	for (size_t i = 0; i < n_commands; i++) {
		if (!is_first(i))
			continue;
		printf("\t\t'%.*s:", (int)first_word(commands[i].name).n, commands[i].name);
		put_quoted(leads(i) ? "see postern(1)" : commands[i].help, true);
		printf("'\n");
	}
	printf("\t)\n\t_arguments -C \\\n");
	for (size_t i = 0; cli_option(i, &name, &argument); i++) {
		printf("\t\t'--%s%s", name, argument ? "=[" : "[");
		printf("see postern(1)]%s", argument ? ":value:" : "");
		if (words_of(name))
			printf("(%s)", words_of(name));
		else if (argument)
			printf("_files");
		printf("' \\\n");
	}
	printf("\t\t'1:command:->first' '2:argument:->second' '*:file:_files'\n"
	       "\tcase $state in\n\tfirst) _describe command first ;;\n\tsecond)\n"
	       "\t\tcase $words[1] in\n");
	for (size_t i = 0; i < n_commands; i++) {
		if (!leads(i))
			continue;
		printf("\t\t%.*s) second=(", (int)first_word(commands[i].name).n, commands[i].name);
		put_second_words(i);
		printf("); _describe argument second ;;\n");
	}
	printf("\t\t*) _files ;;\n\t\tesac ;;\n\tesac\n}\n_postern \"$@\"\n");
	return EXIT_DONE;
}

static int fish(void)
{
	const char *name;
	bool argument;

	printf("# fish completion for postern\n");
	for (size_t i = 0; i < n_commands; i++) {
		const struct slice first = first_word(commands[i].name);
		if (is_first(i)) {
			printf("complete -c postern -n __fish_use_subcommand -a '%.*s' -d '",
			       (int)first.n, first.p);
			put_quoted(leads(i) ? "see postern(1)" : commands[i].help, false);
			printf("'\n");
		}
		if (!has_second(i))
			continue;
		printf("complete -c postern -n '__fish_seen_subcommand_from %.*s' -a '%s' -d '",
		       (int)first.n, first.p, strchr(commands[i].name, ' ') + 1);
		put_quoted(commands[i].help, false);
		printf("'\n");
	}
	for (size_t i = 0; cli_option(i, &name, &argument); i++) {
		printf("complete -c postern -l %s%s", name, argument ? " -r" : "");
		if (words_of(name))
			printf(" -f -a '%s'", words_of(name));
		printf("\n");
	}
	return EXIT_DONE;
}

int cmd_completion(struct cli *c)
{
	if (strcmp(c->args[0], "bash") == 0)
		return bash();
	if (strcmp(c->args[0], "zsh") == 0)
		return zsh();
	if (strcmp(c->args[0], "fish") == 0)
		return fish();
	(void)fprintf(stderr, "postern: completion is there for bash, zsh and fish, not \"%s\"\n",
		      c->args[0]);
	return EXIT_BAD_USAGE;
}
