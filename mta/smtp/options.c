/* mta/smtp/options.c - rows of the options of client sessions. */
#include "mta/smtp/options.h"

#include "mta/smtp/ehlo.h"

#define AT(member) offsetof(struct smtp_options, member)
#define T(member) AT(timeouts.member)
enum { HOUR = 3600 * 1000 };

static const struct option rows[] = {
	{ "smtp.port", T_INT, AT(port), 1, 65535, "25", true,
	  "Port of the hosts that mail is delivered to." },
	{ "smtp.tls", T_STR, AT(tls), 0, 8, "may", true,
	  "Use of TLS: never, may (when the host offers STARTTLS) or must." },
	{ "smtp.ignore_keywords", T_LIST, AT(ignore_list), 0, 0, "", true,
	  "EHLO keywords of any host that are not made use of: PIPELINING, SIZE, 8BITMIME, "
	  "STARTTLS, SMTPUTF8, CHUNKING." },
	{ "smtp.timeout.connect", T_DURATION, T(connect), 100, HOUR, "1m", true,
	  "Longest wait for a connection." },
	{ "smtp.timeout.greeting", T_DURATION, T(greeting), 100, HOUR, "5m", true,
	  "Longest wait for the greeting (RFC 5321 section 4.5.3.2.1)." },
	{ "smtp.timeout.ehlo", T_DURATION, T(ehlo), 100, HOUR, "5m", true,
	  "Longest wait for the reply to EHLO." },
	{ "smtp.timeout.starttls", T_DURATION, T(starttls), 100, HOUR, "2m", true,
	  "Longest wait for the reply to STARTTLS, and again for the handshake." },
	{ "smtp.timeout.mail", T_DURATION, T(mail), 100, HOUR, "5m", true,
	  "Longest wait for the reply to MAIL (RFC 5321 section 4.5.3.2.2)." },
	{ "smtp.timeout.rcpt", T_DURATION, T(rcpt), 100, HOUR, "5m", true,
	  "Longest wait for the reply to RCPT (section 4.5.3.2.3)." },
	{ "smtp.timeout.data", T_DURATION, T(data), 100, HOUR, "2m", true,
	  "Longest wait for the reply to DATA (section 4.5.3.2.4)." },
	{ "smtp.timeout.block", T_DURATION, T(block), 100, HOUR, "3m", true,
	  "Longest wait until the host takes a block of the message (section 4.5.3.2.5)." },
	{ "smtp.timeout.dot", T_DURATION, T(dot), 100, HOUR, "10m", true,
	  "Longest wait for the reply to the final dot (section 4.5.3.2.6)." },
	{ "smtp.timeout.rset", T_DURATION, T(rset), 100, HOUR, "20s", true,
	  "Longest wait for the reply to RSET." },
	{ "smtp.timeout.quit", T_DURATION, T(quit), 100, HOUR, "2s", true,
	  "Longest wait for the reply to QUIT." },
};

static int read_keyword(void *options, struct slice s)
{
	unsigned bit = ehlo_keyword(s);

	((struct smtp_options *)options)->ignore |= bit;
	return bit ? 0 : E_SYNTAX;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	static const char *const policies[] = {
		[TLS_NEVER] = "never", [TLS_MAY] = "may", [TLS_MUST] = "must"
	};
	struct smtp_options *o = options;

	(void)all;
	for (unsigned i = 0; i < ARRAY_LEN(policies); i++)
		if (strcmp(o->tls, policies[i]) == 0) {
			o->policy = (enum tls_policy)i;
			return option_entries(f, "smtp.ignore_keywords", o->ignore_list,
					      "an EHLO keyword such as PIPELINING", read_keyword,
					      o);
		}
	return option_bad(f, "smtp.tls", slice_str(o->tls), "never, may or must");
}

const struct option_set smtp_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct smtp_options),
	.derive = derive,
};
