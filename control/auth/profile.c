/* control/auth/profile.c - telephone number, time zone, notification choices. */
#include "control/auth/profile.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "control/auth/statements.h"
#include "control/http/api.h"
#include "control/http/problem.h"
#include "control/mail/texts.h"

#define ZONES "/usr/share/zoneinfo/"
enum { DIGITS_LEAST = 6, DIGITS_MOST = 15 };

/* What may be turned off, as it is called in mails' texts. */
static const enum mail_kind choices[] = { MAIL_NEW_DEVICE, MAIL_KEY_ENDS, MAIL_GUESSING };

static bool zone_sign(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '+' || c == '-';
}

/* Words between slashes; no dots, so that no name leads out of the folder. */
static bool zone_form(struct slice name)
{
	bool good = name.n > 0 && name.n <= ZONE_MAX;

	for (size_t i = 0; good && i < name.n; i++)
		good = zone_sign(name.p[i]) ||
		       (name.p[i] == '/' && i > 0 && i + 1 < name.n && name.p[i - 1] != '/');
	return good;
}

bool profile_is_zone(struct slice name)
{
	char path[sizeof(ZONES) + ZONE_MAX], magic[4] = "";
	int fd;

	if (!zone_form(name))
		return false;
	(void)snprintf(path, sizeof(path), ZONES "%.*s", (int)name.n, name.p);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, magic, sizeof(magic)); /* a folder gives EISDIR */
	(void)close(fd);
	return n == sizeof(magic) && !memcmp(magic, "TZif", sizeof(magic));
}

int profile_phone(struct slice text, char ret[PHONE_MAX + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (strchr(" -./()", c) && c)
			continue;
		if (n == PHONE_MAX || !(n == 0 ? c == '+' : c >= (n == 1 ? '1' : '0') && c <= '9'))
			return E_SYNTAX;
		ret[n++] = c;
	}
	ret[n] = '\0';
	return n > DIGITS_LEAST && n <= DIGITS_MOST + 1 ? 0 : E_SYNTAX;
}

static enum mail_kind choice_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++)
		if (!strcmp(name, mail_kind_name(choices[i])))
			return choices[i];
	return 0;
}

void profile_check(struct call *c, const struct profile *p)
{
	char phone[PHONE_MAX + 1];

	if (p->phone.n && profile_phone(p->phone, phone) < 0)
		problem_add(c, "/phone", "invalid_phone",
			    "must be a number with its country, such as +49 30 1234567");
	if (p->time_zone.n && !profile_is_zone(p->time_zone))
		problem_add(c, "/time_zone", "unknown_time_zone",
			    "is no name of the time zone database, such as Europe/Berlin");
}

static void about_phone(struct buf *about, uint32_t org, uint64_t user)
{
	buf_putf(about, "phone %u %llu", (unsigned)org, (unsigned long long)user);
}

static int seal_phone(struct call *c, struct slice text, int *ret_seal, struct buf *sealed)
{
	char phone[PHONE_MAX + 1];
	struct buf about = { 0 };
	int r = text.n ? profile_phone(text, phone) : 0;

	if (r < 0 || !text.n)
		return r;
	about_phone(&about, c->actor.org, c->actor.id);
	r = secrets_seal(c->app->secrets, buf_data(&about), slice_str(phone), ret_seal, sealed);
	buf_free(&about);
	return r;
}

/* Bits to set and to clear. */
static void read_choices(const json_t *wanted, int *off, int *on)
{
	const char *name;
	json_t *value;

	*off = *on = 0;
	json_object_foreach((json_t *)(uintptr_t)wanted, name, value) *
	    (json_is_true(value) ? on : off) |= PROFILE_MAIL_BIT(choice_of(name));
}

int profile_write(struct call *c, const struct profile *p)
{
	struct buf sealed = { 0 };
	int seal_id = 0, off, on, r;

	if (!p->phone.p && !p->time_zone.p && !p->notifications)
		return 0;
	read_choices(p->notifications, &off, &on);
	r = seal_phone(c, p->phone, &seal_id, &sealed);
	if (r >= 0)
		r = db_run(c->db, NULL, sql_auth_profile_more, p_int(c->actor.org),
			   p_int(c->actor.id), p_bool(p->phone.p != NULL),
			   p->phone.n ? p_bytes(buf_data(&sealed)) : p_null(),
			   p->phone.n ? p_int(seal_id) : p_null(), p_opt(p->time_zone), p_int(off),
			   p_int(on));
	buf_free(&sealed);
	return r;
}

json_t *profile_avatar(struct slice address)
{
	return address.n ? json_sprintf("/v1/avatars/%.*s", (int)address.n, address.p)
			 : json_null();
}

enum { MORE_PHONE, MORE_SEAL, MORE_ZONE, MORE_OFF, MORE_AVATAR };

static int open_phone(struct call *c, uint32_t org, uint64_t user, struct db_result *row,
		      json_t *who)
{
	struct buf about = { 0 }, phone = { 0 };
	int r = 0;

	about_phone(&about, org, user);
	if (!db_is_null(row, 0, MORE_PHONE))
		r = secrets_open(c->app->secrets, (int)db_int(row, 0, MORE_SEAL), buf_data(&about),
				 db_bytes(row, 0, MORE_PHONE), &phone);
	if (r >= 0)
		(void)json_object_set_new(who, "phone",
					  api_text(phone.p ? buf_data(&phone) : SLICE("")));
	buf_free(&about);
	buf_free(&phone);
	return r < 0 ? r : 0;
}

int profile_add(struct call *c, uint32_t org, uint64_t user, json_t *who)
{
	json_t *wanted = json_object();
	OWNED(db_result) row = NULL;
	int r = db_run(c->db, &row, sql_auth_profile_read, p_int(org), p_int(user));

	for (size_t i = 0; r > 0 && i < ARRAY_LEN(choices); i++)
		(void)json_object_set_new(
		    wanted, mail_kind_name(choices[i]),
		    json_boolean(!(db_int(row, 0, MORE_OFF) & PROFILE_MAIL_BIT(choices[i]))));
	(void)json_object_set_new(who, "notifications", wanted);
	if (r <= 0)
		return r < 0 ? r : E_UNKNOWN;
	(void)json_object_set_new(who, "time_zone", api_text(db_text(row, 0, MORE_ZONE)));
	(void)json_object_set_new(who, "avatar", profile_avatar(db_text(row, 0, MORE_AVATAR)));
	return open_phone(c, org, user, row, who);
}
