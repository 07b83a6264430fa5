/* control/auth/device: what people read for the user agents of their browsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the headers above */
#include <cmocka.h>

#include "control/auth/device.h"

#define WEBKIT "AppleWebKit/537.36 (KHTML, like Gecko) "
#define CHROME WEBKIT "Chrome/126.0.0.0 Safari/537.36"

static const struct {
	const char *agent, *text;
} known[] = {
	{ "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
	  "Firefox on Linux" },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " CHROME, "Chrome on Windows" },
	{ "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " CHROME " Edg/126.0.0.0", "Edge on Windows" },
	{ "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
	  "Gecko) Version/17.5 Safari/605.1.15",
	  "Safari on macOS" },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	  "like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
	  "Safari on an iPhone" },
	{ "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	  "like Gecko) FxiOS/127.0 Mobile/15E148 Safari/605.1.15",
	  "Firefox on an iPhone" },
	{ "Mozilla/5.0 (Linux; Android 10; K) " CHROME, "Chrome on Android" },
	{ "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " CHROME, "Chrome on ChromeOS" },
	{ "curl/7.88.1", "curl" },
	{ "Mozilla/5.0 (X11; FreeBSD amd64)", "FreeBSD" },
	{ "", "an unknown program" },
	{ "<script>alert(1)</script>", "an unknown program" },
};

static void devices_are_called_as_people_call_them(void **state)
{
	char buf[DEVICE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_string_equal(device_text(slice_str(known[i].agent), buf), known[i].text);
}

static void what_comes_late_is_not_looked_at(void **state)
{
	char agent[DEVICE_LOOK_MAX + 10], buf[DEVICE_TEXT_MAX];

	(void)state;
	memset(agent, 'a', sizeof(agent));
	memcpy(agent + DEVICE_LOOK_MAX - 2, "curl/", 5);
	assert_string_equal(device_text(slice_of(agent, sizeof(agent)), buf), "an unknown program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_called_as_people_call_them),
		cmocka_unit_test(what_comes_late_is_not_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
