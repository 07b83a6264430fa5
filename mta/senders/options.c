/* mta/senders/options.c - rows of the options, and what they and the file make known. */
#include "mta/senders/options.h"

#include <stdio.h>

#include "base/file.h"
#include "mta/config/entries.h"
#include "mta/senders/address.h"

#define AT(member) offsetof(struct senders_options, member)

/* clang-format off: a table */
static const struct option rows[] = {
	{ "submission.senders", T_LIST, AT(senders), 0, 0, "", true,
	  "Domains that may send, beside those that the control plane names: a domain, then, if "
	  "wanted, the number of its tenant and an egress pool, as in \"shop.example 7 fast\"." },
	{ "submission.check_senders", T_STR, AT(check_text), 0, 8, "auto", true,
	  "Whether the domains of MAIL FROM and From must be such domains: always, never, or auto, "
	  "which is always once submission.senders or the control plane names any." },
	{ "submission.suppressions", T_STR, AT(suppressions), 0, 1024, "", true,
	  "File of addresses that no mail may go to, one a line; \"bulk\" behind one still lets "
	  "transactional mail through; empty: none." },
};
/* clang-format on */

struct sender_entry {
	char domain[MAILBOX_MAX + 2];
	struct wire_fact fact;
};

/* domain [ tenant [ pool ] ] */
static int entry_parse(struct slice e, struct sender_entry *ret)
{
	struct slice name = entries_word(&e), tenant = entries_word(&e), pool = entries_word(&e);

	ret->fact = (struct wire_fact){ .kind = WIRE_FACT_SENDER, .pool = pool };
	if (entries_word(&e).n || pool.n > KNOWN_POOL_MAX)
		return E_SYNTAX;
	if (tenant.n && slice_u64(tenant, INT64_MAX, &ret->fact.tenant) < 0)
		return E_SYNTAX;
	if (mailbox_domain_parse(name, MAILBOX_IDN, ret->domain, &ret->fact.domain) < 0)
		return E_SYNTAX;
	return 0;
}

static int check_entry(void *options, struct slice e)
{
	struct sender_entry entry;

	(void)options;
	return entry_parse(e, &entry);
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	static const char *const words[] = { "auto", "always", "never" };
	struct senders_options *o = options;
	unsigned i = 0;

	(void)all;
	while (i < ARRAY_LEN(words) && strcmp(words[i], o->check_text) != 0)
		i++;
	if (i == ARRAY_LEN(words))
		return option_bad(f, "submission.check_senders", slice_str(o->check_text),
				  "auto, always or never");
	o->check = (enum senders_check)i;
	return option_entries(f, "submission.senders", o->senders,
			      "a domain, perhaps with a tenant's number and a pool", check_entry,
			      o);
}

const struct option_set senders_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct senders_options),
	.derive = derive,
};

/* ---- what they make known ---------------------------------------------------------------- */

static int take_fact(struct known *k, const struct wire_fact *f, struct buf *room)
{
	int r;

	buf_clear(room);
	r = wire_fact_put(room, f);
	if (r == 0)
		r = known_prepare(k, buf_data(room));
	if (r == 0)
		known_take(k, buf_data(room));
	return r;
}

static int take_entries(struct known *k, const char *list, struct buf *room)
{
	struct sender_entry entry;
	struct slice e;
	size_t pos = 0;
	int r = 0;

	while (r == 0 && option_list_next(list, &pos, &e)) {
		r = entry_parse(e, &entry);
		if (r == 0)
			r = take_fact(k, &entry.fact, room);
	}
	return r;
}

/* address [ "all" / "bulk" ] [ "#" comment ] */
static int take_line(struct known *k, struct slice line, struct buf *room)
{
	struct wire_fact f = { .kind = WIRE_FACT_STOPS_ALL };
	struct slice address, word;

	line = slice_trim_set(line, " \t\r");
	address = entries_word(&line);
	word = entries_word(&line);
	if (!address.n || address.p[0] == '#')
		return 0;
	if (slice_eq_nocase(word, SLICE("bulk")))
		f.kind = WIRE_FACT_STOPS_BULK;
	else if (word.n && word.p[0] != '#' && !slice_eq_nocase(word, SLICE("all")))
		return E_SYNTAX;
	if (senders_address_hash(address, f.hash) < 0)
		return E_SYNTAX;
	return take_fact(k, &f, room);
}

static int take_file(struct known *k, const char *path, struct buf *room, char *error)
{
	struct buf text = { 0 };
	struct slice rest, line;
	unsigned long number = 0;
	int r = file_read(path, SENDERS_FILE_MAX, &text);

	rest = buf_data(&text);
	while (r >= 0 && rest.n) {
		number++;
		line = slice_take(&rest, '\n');
		r = take_line(k, line, room);
	}
	if (r < 0 && number)
		(void)snprintf(error, OPTION_ERROR_MAX,
			       "%s:%lu: expected an address, then perhaps \"all\" or \"bulk\" (%s)",
			       path, number, err_text(r));
	else if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	buf_free(&text);
	return r < 0 ? r : 0;
}

int senders_local(const struct senders_options *o, struct known **ret, char *error)
{
	OWNED(known) k = known_new();
	struct buf room = { 0 };
	int r = take_entries(k, o->senders, &room);

	*error = '\0';
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "submission.senders: %s", err_text(r));
	else if (*o->suppressions)
		r = take_file(k, o->suppressions, &room, error);
	buf_free(&room);
	if (r == 0)
		*ret = TAKE(k);
	return r;
}
