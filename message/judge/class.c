/* message/judge/class.c - the table of classes, and actions as text. */
#include "message/judge/class.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

#define END                                                                                        \
	{                                                                                          \
		.kind = JUDGE_END                                                                  \
	}
#define RETRY                                                                                      \
	{                                                                                          \
		.kind = JUDGE_RETRY                                                                \
	}
#define NAMED                                                                                      \
	{                                                                                          \
		.kind = JUDGE_RETRY_NAMED, .min_s = 30, .max_s = 4 * HOUR                          \
	}
#define SUSPEND(s)                                                                                 \
	{                                                                                          \
		.kind = JUDGE_SUSPEND_SOURCE, .for_s = (s)                                         \
	}

/* clang-format off */
static const struct {
	const char *name;
	bool permanent;
	struct judge_action for_now, for_good; /* after a 4xx, after a 5xx */
} classes[JUDGE_CLASSES] = {
	[JUDGE_OTHER] = { "other", false, NAMED, END },
	[JUDGE_INVALID_RECIPIENT] = { "invalid-recipient", true, RETRY, END },
	[JUDGE_BAD_DOMAIN] = { "bad-domain", true, RETRY, END },
	[JUDGE_MOVED] = { "moved", true, RETRY, END },
	[JUDGE_INACTIVE_MAILBOX] = { "inactive-mailbox", false, RETRY, END },
	[JUDGE_QUOTA] = { "quota", false, RETRY, END },
	[JUDGE_SPAM_BLOCK] = { "spam-block", false, SUSPEND(30 * MINUTE), SUSPEND(2 * HOUR) },
	[JUDGE_SPAM_CONTENT] = { "spam-content", false, RETRY, END },
	[JUDGE_VIRUS] = { "virus", false, RETRY, END },
	[JUDGE_POLICY] = { "policy", false, RETRY, END },
	[JUDGE_RESTRICTED] = { "restricted", false, RETRY, END },
	[JUDGE_AUTHENTICATION_FAILED] = { "authentication-failed", false, RETRY, END },
	[JUDGE_RATE_LIMITED] = { "rate-limited", false, NAMED, NAMED },
	[JUDGE_GREYLISTED] = { "greylisted", false, NAMED, NAMED },
	[JUDGE_RELAY_DENIED] = { "relay-denied", false, RETRY, END },
	[JUDGE_INVALID_SENDER] = { "invalid-sender", false, RETRY, END },
	[JUDGE_BAD_CONFIGURATION] = { "bad-configuration", false, RETRY, END },
	[JUDGE_MESSAGE_TOO_LARGE] = { "message-too-large", false, RETRY, END },
	[JUDGE_BAD_CONTENT] = { "bad-content", false, RETRY, END },
	[JUDGE_DNS_FAILURE] = { "dns-failure", false, RETRY, END },
	[JUDGE_ROUTING] = { "routing", false, RETRY, END },
	[JUDGE_BAD_CONNECTION] = { "bad-connection", false, RETRY, END },
	[JUDGE_TLS_FAILURE] = { "tls-failure", false, RETRY, END },
	[JUDGE_PROTOCOL] = { "protocol", false, RETRY, END },
	[JUDGE_SYSTEM] = { "system", false, NAMED, END },
	[JUDGE_EXPIRED] = { "expired", false, RETRY, END },
};

static const char *const meanings[JUDGE_CLASSES] = {
	[JUDGE_OTHER] = "no rule knows what the reply means",
	[JUDGE_INVALID_RECIPIENT] = "there is no such mailbox",
	[JUDGE_BAD_DOMAIN] = "the recipient's domain does not exist or takes no mail",
	[JUDGE_MOVED] = "the recipient is not here any more and has another address",
	[JUDGE_INACTIVE_MAILBOX] = "the mailbox exists but is disabled, suspended or unused",
	[JUDGE_QUOTA] = "the mailbox is full",
	[JUDGE_SPAM_BLOCK] = "our address is blocked or has a bad reputation",
	[JUDGE_SPAM_CONTENT] = "the message or its links look like spam",
	[JUDGE_VIRUS] = "the message is said to carry a virus or a forbidden attachment",
	[JUDGE_POLICY] = "refused by a policy of the receiver that the text does not explain",
	[JUDGE_RESTRICTED] = "the recipient takes mail of certain senders only",
	[JUDGE_AUTHENTICATION_FAILED] = "SPF, DKIM or DMARC did not pass",
	[JUDGE_RATE_LIMITED] = "too much mail, too many connections or recipients at a time",
	[JUDGE_GREYLISTED] = "an unknown sender is asked to come again",
	[JUDGE_RELAY_DENIED] = "the host does not take mail for this domain",
	[JUDGE_INVALID_SENDER] = "the sender's address or domain was refused",
	[JUDGE_BAD_CONFIGURATION] = "our reverse DNS or EHLO name was refused",
	[JUDGE_MESSAGE_TOO_LARGE] = "the message is larger than the receiver takes",
	[JUDGE_BAD_CONTENT] = "the message breaks a format rule",
	[JUDGE_DNS_FAILURE] = "a name could not be resolved for now",
	[JUDGE_ROUTING] = "the receiver's mail loops or cannot be passed on",
	[JUDGE_BAD_CONNECTION] = "no connection, or it broke",
	[JUDGE_TLS_FAILURE] = "TLS failed or is missing",
	[JUDGE_PROTOCOL] = "a command was refused or came at the wrong time",
	[JUDGE_SYSTEM] = "trouble of the receiver's own",
	[JUDGE_EXPIRED] = "a relay gave up after its last try",
};

