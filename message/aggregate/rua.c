/* message/aggregate/rua.c - the XML of DMARC aggregate reports. */
#include <expat.h>

#include "message/aggregate/inside.h"

enum { DEPTH_MAX = 16, NAME_MAX_BYTES = 32, ROW_COST = 300, AUTH_COST = 100, AUTHS_MAX = 16 };

/* An element's text goes to a member, by its name and that of the element around it. */
enum rua_place { IN_REPORT, IN_POLICY, IN_ROW, IN_AUTH };
static const struct {
	const char *around, *name, *member;
	enum rua_place place;
	bool number;
} known[] = {
	{ "report_metadata", "org_name", "org", IN_REPORT, false },
	{ "report_metadata", "email", "email", IN_REPORT, false },
	{ "report_metadata", "report_id", "id", IN_REPORT, false },
	{ "date_range", "begin", "begin", IN_REPORT, true },
	{ "date_range", "end", "end", IN_REPORT, true },
	{ "policy_published", "domain", "domain", IN_REPORT, false },
	{ "policy_published", "p", "p", IN_POLICY, false },
	{ "policy_published", "sp", "sp", IN_POLICY, false },
	{ "policy_published", "np", "np", IN_POLICY, false },
	{ "policy_published", "adkim", "adkim", IN_POLICY, false },
	{ "policy_published", "aspf", "aspf", IN_POLICY, false },
	{ "policy_published", "pct", "pct", IN_POLICY, true },
	{ "policy_published", "testing", "testing", IN_POLICY, false },
	{ "row", "source_ip", "ip", IN_ROW, false },
	{ "row", "count", "count", IN_ROW, true },
	{ "policy_evaluated", "disposition", "disposition", IN_ROW, false },
	{ "policy_evaluated", "dkim", "dkim", IN_ROW, false },
	{ "policy_evaluated", "spf", "spf", IN_ROW, false },
	{ "reason", "type", "reason", IN_ROW, false },
	{ "identifiers", "header_from", "header_from", IN_ROW, false },
	{ "identifiers", "envelope_from", "envelope_from", IN_ROW, false },
	{ "identifiers", "envelope_to", "envelope_to", IN_ROW, false },
	{ "dkim", "domain", "domain", IN_AUTH, false },
	{ "dkim", "selector", "selector", IN_AUTH, false },
	{ "dkim", "result", "result", IN_AUTH, false },
	{ "spf", "domain", "domain", IN_AUTH, false },
	{ "spf", "scope", "scope", IN_AUTH, false },
	{ "spf", "result", "result", IN_AUTH, false },
};

struct rua_state {
	XML_Parser xml;
	struct branch *report, *policy, *rows, *row, *auths, *auth;
	struct buf *identity;
	struct room room;
	char stack[DEPTH_MAX][NAME_MAX_BYTES];
	unsigned depth, n_auths;
	char text[TEXT_MOST];
	size_t text_n;
	uint64_t messages, seen; /* seen: a bit for each of `known` in the object at hand */
	bool feedback, more, stopped;
};

static const char *around(const struct rua_state *s, unsigned up)
{
	return s->depth > up ? s->stack[s->depth - 1 - up] : "";
}

