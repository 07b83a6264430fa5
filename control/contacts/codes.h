/* control/contacts/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* contacts.status */
enum contact_status {
	CONTACT_SUBSCRIBED = 1,
	CONTACT_UNSUBSCRIBED = 2,
	CONTACT_BOUNCED = 3,
	CONTACT_COMPLAINED = 4,
};
/* contacts.source */
enum contact_source {
	CONTACT_FROM_API = 1,
	CONTACT_FROM_IMPORT = 2,
	CONTACT_FROM_FORM = 3,
};
/* fields.type */
enum contact_field_type {
	FIELD_TEXT = 1,
	FIELD_NUMBER = 2,
	FIELD_BOOLEAN = 3,
	FIELD_DATE = 4,
};
/* list_members.status */
enum list_member_status {
	MEMBER_SUBSCRIBED = 1,
	MEMBER_UNSUBSCRIBED = 2,
	MEMBER_UNCONFIRMED = 3,
};
/* imports.status */
enum import_status {
	IMPORT_WAITING = 1,
	IMPORT_RUNNING = 2,
	IMPORT_DONE = 3,
	IMPORT_FAILED = 4,
	IMPORT_CANCELLED = 5,
};
/* import_errors.reason */
enum import_problem {
	IMPORT_OK = 0,
	IMPORT_NO_EMAIL = 1,
	IMPORT_BAD_EMAIL = 2,
	IMPORT_BAD_ENCODING = 3,
	IMPORT_TOO_MANY_FIELDS = 4,
	IMPORT_WRONG_TYPE = 5,
	IMPORT_TOO_LONG = 6,
	IMPORT_BAD_STATUS = 7,
	IMPORT_MORE_ADDRESSES = 8,
};
