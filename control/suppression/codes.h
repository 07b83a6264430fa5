/* control/suppression/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* suppressions.reason */
enum suppress_reason {
	SUPPRESS_MANUAL = 1,
	SUPPRESS_UNSUBSCRIBED = 2,
	SUPPRESS_BOUNCE = 3,
	SUPPRESS_COMPLAINT = 4,
	SUPPRESS_IMPORT = 5,
};
