/* control/reports/codes.h - numbers that columns hold; in .sql files they are :NAME. */
#pragma once

/* dmarc_rows.whose */
enum report_whose {
	WHOSE_OURS = 1,      /* from an address that we send from */
	WHOSE_FORWARDED = 2, /* from another, with a signature of ours that is good */
	WHOSE_STRANGER = 3,
};
/* Places in the list of texts that a report goes to the database with. */
enum report_text {
	TEXT_ORG = 1,
	TEXT_EMAIL = 2,
	TEXT_ID = 3,
	TEXT_DOMAIN = 4,
	TEXT_POLICY = 5,
	TEXT_IP = 6,
};
/* A reporter's day begins when it likes. */
enum { REPORT_SLACK_DAYS = 1 };
/* Most reports about one domain that are kept in a day: anybody can send one. */
enum { REPORTS_A_DAY = 1000 };
