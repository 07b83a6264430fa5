/* message/refusal.c - statuses, and words of mail hosts, that say a mailbox is not there. */
#include "message/refusal.h"

#include <string.h>

enum { TEXT_MAX = 1024, WORDS_MAX = 2 * TEXT_MAX + 2 };

/* Statuses that are enough, unless the text says otherwise. */
static const char *const gone_statuses[] = {
	"5.1.1", "5.1.2", "5.1.6", "5.1.10", "5.2.1",
};
/* Of those, what we may have found out ourselves: no such domain; it accepts no mail. */
static const char *const own_statuses[] = { "5.1.2", "5.1.10" };
/* Statuses that tell nothing, so that the text counts; the others mean something else. */
static const char *const vague_statuses[] = {
	"",      "5.0.0", "5.1.0", "5.1.3", "5.1.4", "5.1.5", "5.1.351",
	"5.2.0", "5.4.1", "5.4.4", "5.5.0", "5.5.1", "5.7.0", "5.7.1",
};

/* Words are separated by single spaces, in lower case; a phrase matches where a word begins. */
static const char *const gone_phrases[] = {
	"user unknown",
	"unknown user",
	"user is unknown",
	"user not known",
	"user not found",
	"user does not exist",
	"user doesn't exist",
	"user doesn't have a",
	"user does not have a",
	"user not exist",
	"user not listed",
	"unknown recipient",
	"recipient unknown",
	"recipient not found",
	"recipient does not exist",
	"recipient doesn't exist",
	"recipient no longer",
	"recipnotfound",
	"recipientnotfound",
	"nosuchuser",
	"no such user",
	"no such recipient",
	"no such mailbox",
	"no such address",
	"no such account",
	"no such person",
	"no such local user",
	"no such email",
	"no such domain",
	"no user",
	"no mailbox",
	"no account",
	"unknown mailbox",
	"mailbox unknown",
	"mailbox not found",
	"mailbox does not exist",
	"mailbox doesn't exist",
	"mailbox unavailable",
	"mailbox not available",
	"mailbox no longer",
	"mailbox is not available",
	"unknown account",
	"account unknown",
	"account not found",
	"account does not exist",
	"account doesn't exist",
	"account that you tried to reach does not exist",
	"account no longer",
	"unknown address",
	"address unknown",
	"address not found",
	"address does not exist",
	"address doesn't exist",
	"address no longer",
	"address couldn't be found",
	"unknown local part",
	"unknown local user",
	"unrouteable address",
	"unroutable address",
	"invalid recipient",
	"recipient invalid",
	"recipient is invalid",
	"invalid mailbox",
	"invalid user",
	"invalid final delivery userid",
	"not a valid mailbox",
	"not a valid user",
	"not a valid recipient",
	"not a known user",
	"not our user",
	"not our customer",
	"not listed in",
	"no longer on server",
	"no longer exists",
	"does not exist",
	"doesn't exist",
	"host unknown",
	"unknown host",
	"host not found",
	"unknown domain",
	"domain not found",
	"domain unknown",
	"destinataire invalide",
	"destinataire inconnu",
	"utilisateur inconnu",
	"adresse inconnue",
	"unbekannter empf",
	"unbekannter benutzer",
	"empf\xc3\xa4nger unbekannt",
	"benutzer unbekannt",
	"existiert nicht",
	"usuario desconocido",
	"no existe",
	"utente sconosciuto",
	"non esiste",
	"onbekende gebruiker",
	"bestaat niet",
	"usuario inexistente",
};
static const char *const other_phrases[] = {
	/* room */
	"full",
	"quota",
	"overquota",
	"exceed",
	"too large",
	"too big",
	"too long",
	"size limit",
	"message size",
	"storage",
	"disk",
	"insufficient",
	"voll",
	"pleine",
	"llen",
	/* content */
	"spam",
	"antispam",
	"junk",
	"ube",
	"unsolicited",
	"unwanted",
	"virus",
	"malware",
	"phish",
	"content",
	"filter",
	"header",
	"attachment",
	"8 bit",
	"url in",
	/* us */
	"black",
	"block",
	"blok",
	"dnsbl",
	"rbl",
	"reputation",
	"banned",
	"abuse",
	"bad host",
	"client host",
	"your host",
	"your ip",
	"ip address",
	"ip addr",
	"ip lookup",
	"your network",
	"host network",
	"adresse ip",
	"complain",
	"listed at",
	"listed by",
	"listed on",
	/* sender and proofs */
	"sender",
	"from address",
	"mail from",
	"from domain",
	"return path",
	"envelope from",
	"authenti",
	"unauthenti",
	"dmarc",
	"spf",
	"dkim",
	"reverse dns",
	"rdns",
	"ptr",
	"helo",
	"ehlo",
	"tls",
	"encrypt",
	"relay",
	"not verified",
	/* policy */
	"polic",
	"prohibit",
	"restrict",
	"permission",
	"permitted",
	"not allowed",
	"not authori",
	"unauthori",
	"forbidden",
	"not accepted for",
	"security",
	"outside",
	"closed group",
	"only accepts",
	"members",
	/* for now */
	"temporar",
	"again later",
	"try later",
	"later",
	"locked",
	"frozen",
	"greylist",
	"graylist",
	"grey list",
	"on hold",
	"suspend",
	"rate",
	"frequency",
	"throttl",
	"too many",
	"timeout",
	"timed out",
	"retry",
	"unable to verify",
	"cannot verify",
	"could not be verified",
	"lookup fail",
	"overload",
	"busy",
};

