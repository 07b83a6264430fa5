/* message/compose.h - the message of a campaign: sender, subject, HTML and text templates become
 * one program (message/program.h) with its header, MIME parts and slots.
 *
 *	Date, From, Reply-To, To, Subject, Message-ID, MIME-Version, List-Unsubscribe,
 *	List-Unsubscribe-Post, extra headers, Content-Type; then text, HTML or multipart/alternative
 *
 * Guarantee: program_expand() makes CRLF lines of at most 998 bytes (76 in bodies) from it, 7-bit
 * without NUL, and exactly this header, whatever the values are.  The boundary holds "=_", which
 * quoted-printable cannot yield.  When the unsubscribe URL of a recipient is not an http, https or
 * mailto URL, both List-Unsubscribe fields are left out instead of being sent broken.
 *
 * Blocks: never.
 * Fails:  E_SYNTAX, E_LIMIT, with the reason in *ret_error; out is then unchanged.
 * Limits: a subject past 2,000 bytes is cut. */
#pragma once
#include "message/template.h"

enum compose_where { /* what ret_error is about */
		     COMPOSE_TEMPLATE,
		     COMPOSE_FROM,
		     COMPOSE_REPLY_TO,
		     COMPOSE_HEADER,
};
struct compose_error {
	enum compose_where where;
	unsigned index;                 /* of the extra header */
	struct template_error template; /* its text is set in every case */
};
struct compose_header {
	struct slice name, value; /* value: UTF-8, no template; encoded here when it is not ASCII */
};
struct compose_in {
	struct slice from;     /* "Name <a@b>" or "a@b" */
	struct slice reply_to; /* the same; may be empty */
	struct template_source source;
	struct slice list_unsubscribe; /* URL template, e.g. {{unsubscribe_url}}; may be empty */
	bool one_click;                /* adds List-Unsubscribe-Post (RFC 8058) */
	const struct compose_header *headers;
	unsigned n_headers; /* at most COMPOSE_HEADERS_MAX */
	struct template_env env;
};
enum { COMPOSE_HEADERS_MAX = 64 };

/* Appends the program.  Its fields (program_field_name) are the names that the templates use, in
 * the order of first use; rows carry their values in that order. */
int compose_campaign(const struct compose_in *in, struct buf *program_out,
		     struct compose_error *ret_error) MUST_CHECK;
