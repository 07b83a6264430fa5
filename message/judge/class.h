/* message/judge/class.h - what a reply can mean, and what may follow from it.
 * Names:  judge_class_, judge_action_
 * Owns:   nothing.
 * Fails:  E_UNKNOWN for a name that is none, E_SYNTAX for a text that is no action.
 * Limits: a class has one word for everybody: rule files, records, events, metrics.  New ones are
 *         added at the end of the list. */
#pragma once
#include "base/buf.h"

enum judge_class {
	JUDGE_OTHER, /* no rule knows what it means */
	JUDGE_INVALID_RECIPIENT,
	JUDGE_BAD_DOMAIN,
	JUDGE_MOVED,
	JUDGE_INACTIVE_MAILBOX,
	JUDGE_QUOTA,
	JUDGE_SPAM_BLOCK,
	JUDGE_SPAM_CONTENT,
	JUDGE_VIRUS,
	JUDGE_POLICY,
	JUDGE_RESTRICTED,
	JUDGE_AUTHENTICATION_FAILED,
	JUDGE_RATE_LIMITED,
	JUDGE_GREYLISTED,
	JUDGE_RELAY_DENIED,
	JUDGE_INVALID_SENDER,
	JUDGE_BAD_CONFIGURATION,
	JUDGE_MESSAGE_TOO_LARGE,
	JUDGE_BAD_CONTENT,
	JUDGE_DNS_FAILURE,
	JUDGE_ROUTING,
	JUDGE_BAD_CONNECTION,
	JUDGE_TLS_FAILURE,
	JUDGE_PROTOCOL,
	JUDGE_SYSTEM,
	JUDGE_EXPIRED,
	JUDGE_CLASSES
};

enum judge_action_kind {
	JUDGE_END,            /* no further try */
	JUDGE_RETRY,          /* when the engine's own schedule says */
	JUDGE_RETRY_NAMED,    /* when the text says, within bounds; else as JUDGE_RETRY */
	JUDGE_OTHER_SOURCE,   /* from another address of the pool */
	JUDGE_SLOW,           /* less at a time to this provider */
	JUDGE_SUSPEND_SOURCE, /* nothing from this address to this provider for a time */
	JUDGE_SUSPEND_TENANT, /* nothing of this tenant to this provider for a time */
	JUDGE_HOLD,           /* keep it until somebody releases it */
	JUDGE_ACTIONS
};

struct judge_action {
	enum judge_action_kind kind;
	uint32_t for_s;        /* JUDGE_SUSPEND_*: for how long */
	uint32_t min_s, max_s; /* JUDGE_RETRY_NAMED: the bounds of what the text may name */
};

const char *judge_class_name(enum judge_class c);
const char *judge_class_help(enum judge_class c); /* one line for people */
/* The address itself is at fault, and for good, when a permanent reply is of this class. */
bool judge_class_permanent(enum judge_class c);
/* What follows when the rule names no action. */
struct judge_action judge_class_action(enum judge_class c, bool permanent_reply);
int judge_class_parse(struct slice name, enum judge_class *ret) MUST_CHECK;

/* "suspend source 30m" and the like: as rule files write it. */
int judge_action_parse(struct slice text, struct judge_action *ret) MUST_CHECK;
void judge_action_show(struct judge_action a, struct buf *out);
/* The first words of an action: "suspend source". */
const char *judge_action_name(enum judge_action_kind k);
const char *judge_action_help(enum judge_action_kind k);
/* The recipient stays in the queue. */
static inline bool judge_action_keeps(struct judge_action a)
{
	return a.kind != JUDGE_END;
}
