/* control/mail/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* platform_mail.kind: what a mail of the platform to a person is about */
enum mail_kind {
	MAIL_SIGNUP = 1,
	MAIL_INVITE = 2,
	MAIL_RESET = 3,
	MAIL_ADDRESS = 4,
	MAIL_ADDRESS_CHANGED = 5,
	MAIL_PASSWORD_CHANGED = 6,
	MAIL_NEW_DEVICE = 7,
	MAIL_SECOND_FACTOR = 8,
	MAIL_FACTOR_CHANGED = 9,
	MAIL_KEY_ENDS = 10,
	MAIL_GUESSING = 11,
	MAIL_KINDS
};
