/* control/federation/sp.h - SAML 2.0 as service provider: the kind, and our addresses.
 *
 *	{"metadata": "<EntityDescriptor ...", "email_verified": true}
 *		as it is given, or as it is kept:
 *	{"entity_id": ..., "sso_url": ..., "certificates": [DER in base64, ...],
 *	 "email_verified": ...}
 *
 * Metadata is read by the verifying process (control/saml) and kept in the second form.
 *
 *	start    the browser goes to the provider with a request (HTTP-Redirect), whose id follows
 *	         from the journey's secret
 *	acs      it comes back with a response in a form (HTTP-POST), which must answer that request
 *
 * Guarantee: a response is taken once, in the journey that it answers, for the provider of that
 *            journey; an assertion is taken once by all processes together.
 * Guarantee: what nobody asked for (IdP-initiated sign-in) lets nobody in. */
#pragma once
#include "control/federation/journey.h"
#include "control/federation/kind.h"

extern const struct federation_kind sp_kind;

enum { SP_URL_MAX = 400, SP_REQUEST_MAX = 48 };
/* Our name for this provider, which is also where our metadata is.  "" without api.url. */
const char *sp_entity_id(const struct app *app, uint32_t org, uint64_t provider, char *buf);
const char *sp_acs_url(const struct app *app, char *buf);
/* The id of the request of a journey. */
const char *sp_request_id(const struct app *app, const struct journey *j, char *buf);
