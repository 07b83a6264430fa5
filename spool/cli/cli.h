/* spool/cli/cli.h - the postern command: asks a running engine through its admin socket, or reads a
 * spool by itself.  Shared by the files of this folder only.
 *
 *	main.c       the table of commands          options.c    the options they share
 *	commands.c   what each command does         events.c     the log as it goes on
 *	ask.c        the admin socket               offline.c    the spool without an engine
 *	proofs.c     verify and audit               repair.c     sets damage aside
 *	shape.c      shapes and live orders         rules.c      what replies mean
 *	report.c     what came back as mail         locate.c     where socket and spool are
 *	orders.c     orders on selectors, find
 *	style.c      formats, widths, colours       table.c, print.c   answers for people
 *	document.c   answers for programs           watch.c      a command again and again
 *	top.c        a live screen                  trace.c      live sessions
 *	past.c       each attempt of a job
 *	completion.c what a shell can complete      source.c     sources and orders on them
 *	credential.c credentials, and hashes        history.c    transcripts and messages
 *
 * Blocks: on the socket and the disk. */
#pragma once
#include <stdio.h>

#include "base/tree.h"
#include "schema/wire/link.h"
#include "spool/spool.h"

/* docs/man/postern.1 explains these. */
enum {
	EXIT_DONE = 0,
	EXIT_NO = 1,        /* not balanced, damaged, or it failed */
	EXIT_BAD_USAGE = 2, /* of the command line, or a fault in a file that it names */
	EXIT_NOT_FOUND = 3,
	EXIT_DENIED = 4,
	EXIT_CONFLICT = 5, /* with what stands already */
	EXIT_AGAIN = 75,   /* no engine answers now, or there is no room now */
};

struct cli {
	const char *config, *socket, *spool; /* as given; then as found */
	char socket_path[108], spool_path[1024], rules_path[1024], shape_paths[4096];
	bool json; /* for programs: as spool/cli/style.h says */
	bool yes, follow;
	const char *output, *fields; /* how the answer is shown */
	const char *watch;           /* seconds; NULL: once */
	const char *timeout;         /* seconds */
	int64_t watch_ms;            /* likewise */
	int64_t timeout_ms;          /* for one answer; 0: as long as it usually takes */
	const char *by, *reason;
	const char *source, *pool;                   /* of shape explain */
	const char *duration;                        /* of suspend */
	uint64_t tenant;                             /* likewise; 0: any */
	const char *from_text;                       /* --from as given; from is its number */
	int64_t from_ms;                             /* or the time that it is; 0: it is none */
	const char *shape, *rules;                   /* of shape replay; NULL: those in force */
	const char *code, *status, *text, *provider; /* of a reply; NULL: not given */
	uint64_t max, from;
	bool bounded;                     /* --max was given */
	const char *weight, *via;         /* of source add */
	const char *until, *grace, *rate; /* of orders; NULL: not given */
	uint64_t connections;
	const char *args[16];
	bool transcript, headers, content; /* show: these, not recipients */
	bool once;                         /* of top */
	unsigned n_args;
	int fd; /* admin socket, -1 */
	uint64_t request;
	struct buf in;
	struct wire_arena *arena;
	char error[2048];
};

struct cli_command {
	const char *name, *arguments, *help;
	unsigned min, max;
	int (*run)(struct cli *c);
};
extern const struct cli_command commands[];
extern const size_t n_commands;

/* locate.c: EXIT_DONE, or EXIT_BAD_CONFIG with c->error. */
int cli_locate(struct cli *c);

/* ask.c: 0 and the report, which is valid until the next call; or negative, and c->error says why.
 * -ECONNREFUSED: no engine answers. */
int cli_ask(struct cli *c, const char *command, struct tree *args, struct value *ret) MUST_CHECK;

/* offline.c: reports as the engine gives them, from the files alone. */
int offline_open(struct cli *c, struct spool **ret) MUST_CHECK;
typedef void offline_row_fn(void *arg, const struct job_info *info, uint32_t row,
			    struct slice address, uint16_t attempts, int64_t next_ms);
