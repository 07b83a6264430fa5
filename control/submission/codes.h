/* control/submission/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* smtp_routes.tls */
enum smtp_tls { SMTP_TLS_VERIFY = 1, SMTP_TLS_ENCRYPT = 2, SMTP_TLS_MAY = 3, SMTP_TLS_NEVER = 4 };
/* smtp_routes.auth */
enum smtp_auth {
	SMTP_AUTH_NONE = 1,
	SMTP_AUTH_PASSWORD = 2,
	SMTP_AUTH_PLAIN = 3,
	SMTP_AUTH_LOGIN = 4,
	SMTP_AUTH_XOAUTH2 = 5,
};
