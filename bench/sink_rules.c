/* bench/sink_rules.c - reads the rules of the sink and counts by them. */
#include "bench/sink_rules.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/map.h"

enum { RULES_MAX = 4096 };
enum sink_kind { DEFER, DEFER_SHARE, REFUSE, REFUSE_SHARE, CLOSE, CLOSE_AT_DOT, SLOW, BUSY };

struct sink_rule {
	bool host;
	char who[256];
	enum sink_kind kind;
	int64_t n;
	uint64_t counter;
};
struct sink_rules {
	struct sink_rule *rules;
	unsigned n;
	struct map tries; /* recipients that were deferred so far */
};
struct tried {
	struct map_link link;
	int64_t times;
	char rcpt[];
};

static const char *const kinds[] = { "defer", "defer-share",  "refuse", "refuse-share",
				     "close", "close-at-dot", "slow",   "busy" };

struct sink_rules *sink_rules_new(void)
{
	struct sink_rules *rs = must_alloc(sizeof(*rs));

	rs->rules = must_alloc(RULES_MAX * sizeof(struct sink_rule));
	return rs;
}

static int parse(const char *line, struct sink_rule *ret)
{
	char what[16], action[32];
	struct sink_rule rule = { 0 };
	long n = 0;

	if (sscanf(line, "%15s %255s %31s %ld", what, rule.who, action, &n) < 3)
		return E_SYNTAX;
	rule.host = strcmp(what, "host") == 0;
	rule.n = n;
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(action, kinds[i]) == 0) {
			rule.kind = (enum sink_kind)i;
			*ret = rule;
			return 0;
		}
	return E_SYNTAX;
}

int sink_rules_read(struct sink_rules *rs, const char *path)
{
	FILE *f = fopen(path, "r");
	char line[1024];
	int r = 0;

	if (!f)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		r = rs->n < RULES_MAX ? parse(line, &rs->rules[rs->n]) : E_LIMIT;
		rs->n += r == 0;
	}
	fclose(f);
	return r;
}

static bool matches(const struct sink_rule *rule, const char *name)
{
	if (rule->who[0] == '*') {
		size_t n = strlen(rule->who + 1), have = strlen(name);
		return have >= n && strcasecmp(name + have - n, rule->who + 1) == 0;
	}
	return strcasecmp(rule->who, name) == 0;
}

static struct sink_rule *find(struct sink_rules *rs, bool host, const char *name)
{
	for (unsigned i = 0; i < rs->n; i++)
		if (rs->rules[i].host == host && matches(&rs->rules[i], name))
			return &rs->rules[i];
	return NULL;
}

static int64_t count_try(struct sink_rules *rs, const char *rcpt)
{
	uint64_t hash = hash_keyed(slice_str(rcpt));
	struct tried *t;

	for (struct map_link *l = map_find(&rs->tries, hash); l; l = map_find_next(l)) {
		t = container_of(l, struct tried, link);
		if (strcmp(t->rcpt, rcpt) == 0)
			return ++t->times;
	}
	t = must_alloc(sizeof(*t) + strlen(rcpt) + 1);
	memcpy(t->rcpt, rcpt, strlen(rcpt) + 1);
	t->times = 1;
	map_insert(&rs->tries, &t->link, hash);
	return 1;
}

struct sink_verdict sink_rules_at_connect(struct sink_rules *rs, const char *ip)
{
	struct sink_rule *rule = find(rs, true, ip);

	return (struct sink_verdict){ rule && rule->kind == BUSY ? SINK_BUSY : SINK_ACCEPT, 0 };
}

struct sink_verdict sink_rules_at_rcpt(struct sink_rules *rs, const char *rcpt)
{
	const char *at = strrchr(rcpt, '@');
	struct sink_rule *rule = find(rs, false, at ? at + 1 : "");
	struct sink_verdict v = { SINK_ACCEPT, 0 };

	if (!rule)
		return v;
	switch (rule->kind) {
	case DEFER:
		v.action = count_try(rs, rcpt) <= rule->n ? SINK_DEFER : SINK_ACCEPT;
		break;
	case DEFER_SHARE:
		v.action = (int64_t)(rule->counter++ % 100) < rule->n ? SINK_DEFER : SINK_ACCEPT;
		break;
	case REFUSE:
		v.action = SINK_REFUSE;
		break;
	case REFUSE_SHARE:
		v.action = (int64_t)(hash_stable(slice_str(rcpt)) % 100) < rule->n ? SINK_REFUSE
										   : SINK_ACCEPT;
		break;
	case CLOSE:
		v.action = SINK_CLOSE;
		break;
	case CLOSE_AT_DOT:
	case SLOW:
	case BUSY:
		break;
	}
	return v;
}

struct sink_verdict sink_rules_at_dot(struct sink_rules *rs, const char *domain)
{
	struct sink_rule *rule = find(rs, false, domain);

	if (rule && rule->kind == CLOSE_AT_DOT)
		return (struct sink_verdict){ SINK_CLOSE, 0 };
	return (struct sink_verdict){ SINK_ACCEPT, rule && rule->kind == SLOW ? rule->n : 0 };
}