/* Gives every live row of a job. */
int offline_each_row(struct spool *sp, job_no job, const struct job_info *info,
		     offline_row_fn *each, void *arg) MUST_CHECK;
int offline_status(struct cli *c, struct tree *out) MUST_CHECK;
int offline_queue(struct cli *c, struct tree *out) MUST_CHECK; /* offline_queue.c */
int offline_show(struct cli *c, struct tree *out) MUST_CHECK;  /* E_UNKNOWN: no trace of it */
int offline_events(struct cli *c, struct tree *out) MUST_CHECK;
/* Gives the events one by one, at most c->max; *ret_more: there are others after c->from, which
 * moves on. */
int offline_each_event(struct cli *c, void (*each)(const struct value *event),
		       bool *ret_more) MUST_CHECK;
int offline_verify(struct cli *c, struct tree *out) MUST_CHECK; /* 1: damage was found */
int offline_audit(struct cli *c, struct tree *out) MUST_CHECK;  /* 1: the books do not balance */

/* main.c: prints what there is, gives the code back. */
int cli_help(FILE *to, int code);
/* Two columns, the left one `width` wide, in 80. */
void cli_help_line(FILE *to, const char *left, int width, const char *help);

/* options.c: -1 to go on, or the exit status. */
int cli_take_options(struct cli *c, int argc, char **argv);
void cli_help_options(FILE *to);
/* Walks the options: false past the last. */
bool cli_option(size_t i, const char **ret_name, bool *ret_argument);

/* watch.c: runs it, with --watch again and again until somebody interrupts. */
int cli_run(struct cli *c, const struct cli_command *command);

/* document.c, print.c, table.c */
void print_json(const struct value *v);    /* or YAML: as -o says */
void print_pairs(const struct value *map); /* "name value" lines; maps are indented */
void print_scalar(struct buf *out, const struct value *v);
void print_age(struct buf *out, int64_t ms);  /* "3 m"; "-" for a negative one */
void print_when(struct buf *out, int64_t ms); /* "3 m ago", "in 20 s"; wide: by the clock */
/* COLUMN_LONG, in the last column, goes on below itself; other text is cut.  COLUMN_NAME is what
 * somebody may want to type: it is cut last. */
struct print_column {
	const char *key, *heading;
	enum { COLUMN_TEXT, COLUMN_NAME, COLUMN_LONG, COLUMN_NUMBER, COLUMN_TIME, COLUMN_AGE } kind;
};
/* Does any row have one of the --fields? */
bool fields_in(const struct value *rows);
/* On standard error, with what a row has. */
void fields_say_none(const struct value *rows);
void print_more(const char *what, uint64_t shown, const char *how); /* on standard error */
void print_table(const struct value *rows, const struct print_column *columns, size_t n);
/* Appends; controls and bytes that are no UTF-8 become '?'. */
void print_safe(struct buf *out, struct slice s);
struct slice member_text(const struct value *map, const char *name);
int64_t member_int(const struct value *map, const char *name);

bool member_true(const struct value *map, const char *name);
const struct value *member_list(const struct value *map, const char *name); /* or an empty one */

/* commands.c */
/* What most commands ask with: the words of the selector, --by, --max, --from, --reason, --pool. */
struct tree *cli_arguments(const struct cli *c);
int cli_ask_engine(struct cli *c, const char *command, struct value *ret) MUST_CHECK;
/* The engine when it runs, else the spool. `*made` holds the answer when it came from the files. */
int cli_ask_or_read(struct cli *c, const char *command,
		    int (*offline)(struct cli *c, struct tree *out), struct tree **made,
		    struct value *ret) MUST_CHECK;
