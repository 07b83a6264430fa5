/* control/org/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* orgs.status */
enum org_status {
	ORG_ACTIVE = 1,
	ORG_SUSPENDED = 2,
};