static const struct {
	const char *name, *help;
} actions[JUDGE_ACTIONS] = {
	[JUDGE_END] = { "end", "no further try" },
	[JUDGE_RETRY] = { "retry", "try again when the schedule says" },
	[JUDGE_RETRY_NAMED] = { "retry named", "try again when the text says, between two bounds" },
	[JUDGE_OTHER_SOURCE] = { "other source", "try again from another address of the pool" },
	[JUDGE_SLOW] = { "slow", "send less at a time to the provider" },
	[JUDGE_SUSPEND_SOURCE] = { "suspend source", "send nothing from the address to the provider for a time" },
	[JUDGE_SUSPEND_TENANT] = { "suspend tenant", "send nothing of the tenant to the provider for a time" },
	[JUDGE_HOLD] = { "hold", "keep it until somebody releases it" },
};
/* clang-format on */

const char *judge_class_name(enum judge_class c)
{
	return classes[c].name;
}

const char *judge_class_help(enum judge_class c)
{
	return meanings[c];
}

bool judge_class_permanent(enum judge_class c)
{
	return classes[c].permanent;
}

struct judge_action judge_class_action(enum judge_class c, bool permanent_reply)
{
	return permanent_reply ? classes[c].for_good : classes[c].for_now;
}

int judge_class_parse(struct slice name, enum judge_class *ret)
{
	for (unsigned c = 0; c < JUDGE_CLASSES; c++) {
		if (slice_eq(name, slice_str(classes[c].name))) {
			*ret = c;
			return 0;
		}
	}
	return E_UNKNOWN;
}

const char *judge_action_name(enum judge_action_kind k)
{
	return actions[k].name;
}

const char *judge_action_help(enum judge_action_kind k)
{
	return actions[k].help;
}

static int read_time(struct slice word, uint32_t *ret)
{
	static const struct {
		char unit;
		uint32_t s;
	} units[] = { { 's', 1 }, { 'm', MINUTE }, { 'h', HOUR }, { 'd', DAY } };
	uint64_t n;

	for (size_t i = 0; word.n && i < ARRAY_LEN(units); i++) {
		if (word.p[word.n - 1] != units[i].unit)
			continue;
		if (slice_u64(slice_of(word.p, word.n - 1), 30 * DAY / units[i].s, &n) < 0 || !n)
			return E_SYNTAX;
		*ret = (uint32_t)n * units[i].s;
		return 0;
	}
	return E_SYNTAX;
}

/* At most two times; *ret_n says how many there were. */
static int read_times(struct slice rest, uint32_t times[2], unsigned *ret_n)
{
	*ret_n = 0;
	while ((rest = slice_trim(rest)).n) {
		if (*ret_n == 2 || read_time(slice_take(&rest, ' '), &times[*ret_n]) < 0)
			return E_SYNTAX;
		++*ret_n;
	}
	return 0;
}

/* The longest name that the text begins with. */
static int find_action(struct slice *text, enum judge_action_kind *ret)
{
	size_t best = 0;

	for (unsigned k = 0; k < JUDGE_ACTIONS; k++) {
		struct slice name = slice_str(actions[k].name), rest = *text;
		if (name.n > best && slice_strip(&rest, name) && (!rest.n || rest.p[0] == ' ')) {
			best = name.n;
			*ret = k;
		}
	}
	*text = slice_skip(*text, best);
	return best ? 0 : E_SYNTAX;
}

int judge_action_parse(struct slice text, struct judge_action *ret)
{
	struct judge_action a = { .kind = JUDGE_END };
	uint32_t times[2];
	unsigned n, want = 0;

	if (find_action(&text, &a.kind) < 0 || read_times(text, times, &n) < 0)
		return E_SYNTAX;
	if (a.kind == JUDGE_RETRY_NAMED) {
		struct judge_action usual = NAMED;
		want = n ? 2 : 0;
		a.min_s = n ? times[0] : usual.min_s;
		a.max_s = n == 2 ? times[1] : usual.max_s;
	} else if (a.kind == JUDGE_SUSPEND_SOURCE || a.kind == JUDGE_SUSPEND_TENANT) {
		want = 1;
		a.for_s = n ? times[0] : 0;
	}
	if (n != want || a.min_s > a.max_s)
		return E_SYNTAX;
	*ret = a;
	return 0;
}

static void show_time(uint32_t s, struct buf *out)
{
	if (s % DAY == 0)
		buf_putf(out, " %ud", s / DAY);
	else if (s % HOUR == 0)
		buf_putf(out, " %uh", s / HOUR);
	else if (s % MINUTE == 0)
		buf_putf(out, " %um", s / MINUTE);
	else
		buf_putf(out, " %us", s);
}

void judge_action_show(struct judge_action a, struct buf *out)
{
	buf_putf(out, "%s", actions[a.kind].name);
	if (a.for_s)
		show_time(a.for_s, out);
	if (a.kind == JUDGE_RETRY_NAMED) {
		show_time(a.min_s, out);
		show_time(a.max_s, out);
	}
}
