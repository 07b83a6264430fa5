/* schema/wire/status.c - the text of an enhanced status. */
#include "schema/wire/status.h"

#include <stdio.h>

const char *status_format(struct status s, char *buf)
{
	*buf = '\0';
	if (status_given(s))
		(void)snprintf(buf, STATUS_TEXT_MAX, "%u.%u.%u", s.class, s.subject, s.detail);
	return buf;
}