/* Exchange Online's words for an unknown recipient; without this status they are anybody's. */
static const char edge_status[] = "5.4.1";
static const char edge_phrase[] = " recipient address rejected access denied";

static bool among(struct slice word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq(word, slice_str(words[i])))
			return true;
	return false;
}

static bool has_phrase(const char *text, const char *const *phrases, size_t n)
{
	char wanted[64];

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(phrases[i]);

		wanted[0] = ' ';
		memcpy(wanted + 1, phrases[i], len + 1);
		if (strstr(text, wanted))
			return true;
	}
	return false;
}

static bool is_space(char c)
{
	return c && strchr(" \t\n\v\f\r<>()[],;:\"", c);
}

/* The next part between blanks and brackets; addresses, which could hold any word, are passed
 * over. */
static bool next_part(struct slice *rest, struct slice *ret)
{
	while (rest->n) {
		size_t n = 0;

		while (rest->n && is_space(rest->p[0]))
			*rest = slice_skip(*rest, 1);
		while (n < rest->n && !is_space(rest->p[n]))
			n++;
		*ret = slice_of(rest->p, n);
		*rest = slice_skip(*rest, n);
		if (n && !memchr(ret->p, '@', n))
			return true;
	}
	return false;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '\'' ||
	       (unsigned char)c > 127;
}

/* " word word word": lower case, single spaces. */
static void read_words(struct slice text, char out[WORDS_MAX])
{
	struct slice part;
	size_t n = 0;

	text.n = MIN_OF(text.n, (size_t)TEXT_MAX);
	while (next_part(&text, &part)) {
		out[n++] = ' ';
		for (size_t i = 0; i < part.n; i++) {
			char c = ascii_lower(part.p[i]);

			if (is_letter(c))
				out[n++] = c;
			else if (out[n - 1] != ' ')
				out[n++] = ' ';
		}
		n -= out[n - 1] == ' ';
	}
	out[n] = '\0';
}

bool refusal_says_gone(unsigned code, struct slice status, struct slice text)
{
	char words[WORDS_MAX];

	if (code == 0)
		return among(status, own_statuses, ARRAY_LEN(own_statuses));
	if (code / 100 != 5)
		return false;
	read_words(text, words);
	if (has_phrase(words, other_phrases, ARRAY_LEN(other_phrases)))
		return false;
	if (among(status, gone_statuses, ARRAY_LEN(gone_statuses)))
		return true;
	if (slice_eq(status, slice_str(edge_status)) && strstr(words, edge_phrase))
		return true;
	return code >= 550 && code != 552 &&
	       among(status, vague_statuses, ARRAY_LEN(vague_statuses)) &&
	       has_phrase(words, gone_phrases, ARRAY_LEN(gone_phrases));
}
