/* control/federation/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* identity_providers.kind */
enum federation_kind_code {
	FEDERATION_OIDC = 1,
	FEDERATION_SAML = 2,
};
/* identity_providers.status */
enum federation_status {
	PROVIDER_ACTIVE = 1,
	PROVIDER_DISABLED = 2,
};
/* federation_journeys.stage */
enum federation_stage {
	JOURNEY_AWAY = 1, /* the browser was sent to the provider */
	JOURNEY_BACK = 2, /* it came back; what it brought is being looked at */
	JOURNEY_MET = 3,  /* the provider vouched for somebody; a token waits to be exchanged */
};
