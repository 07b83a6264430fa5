/* control/auth/device.c - words of user agents, the most telling first. */
#include "control/auth/device.h"

#include <stdio.h>

struct device_word {
	const char *word, *name;
};

/* Browsers name those that they are like: so the rarer stands before what it claims to be. */
static const struct device_word programs[] = {
	{ "Edg", "Edge" },
	{ "OPR/", "Opera" },
	{ "SamsungBrowser/", "Samsung Internet" },
	{ "Vivaldi/", "Vivaldi" },
	{ "YaBrowser/", "Yandex Browser" },
	{ "HeadlessChrome/", "Chrome without a window" },
	{ "FxiOS/", "Firefox" },
	{ "CriOS/", "Chrome" },
	{ "Firefox/", "Firefox" },
	{ "Chromium/", "Chromium" },
	{ "Chrome/", "Chrome" },
	{ "Trident/", "Internet Explorer" },
	{ "Safari/", "Safari" },
	{ "curl/", "curl" },
	{ "Wget/", "Wget" },
	{ "python-requests/", "a Python program" },
	{ "Python-urllib/", "a Python program" },
	{ "okhttp/", "an app" },
	{ "Dart/", "an app" },
	{ "Go-http-client/", "a Go program" },
	{ "Java/", "a Java program" },
	{ "Lynx", "Lynx" },
	{ "w3m/", "w3m" },
};
static const struct device_word systems[] = {
	{ "iPhone", "an iPhone" }, { "iPad", "an iPad" },    { "Android", "Android" },
	{ "CrOS", "ChromeOS" },    { "Windows", "Windows" }, { "Macintosh", "macOS" },
	{ "FreeBSD", "FreeBSD" },  { "OpenBSD", "OpenBSD" }, { "Linux", "Linux" },
	{ "X11", "Unix" },
};

static bool holds(struct slice text, const char *word)
{
	size_t n = strlen(word);

	return text.n >= n && memmem(text.p, text.n, word, n) != NULL;
}

static const char *first_of(struct slice agent, const struct device_word *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (holds(agent, words[i].word))
			return words[i].name;
	return NULL;
}

char *device_text(struct slice agent, char buf[DEVICE_TEXT_MAX])
{
	const char *program, *system;

	agent.n = MIN_OF(agent.n, (size_t)DEVICE_LOOK_MAX);
	program = first_of(agent, programs, ARRAY_LEN(programs));
	system = first_of(agent, systems, ARRAY_LEN(systems));
	if (program && system)
		(void)snprintf(buf, DEVICE_TEXT_MAX, "%s on %s", program, system);
	else
		(void)snprintf(buf, DEVICE_TEXT_MAX, "%s",
			       program  ? program
			       : system ? system
					: "an unknown program");
	return buf;
}
