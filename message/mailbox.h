/* message/mailbox.h - mail addresses: which may stand in MAIL and RCPT and in a From header, and
 * under which name an address is suppressed.
 *
 *	Mailbox        = Local-part "@" ( Domain / address-literal )          RFC 5321 section 4.1.2
 *	Local-part     = Dot-string / Quoted-string                           at most 64 bytes
 *	Domain         = sub-domain *("." sub-domain)                         at most 253 bytes
 *
 * Guarantee: an accepted address holds no CR, LF, NUL, other control, "<", ">" or space, and no
 * 8-bit byte unless MAILBOX_UTF8 was given: it can be written into a command or a header as it is.
 * (MAILBOX_QUOTED_ANY accepts spaces and angle brackets in a quoted string; it is only for places
 * that quote again, or that read a path as RFC 5321 has it.)
 *
 * Names:  mailbox_, address_
 * Owns:   nothing; a struct mailbox holds its own bytes and may be copied.
 * Blocks: never.
 * Fails:  E_SYNTAX for text that is not an address, E_LIMIT for a part that is too long.
 * Limits: 254 bytes in all (RFC 5321 section 4.5.3.1.3).  Comments and source routes are refused.
 *         IDNA 2008 with the TR46 mapping, by libidn2. */
#pragma once
#include "base/buf.h"

enum {
	MAILBOX_MAX = 254,
	MAILBOX_LOCAL_MAX = 64,
	MAILBOX_DOMAIN_MAX = 253,
	MAILBOX_NAME_MAX = 256,
};
enum mailbox_flags {
	MAILBOX_UTF8 = 1,       /* UTF-8 in the local part (RFC 6531); implies MAILBOX_IDN */
	MAILBOX_IDN = 2,        /* UTF-8 in the domain, turned into A-labels */
	MAILBOX_LITERAL = 4,    /* [192.0.2.1], [IPv6:2001:db8::1] */
	MAILBOX_QUOTED_ANY = 8, /* space, "<", ">" inside a quoted string */
	MAILBOX_FQDN = 16,      /* at least two labels, the last not all digits */
};
/* What an application may give as the recipient of a campaign. */
#define MAILBOX_CONTACT (MAILBOX_IDN | MAILBOX_FQDN)

struct mailbox {
	uint16_t n;       /* bytes of text */
	uint16_t local_n; /* of them the local part, quotes included; then "@" and the domain */
	bool utf8;        /* the local part needs SMTPUTF8 */
	bool literal;
	char text[MAILBOX_MAX + 2]; /* as given, the domain in A-labels; NUL-terminated */
};

static inline struct slice mailbox_text(const struct mailbox *m)
{
	return slice_of(m->text, m->n);
}
static inline struct slice mailbox_local(const struct mailbox *m)
{
	return slice_of(m->text, m->local_n);
}
static inline struct slice mailbox_domain(const struct mailbox *m) /* lower case */
{
	return slice_of(m->text + m->local_n + 1, (size_t)(m->n - m->local_n - 1));
}

/* The text after the last "@" of any address; empty when there is none. */
struct slice address_domain(struct slice address);

int mailbox_parse(struct slice s, unsigned flags, struct mailbox *ret) MUST_CHECK;
/* The form by which addresses are suppressed and contacts compared: domain and local part in lower
 * case (ASCII), without needless quotes.  buf holds MAILBOX_MAX + 2 bytes. */
struct slice mailbox_normal(const struct mailbox *m, char *buf);
/* A domain alone: in lower case, IDN as A-labels.  buf holds MAILBOX_MAX + 2 bytes. */
int mailbox_domain_parse(struct slice s, unsigned flags, char *buf, struct slice *ret) MUST_CHECK;

/* A display name and an address: From, Reply-To.
 *	"Anna Example <a@b.example>", "\"Doe, J.\" <a@b.example>", "<a@b.example>", "a@b.example"
 * The name is UTF-8, without quotes and escapes; controls are refused. */
struct mailbox_named {
	struct mailbox box;
	uint16_t name_n;
	char name[MAILBOX_NAME_MAX + 1];
};
int mailbox_named_parse(struct slice s, unsigned flags, struct mailbox_named *ret) MUST_CHECK;
/* Appends it in the form for a header: the phrase quoted or as encoded-words (RFC 2047), folded.
 * The line already holds col bytes ("From: " is 6). */
int mailbox_named_put(const struct mailbox_named *m, unsigned col, struct buf *out) MUST_CHECK;
/* The next address of an address-list in a message; *pos starts at 0.  1, 0 at the end, E_SYNTAX.
 * (RFC 5322 section 3.4: comments, quoted phrases, folding, groups.)  mailbox_first() gives the
 * first one, and E_SYNTAX when there is none: a submission is signed for its domain. */
int mailbox_next(struct slice header_value, size_t *pos, unsigned flags,
		 struct mailbox *ret) MUST_CHECK;
int mailbox_first(struct slice header_value, unsigned flags, struct mailbox *ret) MUST_CHECK;