/* "feedback:row" and "row" are the same. */
static const char *bare(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static void begin_row(struct rua_state *s)
{
	s->row = s->auths = s->auth = NULL;
	s->n_auths = 0;
	if (room_take(&s->room, ROW_COST))
		s->row = branch_map(s->rows, NULL);
	else
		s->more = true;
}

static void begin_auth(struct rua_state *s, const char *by)
{
	s->auth = NULL;
	if (!s->row || s->n_auths == AUTHS_MAX || !room_take(&s->room, AUTH_COST))
		return;
	if (!s->auths)
		s->auths = branch_list(s->row, "auth");
	s->auth = branch_map(s->auths, NULL);
	s->n_auths++;
	branch_str(s->auth, "by", by);
}

static void XMLCALL on_start(void *arg, const XML_Char *full, const XML_Char **attributes UNUSED)
{
	struct rua_state *s = arg;
	const char *name = bare(full);

	s->text_n = 0;
	if (s->depth == DEPTH_MAX || strlen(name) >= NAME_MAX_BYTES) {
		s->stopped = true;
		(void)XML_StopParser(s->xml, XML_FALSE);
		return;
	}
	if (!s->depth)
		s->feedback = strcmp(name, "feedback") == 0;
	if (strcmp(name, "record") == 0)
		begin_row(s);
	if (strcmp(around(s, 0), "auth_results") == 0 &&
	    (strcmp(name, "dkim") == 0 || strcmp(name, "spf") == 0))
		begin_auth(s, name);
	(void)strcpy(s->stack[s->depth++], name);
}

static struct branch *branch_at(struct rua_state *s, enum rua_place place)
{
	switch (place) {
	case IN_REPORT:
		return s->report;
	case IN_POLICY:
		if (!s->policy)
			s->policy = branch_map(s->report, "policy");
		return s->policy;
	case IN_ROW:
		return s->row;
	case IN_AUTH:
		return strcmp(around(s, 2), "auth_results") == 0 ? s->auth : NULL;
	}
	return NULL;
}

static void put(struct rua_state *s, unsigned i, struct slice text)
{
	struct branch *b = branch_at(s, known[i].place);
	uint64_t number = 0;

	if (known[i].number && slice_u64(text, INT64_MAX, &number) < 0)
		return;
	if (strcmp(known[i].member, "count") == 0)
		s->messages += number <= 1U << 30 ? number : 0;
	/* An identity is what the maker says first. */
	if (known[i].place == IN_REPORT && !known[i].number && !(s->seen >> i & 1)) {
		buf_put(s->identity, text);
		buf_put(s->identity, SLICE(" "));
	}
	if (!b || (known[i].place < IN_ROW && s->seen >> i & 1) ||
	    !room_take(&s->room, 2 * text.n + 40))
		return;
	if (known[i].place < IN_ROW)
		s->seen |= 1ULL << i;
	if (known[i].number)
		branch_int(b, known[i].member, (int64_t)number);
	else
		aggregate_text(b, known[i].member, text);
}

static void XMLCALL on_end(void *arg, const XML_Char *full UNUSED)
{
	struct rua_state *s = arg;
	struct slice text = slice_trim_set(slice_of(s->text, s->text_n), " \t\r\n");

	/* The parser tells the end of <x/> though its beginning has stopped it. */
	if (s->stopped)
		return;
	for (unsigned i = 0; i < ARRAY_LEN(known) && text.n; i++)
		if (strcmp(known[i].name, around(s, 0)) == 0 &&
		    strcmp(known[i].around, around(s, 1)) == 0) {
			put(s, i, text);
			break;
		}
	s->text_n = 0;
	s->depth--;
	if (strcmp(s->stack[s->depth], "record") == 0)
		s->row = NULL;
}

static void XMLCALL on_text(void *arg, const XML_Char *p, int n)
{
	struct rua_state *s = arg;
	size_t take = MIN_OF((size_t)n, sizeof(s->text) - s->text_n);

	memcpy(s->text + s->text_n, p, take);
	s->text_n += take;
}

/* Entities could make much of little. */
static void XMLCALL on_doctype(void *arg, const XML_Char *name UNUSED, const XML_Char *sys UNUSED,
			       const XML_Char *pub UNUSED, int internal UNUSED)
{
	(void)XML_StopParser(((struct rua_state *)arg)->xml, XML_FALSE);
}

int rua_read(struct slice xml, struct branch *b, struct buf *identity)
{
	struct rua_state s = { .xml = XML_ParserCreate(NULL),
			       .report = b,
			       .identity = identity,
			       .room = { AGGREGATE_JSON_MAX - 4096 } };
	enum XML_Status status;

	if (!s.xml)
		return -ENOMEM;
	branch_str(b, "type", "dmarc");
	s.rows = branch_list(b, "rows");
	XML_SetUserData(s.xml, &s);
	XML_SetElementHandler(s.xml, on_start, on_end);
	XML_SetCharacterDataHandler(s.xml, on_text);
	XML_SetStartDoctypeDeclHandler(s.xml, on_doctype);
	status = XML_Parse(s.xml, xml.p, (int)xml.n, XML_TRUE);
	XML_ParserFree(s.xml);
	if (status != XML_STATUS_OK || !s.feedback || !buf_len(identity))
		return E_SYNTAX;
	branch_int(b, "messages", (int64_t)s.messages);
	branch_bool(b, "more", s.more);
	return 0;
}
