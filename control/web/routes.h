/* control/web/routes.h - pages of the service itself: the viewer of the API's document at /docs.
 * Nothing there comes from another host, and no script or style stands in a page. */
#pragma once
#include "control/http/route.h"

extern const struct http_route web_routes[];
extern const size_t web_routes_n;
