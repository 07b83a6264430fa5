/* mta/smtp/options.c - rows of the options of client sessions. */
#include "mta/smtp/options.h"

#include "mta/smtp/ehlo.h"

#define AT(member) offsetof(struct smtp_options, member)
#define T(member) AT(timeouts.member)
enum { HOUR = 3600 * 1000 };

static const struct option rows[] = {
	{ "smtp.port", T_INT, AT(port), 1, 65535, "25", true,
	  "Port of the hosts that mail is delivered to." },
	{ "smtp.tls", T_STR, AT(tls), 0, 16, "opportunistic", true,
	  "How mail travels: never, may, encrypt, verify, dane, dane-only, mta-sts or "
	  "opportunistic (DANE, else MTA-STS, else may)." },
	{ "tls.ca_file", T_STR, AT(ca_file), 0, 4096, "", false,
	  "File of the authorities (PEM) that are trusted to name mail hosts; empty: the "
	  "system's." },
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
	struct smtp_options *o = options;

	(void)all;
	if (tls_word_parse(slice_str(o->tls), &o->policy, &o->old_word) < 0)
		return option_bad(f, "smtp.tls", slice_str(o->tls),
				  "never, may, encrypt, verify, dane, dane-only, mta-sts or "
				  "opportunistic");
	return option_entries(f, "smtp.ignore_keywords", o->ignore_list,
			      "an EHLO keyword such as PIPELINING", read_keyword, o);
}

void smtp_options_check(const struct smtp_options *o, void (*warn)(void *arg, const char *text),
			void *arg)
{
	if (o->old_word)
		warn(arg, "smtp.tls: \"must\" is now called \"encrypt\" and means the same; "
			  "\"verify\" also checks the host's certificate");
}

const struct option_set smtp_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct smtp_options),
	.derive = derive,
};
