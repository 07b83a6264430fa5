/* control/submission/route_body.h - what a body says of an organisation's smart host.
 * Owns:   slices show into the body or the row; the caller frees domain_text.
 * Fails:  as http_body_read(); route_body_check() answers 422. */
#pragma once
#include "control/http/body.h"
#include "control/submission/codes.h"
#include "control/submission/token_grant.h"
#include "message/mailbox.h"

enum { SMTP_PORT_SUBMISSION = 587, SMTP_PORT_SUBMISSIONS = 465 };

/* Rows of the table that callers ask about. */
enum route_member {
	ROUTE_NAME,
	ROUTE_HOST,
	ROUTE_PORT,
	ROUTE_TLS,
	ROUTE_TLS_FIRST,
	ROUTE_AUTH,
	ROUTE_USERNAME,
	ROUTE_SECRET,
	ROUTE_DOMAINS,
	ROUTE_TOKEN_URL,
	ROUTE_CLIENT_ID,
	ROUTE_CLIENT_SECRET,
	ROUTE_SCOPE,
	ROUTE_REFRESH_TOKEN,
	ROUTE_MEMBERS
};
struct route_body {
	struct slice name, host, tls_word, auth_word, username, secret;
	int64_t port;
	bool tls_first;
	json_t *domains;
	struct token_grant grant; /* with its url, auth is xoauth2 and secret is empty */
	/* From here on filled in by route_body_check(). */
	int tls, auth;          /* enum smtp_tls, enum smtp_auth */
	struct buf domain_text; /* of the list; empty: there is none */
	char host_text[MAILBOX_MAX + 2];
};
int route_body_read(struct call *c, bool whole, struct route_body *b,
		    struct body_seen *ret_seen) MUST_CHECK;
/* had_secret: one is sealed that may stay. */
int route_body_check(struct call *c, struct route_body *b, bool had_secret) MUST_CHECK;
const char *route_body_tls_name(int64_t code);
const char *route_body_auth_name(int64_t code);
