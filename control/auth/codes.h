/* control/auth/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* users.role */
enum role {
	ROLE_ADMIN = 1,
	ROLE_MANAGER = 2,
	ROLE_EDITOR = 3,
	ROLE_ANALYST = 4,
	ROLE_VIEWER = 5,
	ROLE_SENDER = 6,
	ROLE_END,
	ROLE_OWN = 100, /* one that the organisation made: users.role_name */
};
/* users.status */
enum user_status {
	USER_ACTIVE = 1,
	USER_INVITED = 2,
	USER_UNVERIFIED = 3,
	USER_DISABLED = 4,
};
/* api_keys.warned: of its end, by mail */
enum key_warned {
	KEY_WARNED_NOT = 0,
	KEY_WARNED_EARLY = 1, /* a week before */
	KEY_WARNED_LATE = 2,  /* a day before */
};
/* auth_tokens.kind */
enum auth_token_kind {
	TOKEN_VERIFY = 1,
	TOKEN_RESET = 2,
	TOKEN_INVITE = 3,
	TOKEN_ADDRESS = 4,
	TOKEN_CHALLENGE = 5,   /* a login that waits for its second factor */
	TOKEN_MAIL_FACTOR = 6, /* codes by mail are being set up */
};
