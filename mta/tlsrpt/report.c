/* mta/tlsrpt/report.c - a day as the JSON of RFC 8460 section 4.4, and as what people are shown. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "mta/tlsrpt/results_int.h"

static void put_lines(struct branch *b, const char *name, const char *lines)
{
	struct slice rest = slice_str(lines);
	struct branch *list;

	if (!rest.n)
		return;
	list = branch_list(b, name);
	while (rest.n)
		branch_slice(list, NULL, slice_take(&rest, '\n'));
}

static void put_text(struct branch *b, const char *name, const char *text)
{
	if (*text)
		branch_str(b, name, text);
}

static void put_failure(struct branch *b, const struct tally_failure *f)
{
	branch_str(b, "result-type", results_name(f->kind));
	put_text(b, "sending-mta-ip", f->from);
	put_text(b, "receiving-mx-hostname", f->mx);
	put_text(b, "receiving-ip", f->to);
	branch_int(b, "failed-session-count", (int64_t)f->n);
	put_text(b, "failure-reason-code", f->reason);
}

static void put_policy(struct branch *b, const char *domain, const struct tally_policy *p)
{
	struct branch *policy = branch_map(b, "policy"), *sums, *list;
	const struct tally_failure *f;

	branch_str(policy, "policy-type", results_policy_name(p->policy));
	put_lines(policy, "policy-string", p->text);
	branch_str(policy, "policy-domain", domain);
	put_lines(policy, "mx-host", p->mx);
	sums = branch_map(b, "summary");
	branch_int(sums, "total-successful-session-count", (int64_t)p->success);
	branch_int(sums, "total-failure-session-count", (int64_t)p->failure);
	if (list_empty(&p->failures))
		return;
	list = branch_list(b, "failure-details");
	list_each(&p->failures, f, struct tally_failure, link)
		put_failure(branch_map(list, NULL), f);
}

static void put_policies(struct branch *b, const char *domain, const struct tally *t)
{
	struct branch *list = branch_list(b, "policies");
	const struct tally_policy *p;

	list_each(&t->policies, p, struct tally_policy, link)
		put_policy(branch_map(list, NULL), domain, p);
}

/* "2016-04-01T00:00:00Z", of whole seconds. */
static void put_time(struct branch *b, const char *name, int64_t ms)
{
	char text[RFC3339_MAX];
	struct slice s = slice_str(clock_rfc3339(ms, text)), whole = slice_take(&s, '.');
	char seconds[RFC3339_MAX];

	(void)snprintf(seconds, sizeof(seconds), "%.*sZ", (int)whole.n, whole.p);
	branch_str(b, name, seconds);
}

int results_report(struct results *r, const char *domain, const char *organization,
		   const char *contact, const char *submitter, struct results_report *ret)
{
	struct tally_domain *d;
	struct branch *b, *range;

	pthread_mutex_lock(&r->lock);
	d = results_find(r, slice_str(domain));
	if (!d || !d->due) {
		pthread_mutex_unlock(&r->lock);
		return E_UNKNOWN;
	}
	ret->day = d->due->day;
	ret->nonce = d->due->nonce;
	(void)snprintf(ret->id, sizeof(ret->id), "%" PRId64 ".%" PRIx64 "@%.253s", d->due->day,
		       d->due->nonce, submitter);
	ret->json = tree_new();
	b = tree_map(ret->json);
	branch_str(b, "organization-name", organization);
	range = branch_map(b, "date-range");
	put_time(range, "start-datetime", ret->day * DAY_MS);
	put_time(range, "end-datetime", (ret->day + 1) * DAY_MS - 1000);
	branch_str(b, "contact-info", contact);
	branch_str(b, "report-id", ret->id);
	put_policies(b, domain, d->due);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

/* ---- for people -------------------------------------------------------------------------- */

static void show_day(struct branch *b, const char *name, const char *domain, const struct tally *t)
{
	struct branch *day;

	if (!t)
		return;
	day = branch_map(b, name);
	branch_int(day, "day_ms", t->day * DAY_MS);
	branch_int(day, "report_ms", t->next_ms);
	branch_int(day, "tries", t->tries);
	put_policies(day, domain, t);
}

static void show_told(struct branch *list, const struct tally_domain *d)
{
	for (unsigned i = 0; i < d->n_told; i++) {
		struct branch *row = branch_map(list, NULL);
		branch_int(row, "day_ms", d->told_day * DAY_MS);
		branch_int(row, "at_ms", d->told[i].at_ms);
		branch_str(row, "to", d->told[i].where);
		branch_bool(row, "done", d->told[i].done);
		branch_str(row, "what", d->told[i].what);
	}
}

void results_show(struct results *r, struct slice domain, struct branch *b)
{
	struct branch *sent = branch_list(b, "sent");
	const struct tally_domain *d;

	pthread_mutex_lock(&r->lock);
	d = results_find(r, domain);
	if (d) {
		show_day(b, "today", d->name, d->today);
		show_day(b, "due", d->name, d->due);
		show_told(sent, d);
	}
	pthread_mutex_unlock(&r->lock);
}
