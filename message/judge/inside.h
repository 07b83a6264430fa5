/* message/judge/inside.h - the judge's insides, shared by the files of this folder only. */
#pragma once
#include "base/map.h"
#include "message/judge/judge.h"
#include "message/judge/pattern.h"

/* Every word that some pattern has, once. */
struct judge_entry {
	struct map_link link;
	struct slice word;
	uint32_t id;
};

struct judge_codes {
	uint16_t from, to; /* 0 to 0: no code; 0 to 999: any */
};
enum { JUDGE_X = 0xffff };
struct judge_statuses {
	uint16_t class, subject;     /* JUDGE_X: any */
	uint16_t detail, detail_end; /* 0 to 999: any; class 0: no status at all */
};

/* One line "text =" or "unless =". */
struct judge_line {
	struct slice source;
	bool from_start, to_end, indexed;
	uint32_t first_step, n, first_choice;
};

enum { JUDGE_LIST_MAX = 16 };
struct judge_rule {
	struct slice name;
	const char *file;
	unsigned line;
	bool class_given, action_given;
	enum judge_class class;
	struct judge_action action;
	unsigned n_codes, n_statuses, n_providers;
	struct judge_codes codes[JUDGE_LIST_MAX];
	struct judge_statuses statuses[JUDGE_LIST_MAX];
	struct slice providers[JUDGE_LIST_MAX];
	uint32_t first_text, n_text, first_unless, n_unless; /* in lines[], unless after text */
};

enum { JUDGE_FILES_MAX = 8 };
struct judge_file {
	char *name, *text;
};

struct judge {
	unsigned n_files;
	struct judge_file files[JUDGE_FILES_MAX];
	struct judge_rule *rules;
	struct judge_line *lines;
	struct judge_step *steps;
	struct judge_choice *choices;
	struct map words; /* struct judge_entry */
	uint32_t n_rules, n_lines, n_steps, n_choices, n_words;
	/* lines to look at when a word occurs: by_word[start[id]] to by_word[start[id + 1]] */
	uint32_t *start, *by_word;
	bool ready;
};

/* index.c */
/* An array of n items with room for one more, which is doubled when it is full. */
void *judge_room(void *items, uint32_t n, size_t size);
struct judge_entry *judge_word(const struct judge *j, struct slice word); /* NULL: none has it */
uint32_t judge_word_add(struct judge *j, struct slice word, struct slice *ret_kept);
void judge_index(struct judge *j);
/* keys.c: one key of a rule; *ret_wrong is what is expected. */
struct judge_key {
	const char *name, *help;
	int (*read)(struct judge *j, struct judge_rule *rule, struct slice value,
		    const char **ret_wrong);
};
extern const struct judge_key judge_keys[];
extern const size_t judge_n_keys;