/* Says what is wrong on standard error; gives the exit status. */
int cli_complain(struct cli *c, int err);
/* A file that an argument names cannot be read: says so, gives the exit status. */
int cli_no_file(const char *path, int err);
/* 0, or -ECONNREFUSED when a spool was named: then an engine is not asked. */
int cli_only_engine(struct cli *c) MUST_CHECK;
int cmd_status(struct cli *c);
int cmd_queue(struct cli *c);
int cmd_show(struct cli *c);
int cmd_why(struct cli *c);
int cmd_rules(struct cli *c);
int cmd_senders(struct cli *c);
int cmd_events(struct cli *c);
int cmd_metrics(struct cli *c);
int cmd_completion(struct cli *c);
int cmd_config(struct cli *c);
int cmd_consumers(struct cli *c);
int cmd_reload(struct cli *c);
int cmd_flush_dns(struct cli *c);
int cmd_verify(struct cli *c);
int cmd_audit(struct cli *c);

/* top.c */
int cmd_top(struct cli *c);

/* trace.c */
int cmd_trace(struct cli *c);

/* replay.c: "2h" ago, "2026-03-14T09:00" or with seconds, by the local clock or with "Z" by UTC. */
int cli_time(const char *text, int64_t *ret_ms) MUST_CHECK;
int cmd_shape_replay(struct cli *c);

/* adaptive.c */
void cli_print_adaptive(const struct value *rows);
int cmd_adaptive(struct cli *c);
int cmd_adaptive_forget(struct cli *c);

/* past.c: what became of a job, event by event; with --fields as a table. */
void history_events(const struct value *events);
/* One of many jobs': with its job, and times by the clock. */
void history_event(const struct value *event);
/* history.c: what show --transcript, --headers and --content print. */
int history_transcript(struct cli *c);
int history_message(struct cli *c);

/* orders.c */
int cmd_find(struct cli *c);
int cmd_hold(struct cli *c);
int cmd_release(struct cli *c);
int cmd_move(struct cli *c);
int cmd_retry(struct cli *c);
int cmd_cancel(struct cli *c);
int cmd_bounce(struct cli *c);
int cmd_cap(struct cli *c);
int cmd_suspend(struct cli *c);
int cmd_resume(struct cli *c);
int cmd_orders_list(struct cli *c);
int cmd_orders_show(struct cli *c);
int cmd_orders_undo(struct cli *c);

/* tenant.c */
int cmd_tenants(struct cli *c);
int cmd_tenant_limit(struct cli *c);
int cmd_tenant_undo(struct cli *c);
int cmd_campaign_weight(struct cli *c);
int cmd_campaign_undo(struct cli *c);
/* source.c */
int cmd_sources(struct cli *c);
int cmd_source_add(struct cli *c);
int cmd_source_check(struct cli *c);
int cmd_route_list(struct cli *c);
int cmd_route_test(struct cli *c);
int cmd_source_remove(struct cli *c);
int cmd_source_drain(struct cli *c);
int cmd_source_disable(struct cli *c);
int cmd_source_enable(struct cli *c);

/* warmup.c */
int cmd_warmup(struct cli *c);
int cmd_warmup_show(struct cli *c);
int cmd_warmup_set(struct cli *c);
int cmd_warmup_unset(struct cli *c);
int cmd_warmup_pause(struct cli *c);
int cmd_warmup_resume(struct cli *c);
/* shape.c */
/* Asks the engine; prints its answer as JSON, or shows it.  The exit status. */
int cli_ask_and_show(struct cli *c, const char *command, struct tree *args,
		     void (*show)(const struct value *v));
void cli_put_author(struct branch *args); /* who gives the order: the person behind sudo */
int cmd_shape_set(struct cli *c);
int cmd_shape_unset(struct cli *c);
int cmd_shape_show(struct cli *c);
int cmd_shape_explain(struct cli *c);
int cmd_shape_diff(struct cli *c);
int cmd_shape_test(struct cli *c);

/* tls.c */
int cmd_tls_explain(struct cli *c);

/* rules.c */
int cmd_rules_explain(struct cli *c);
int cmd_rules_test(struct cli *c);
int cmd_rules_words(struct cli *c);

/* report.c */
int cmd_report_explain(struct cli *c);
int cmd_credentials(struct cli *c);
int cmd_credential_hash(struct cli *c);

/* repair.c */
int cmd_repair(struct cli *c);
