/* base/clock.c - a time as text, for logs and for headers. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static void split(int64_t wall_ms, struct tm *tm, int *ms)
{
	int64_t part = ((wall_ms % 1000) + 1000) % 1000;
	time_t s = (time_t)((wall_ms - part) / 1000);

	if (!gmtime_r(&s, tm))
		*tm = (struct tm){ .tm_mday = 1, .tm_year = 70 };
	*ms = (int)part;
}

char *clock_rfc3339(int64_t wall_ms, char *buf)
{
	struct tm tm;
	int ms;

	split(wall_ms, &tm, &ms);
	(void)snprintf(buf, RFC3339_MAX, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
		       (tm.tm_year + 1900) % 10000, (tm.tm_mon + 1) % 100, tm.tm_mday % 100,
		       tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100, ms);
	return buf;
}

char *clock_rfc5322(int64_t wall_ms, char *buf)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	int ms;

	split(wall_ms, &tm, &ms);
	(void)snprintf(buf, RFC5322_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d +0000",
		       days[tm.tm_wday % 7], tm.tm_mday % 100, months[tm.tm_mon % 12],
		       (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100,
		       tm.tm_sec % 100);
	return buf;
}
