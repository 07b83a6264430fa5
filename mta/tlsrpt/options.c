/* mta/tlsrpt/options.c - rows of the options of TLS reports. */
#include "message/mailbox.h"
#include "mta/tlsrpt/tlsrpt.h"

#define AT(member) offsetof(struct tlsrpt_options, member)

static const struct option rows[] = {
	{ "tlsrpt.from", T_STR, AT(from), 0, 254, "", true,
	  "Address that sends reports about TLS to domains that want them (RFC 8460); its domain "
	  "signs them. Empty: there are none." },
	{ "tlsrpt.organisation", T_STR, AT(organisation), 0, 200, "", true,
	  "Who reports; empty: the domain of tlsrpt.from." },
	{ "tlsrpt.contact", T_STR, AT(contact), 0, 254, "", true,
	  "Address in the reports for questions about them; empty: tlsrpt.from." },
};

static int check_address(const char *option, const char *address, struct option_fault *f)
{
	struct mailbox box;

	if (!*address || mailbox_parse(slice_str(address), MAILBOX_FQDN, &box) == 0)
		return 0;
	return option_bad(f, option, slice_str(address), "an address such as tls@example.com");
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct tlsrpt_options *o = options;
	int r = check_address("tlsrpt.from", o->from, f);

	(void)all;
	if (r == 0)
		r = check_address("tlsrpt.contact", o->contact, f);
	o->on = *o->from != '\0';
	o->domain = o->on && r == 0 ? strrchr(o->from, '@') + 1 : "";
	o->who = *o->organisation ? o->organisation : o->domain;
	o->whom_to_ask = *o->contact ? o->contact : o->from;
	return r;
}

const struct option_set tlsrpt_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct tlsrpt_options),
	.derive = derive,
};
