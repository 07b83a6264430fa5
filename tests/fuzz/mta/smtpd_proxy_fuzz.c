/* Laws: a header that is whole is so whatever follows it, and every beginning of it is not whole
 *       yet; it is no longer than PROXY_HEADER_MAX; what is refused stays so with more bytes. */
#include "mta/smtpd/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t used = 0, again = 0;
	struct ip ip, other;
	int last = 0;

	for (size_t n = 0; n <= MIN_OF(size, (size_t)PROXY_HEADER_MAX + 40); n++) {
		int r = proxy_parse(slice_of(data, n), &ip, &used);

		assert(r <= 1 && (last == 0 || r == last));
		assert(r != 0 || n < PROXY_HEADER_MAX);
		assert(r != 1 || (used <= n && used <= PROXY_HEADER_MAX));
		if (r == 1 && last == 0) {
			assert(used == n);
			assert(proxy_parse(slice_of(data, size), &other, &again) == 1);
			assert(again == used && ip.family == other.family);
			assert(!ip.family || ip_eq(&ip, &other));
		}
		last = r;
	}
	return 0;
}
