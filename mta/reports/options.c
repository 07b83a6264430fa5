/* mta/reports/options.c - rows of the options of mail that comes back. */
#include "mta/reports/options.h"

#include "mta/replies/replies.h"

#define AT(member) offsetof(struct reports_options, member)
enum { KB = 1024, MB = 1024 * KB, SEC = 1000 };
static const int64_t most_a_day = 86400LL * 100000;

static const struct option rows[] = {
	{ "listen.reports", T_LIST, AT(listen), 0, 0, "", false,
	  "Addresses and ports that mail comes back to: bounces, complaints, unsubscribes, "
	  "reports." },
	{ "reports.mailbox", T_LIST, AT(mailbox), 0, 0, "postmaster, abuse", true,
	  "Mailboxes there besides return paths, for feedback, DMARC and TLS reports; one without "
	  "a "
	  "host is taken at every one of return.hosts." },
	{ "reports.forward", T_STR, AT(forward), 0, 320, "", true,
	  "Address to which mail of people to reports.mailbox is passed on; empty: it is kept "
	  "only." },
	{ "reports.max_size", T_SIZE, AT(max_size), 64 * KB, 30 * MB, "10M", true,
	  "Largest mail that is taken back." },
	{ "reports.max_rcpts", T_INT, AT(max_rcpts), 1, 100, "50", true,
	  "Most recipients of a mail that comes back." },
	{ "reports.max_sessions", T_INT, AT(max_sessions), 1, 100000, "500", true,
	  "Most connections at a time." },
	{ "reports.max_sessions_client", T_INT, AT(max_sessions_client), 1, 100000, "50", true,
	  "Most connections at a time from one address." },
	{ "reports.timeout", T_DURATION, AT(timeout), SEC, 3600 * SEC, "5m", true,
	  "How long a client may take for a command." },
	{ "reports.reader_timeout", T_DURATION, AT(reader_timeout), SEC, 600 * SEC, "20s", true,
	  "How long the process that reads such mail may take for one; then it is killed." },
	{ "reports.rate", T_RATE, AT(rate), 0, most_a_day, "600/m", true,
	  "Mails from one address per time; 0/s: no limit." },
};

static int add_listener(void *options, struct slice e)
{
	return listener_list_add(&((struct reports_options *)options)->listeners, e, 0);
}

static int add_mailbox(void *options, struct slice e)
{
	struct reports_options *o = options;
	struct mailbox box;
	char whole[320];
	bool host = memchr(e.p, '@', e.n) != NULL;

	if (o->n_mailboxes == MAILBOXES_MAX || e.n > 300)
		return E_SYNTAX;
	memcpy(whole, e.p, e.n);
	memcpy(whole + e.n, "@x.test", 7);
	if (mailbox_parse(host ? e : slice_of(whole, e.n + 7), 0, &box) < 0)
		return E_SYNTAX;
	o->mailboxes[o->n_mailboxes++] = e;
	return 0;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct reports_options *o = options;
	struct mailbox box;
	int r = option_entries(f, "listen.reports", o->listen,
			       "an address and port such as 0.0.0.0:25 (the list may have 16)",
			       add_listener, o);

	if (r == 0)
		r = option_entries(f, "reports.mailbox", o->mailbox,
				   "a mailbox such as abuse or dmarc@example.com (the list may "
				   "have 64)",
				   add_mailbox, o);
	if (r == 0 && *o->forward && mailbox_parse(slice_str(o->forward), 0, &box) < 0)
		r = option_bad(f, "reports.forward", slice_str(o->forward),
			       "an address such as ops@example.com");
	o->rules = replies_path(all);
	return r;
}

const struct option_set reports_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct reports_options),
	.derive = derive,
};

bool reports_is_mailbox(const struct reports_options *o, struct slice local, struct slice address)
{
	for (unsigned i = 0; i < o->n_mailboxes; i++) {
		struct slice m = o->mailboxes[i];
		if (slice_eq_nocase(m, memchr(m.p, '@', m.n) ? address : local))
			return true;
	}
	return false;
}
