/* Laws: what decodes encodes back to the same text; an address that parses is written so that it
 *       parses to itself. */
#include "base/address.h"
#include "base/encode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct slice text, int (*decode)(struct buf *, struct slice),
		       int (*encode)(struct buf *, struct slice))
{
	struct buf raw, again;

	buf_init(&raw, 0);
	buf_init(&again, 0);
	if (decode(&raw, text) == 0) {
		if (encode(&again, buf_data(&raw)) < 0 || !slice_eq_nocase(buf_data(&again), text))
			abort();
	}
	buf_free(&raw);
	buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_of(data, size);
	char shown[IP_TEXT_MAX];
	struct ip_net net;
	struct ip ip, back;
	uint16_t port;

	round_trip(text, base64_decode, base64_encode);
	round_trip(text, base64url_decode, base64url_encode);
	round_trip(text, hex_decode, hex_encode);
	if (ip_parse(text, &ip) == 0 &&
	    (ip_parse(slice_str(ip_format(&ip, shown)), &back) < 0 || !ip_eq(&ip, &back)))
		abort();
	if (ip_port_parse(text, &ip, &port) == 0 && !ip.family)
		abort();
	if (ip_net_parse(text, &net) == 0 && !ip_net_has(&net, &net.ip))
		abort();
	(void)utf8_valid(text);
	return 0;
}
