/* message/judge/judge.h - from a reply to what it means: class, hard or not, action, and the rule
 * that said so.  postern-rules(5) explains the files that it reads.
 *
 * Files are tried in the order in which they were read, rules in the order of their file; the first
 * rule whose conditions all hold decides.
 *
 * Owns:    judge_new() gives the caller the judge; what a judgement points to lives as long as it.
 * Blocks:  never.
 * Fails:   E_SYNTAX with "file:line: what is wrong; what to do" in a text of JUDGE_ERROR_MAX bytes;
 *          the judge can then only be freed.
 * Threads: any number may ask a judge after judge_ready(), which is the last that changes it.
 * Limits:  JUDGE_FILE_MAX bytes a file, JUDGE_RULES_MAX rules, JUDGE_PATTERNS_MAX patterns.
 * Guarantee: `hard` implies a class that is permanent, and a reply that is not for now only. */
#pragma once
#include "message/judge/class.h"
#include "message/judge/words.h"

enum {
	JUDGE_ERROR_MAX = 512,
	JUDGE_FILE_MAX = 1024 * 1024,
	JUDGE_RULES_MAX = 4096,
	JUDGE_PATTERNS_MAX = 16384,
	JUDGE_NAME_MAX = 64, /* of a rule and of a provider */
};

struct judge;
struct judge *judge_new(void);
struct judge *judge_free(struct judge *j);
DEFINE_OWNED(judge)
int judge_read(struct judge *j, struct slice text, const char *name_for_errors,
	       char *error) MUST_CHECK;
void judge_ready(struct judge *j);
/* The rules that come with the program. */
int judge_read_shipped(struct judge *j, char *error) MUST_CHECK;
/* The operator's file, when it exists or `must` says that it has to, then the shipped rules; made
 * ready.  path NULL: the shipped rules alone. */
#define JUDGE_DEFAULT_FILE "/etc/postern/replies.rules"
int judge_load(struct judge **ret, const char *path, bool must, char *error) MUST_CHECK;

struct judge_reply {
	uint16_t code;        /* 0: none */
	struct status status; /* when none is given, the text is looked through for one */
	struct slice text, provider;
};
struct judgement {
	enum judge_class class;
	bool hard;
	struct judge_action action;
	uint32_t named_s;  /* the time that the text names, within the action's bounds; 0: none */
	struct slice rule; /* "" when no rule matched */
	const char *file;
	unsigned line;
};
void judge_reply(const struct judge *j, const struct judge_reply *reply, struct judgement *ret);
/* The keys of rule files and what each is for; NULL past the last. */
const char *judge_key_name(size_t i);
const char *judge_key_help(size_t i);
unsigned judge_rules(const struct judge *j);
