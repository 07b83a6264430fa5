/* mta/admin/select.c - what an operator may write for a selector, and what is made of it: one text
 * per selector, because rules are stored under it. */
#include <inttypes.h>
#include <stdio.h>

#include "message/mailbox.h"
#include "mta/admin/query.h"

static int refuse(struct query *q, const char *why)
{
	(void)snprintf(q->fault, sizeof(q->fault),
		       "\"%.*s\" %s; a selector is all, an ID, ID:ROW, a domain, tenant/N, "
		       "campaign/N, domain/NAME, job/ID or rcpt/ID:ROW",
		       200, q->what, why);
	return E_SYNTAX;
}

static const char *kind_of(const char *what)
{
	const char *colon = strchr(what, ':');
	struct id128 unused;

	if (strcmp(what, "all") == 0 || strchr(what, '/'))
		return "";
	if (id_parse(slice_of(what, colon ? (size_t)(colon - what) : strlen(what)), &unused) == 0)
		return colon ? "rcpt/" : "job/";
	return "domain/";
}

static int put_domain(struct query *q, char *text, size_t cap)
{
	char buf[MAILBOX_MAX + 2];
	struct slice domain = q->selector.domain;

	if (memchr(domain.p, '@', domain.n))
		return refuse(q, "is an address, which only show takes");
	if (mailbox_domain_parse(domain, MAILBOX_IDN | MAILBOX_LITERAL, buf, &domain) < 0)
		return refuse(q, "is no domain");
	(void)snprintf(text, cap, "domain/%.*s", (int)domain.n, domain.p);
	return 0;
}

/* The one text of the selector: D.Example and d.example, tenant/03 and tenant/3 are one rule. */
static int put_canonical(struct query *q, char *text, size_t cap)
{
	const struct selector *s = &q->selector;
	char id[ID_TEXT_MAX];

	switch (s->kind) {
	case SELECT_ALL:
		(void)snprintf(text, cap, "all");
		return 0;
	case SELECT_TENANT:
		(void)snprintf(text, cap, "tenant/%" PRIu64, s->number);
		return 0;
	case SELECT_CAMPAIGN:
		(void)snprintf(text, cap, "campaign/%" PRIu64, s->number);
		return 0;
	case SELECT_DOMAIN:
		return put_domain(q, text, cap);
	case SELECT_JOB:
		(void)snprintf(text, cap, "job/%s", id_format(s->job, id));
		return 0;
	case SELECT_RCPT:
		(void)snprintf(text, cap, "rcpt/%s:%" PRIu32, id_format(s->job, id), s->row);
		return 0;
	}
	return E_SYNTAX;
}

int query_selector_as_written(struct query *q)
{
	char text[sizeof(q->what)];

	if (snprintf(text, sizeof(text), "%s%s", kind_of(q->what), q->what) >= (int)sizeof(text))
		return E_LIMIT;
	memcpy(q->what, text, strlen(text) + 1);
	return selector_parse(slice_str(q->what), &q->selector);
}

int query_selector(struct query *q)
{
	char given[sizeof(q->what)], text[sizeof(q->what)];
	int r;

	memcpy(given, q->what, sizeof(given));
	r = query_selector_as_written(q);
	if (r == 0)
		r = put_canonical(q, text, sizeof(text));
	if (r == 0) {
		memcpy(q->what, text, strlen(text) + 1);
		return selector_parse(slice_str(q->what), &q->selector);
	}
	memcpy(q->what, given, sizeof(given));
	return r == E_SYNTAX && !*q->fault ? refuse(q, "is no selector") : r;
}

int query_address(struct query *q)
{
	struct slice address = slice_str(q->what), domain;
	struct mailbox box;

	if (mailbox_parse(address, MAILBOX_UTF8 | MAILBOX_IDN | MAILBOX_LITERAL, &box) < 0)
		return refuse(q, "is neither an address nor a selector");
	domain = mailbox_domain(&box);
	slice_copy(q->address, sizeof(q->address), mailbox_text(&box));
	(void)snprintf(q->what, sizeof(q->what), "domain/%.*s", (int)domain.n, domain.p);
	return selector_parse(slice_str(q->what), &q->selector);
}
