/* bench/feed.c - feeds one campaign through the link as fast as the engine acknowledges: what the
 * control plane's feeder does, without PostgreSQL.
 *
 *	postern-feed --socket PATH --recipients N [--domains 100] [--chunk 5000] [--size 10240]
 *	             [--campaign 1] [--tenant 1] [--sign-domain NAME] [--window 8] [--first 0]
 *	             [--to DOMAIN] [--stats FILE]
 *
 * It sends one template of about --size bytes.  Each recipient has three merge fields: a name and a
 * town, drawn by number from lists, and a code.  Recipient i is u<i>@d<i mod domains>.test, or
 * u<i>@DOMAIN.  It writes one JSON object: recipients, seconds, rate.  All of these recipients were
 * acknowledged, which means synced. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "bench/link_client.h"
#include "message/compose.h"
#include "message/program.h"
#include "schema/wire/meta.h"

static struct {
	const char *socket, *stats, *sign_domain, *to;
	uint64_t recipients, first, campaign, tenant;
	unsigned domains, chunk, size, window;
} conf = { .sign_domain = "",
	   .recipients = 1000,
	   .campaign = 1,
	   .tenant = 1,
	   .domains = 100,
	   .chunk = 5000,
	   .size = 10240,
	   .window = 8 };

static void must(const char *what, int r)
{
	if (r < 0) {
		fprintf(stderr, "postern-feed: %s: %s\n", what, err_text(r));
		exit(1);
	}
}

/* Waits for one answer; events do not come, as nothing was subscribed. */
static void hear(void)
{
	struct link_frame f;

	while (!bench_link_hear(&f))
		;
}

static void compose(struct buf *program)
{
	static const struct template_field known[] = {
		{ .name = SLICE("first_name") },
		{ .name = SLICE("city") },
		{ .name = SLICE("code") },
	};
	struct compose_in ci = { .from = SLICE("Sender <news@sender.test>"),
				 .env = { known, ARRAY_LEN(known), false, NULL, NULL } };
	struct compose_error error;
	struct buf text;

	buf_init(&text, 0);
	buf_put(&text, SLICE("Hello {{first_name}} in {{city}},\n\nyour code is {{code}}.\n"));
	while (buf_len(&text) + 512 < conf.size)
		buf_putf(
		    &text,
		    "Line %06zu of a letter that is as long as letters of its kind tend to be.\n",
		    buf_len(&text));
	ci.source.subject = SLICE("News for {{first_name}}");
	ci.source.text = buf_data(&text);
	if (compose_campaign(&ci, program, &error) < 0) {
		fprintf(stderr, "postern-feed: template: %s\n", error.template.text);
		exit(1);
	}
	buf_free(&text);
}

static struct value text_value(struct slice s)
{
	return (struct value){ .type = VALUE_STRING, .s = s };
}

static void put_content(void)
{
	struct link_frame f = { .type = LINK_CONTENT };
	struct wire_content_meta meta = { .program = true,
					  .sign_domain = slice_str(conf.sign_domain) };
	struct buf program, packed;

	buf_init(&program, 0);
	buf_init(&packed, 0);
	compose(&program);
	must("meta", wire_content_meta_put(&packed, &meta));
	f.content.id = (struct id128){ conf.campaign, 1 };
	f.content.meta = buf_data(&packed);
	f.content.bytes = buf_data(&program);
	bench_link_put(&f);
	hear();
	buf_free(&program);
	buf_free(&packed);
}

static const char *const names[] = {
	"Ada",       "Béla",     "Carmen",  "Dmitri",     "Emília", "Françoise",  "Giorgos",
	"Hannelore", "Ingrid",   "Jürgen",  "Katarzyna",  "Lucía",  "Margarethe", "Niamh",
	"Oluwaseun", "Petra",    "Quentin", "Rosalía",    "Søren",  "Tatjana",    "Ulrich",
	"Valentina", "Wojciech", "Xavier",  "Yıldız",     "Zoltán", "Aoife",      "Bartholomew",
	"Chiara",    "Désirée",  "Ernő",    "Friederike",
};
static const char *const towns[] = {
	"Kraków",    "Porto",   "Gdańsk",       "München", "Lyon",        "Århus",
	"Bologna",   "Sevilla", "Brno",         "Győr",    "Plovdiv",     "Cork",
	"Tampere",   "Malmö",   "Thessaloniki", "İzmir",   "Cluj-Napoca", "Ljubljana",
	"Rotterdam", "Gent",    "Basel",        "Graz",    "Vilnius",     "Tartu",
};

static struct slice make_address(char *buf, size_t cap, uint64_t i)
{
	int n;

	if (conf.to)
		n = snprintf(buf, cap, "u%" PRIu64 "@%s", i, conf.to);
	else
		n = snprintf(buf, cap, "u%" PRIu64 "@d%04" PRIu64 ".test", i, i % conf.domains + 1);
	return slice_of(buf, (size_t)n);
}

static void put_rows(struct buf *rows, uint64_t first, unsigned n)
{
	char address[320], code[32];

	for (uint64_t i = first; i < first + n; i++) {
		uint64_t chance = hash_mix(i + 1);
		int code_len = snprintf(code, sizeof(code), "%08" PRIx64, chance >> 32);
		struct value fields[] = { text_value(slice_str(names[chance % ARRAY_LEN(names)])),
					  text_value(
					      slice_str(towns[(chance >> 8) % ARRAY_LEN(towns)])),
					  text_value(slice_of(code, (size_t)code_len)) };
		must("row", wire_row_put(rows, make_address(address, sizeof(address), i), i, fields,
					 ARRAY_LEN(fields)));
	}
}

static void put_job(struct buf *rows, struct slice meta, uint64_t first, unsigned n, int64_t now)
{
	struct link_frame f = { .type = LINK_JOB };

	buf_clear(rows);
	put_rows(rows, first, n);
	f.job = (struct link_job){ .id = { conf.campaign, first + 1 },
				   .content = { conf.campaign, 1 },
				   .tenant = conf.tenant,
				   .campaign = conf.campaign,
				   .accepted_ms = now,
				   .expires_ms = now + 5 * 86400000ll,
				   .rows = n,
				   .meta = meta,
				   .data = buf_data(rows) };
	bench_link_put(&f);
}

static void feed(void)
{
	struct wire_job_meta jm = { .mail_from = SLICE("bounce@sender.test"),
				    .message_id_domain = SLICE("sender.test"),
				    .origin = SLICE("control"),
				    .date_ms = clock_wall_ms() };
	struct buf rows, meta;

	buf_init(&rows, 0);
	buf_init(&meta, 0);
	must("meta", wire_job_meta_put(&meta, &jm));
	for (uint64_t at = 0; at < conf.recipients; at += conf.chunk) {
		unsigned n = (unsigned)MIN_OF((uint64_t)conf.chunk, conf.recipients - at);
		put_job(&rows, buf_data(&meta), conf.first + at, n, clock_wall_ms());
		while (bench_link_requests() - bench_link_answered() >= conf.window)
			hear();
	}
	while (bench_link_answered() < bench_link_requests())
		hear();
	buf_free(&rows);
	buf_free(&meta);
}

static uint64_t number(const char *text)
{
	uint64_t v;

	must(text, slice_u64(slice_str(text), UINT32_MAX, &v));
	return v;
}

static void arguments(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", 1, 0, 's' },
		{ "recipients", 1, 0, 'n' },
		{ "domains", 1, 0, 'd' },
		{ "chunk", 1, 0, 'c' },
		{ "size", 1, 0, 'z' },
		{ "campaign", 1, 0, 'C' },
		{ "tenant", 1, 0, 't' },
		{ "sign-domain", 1, 0, 'S' },
		{ "window", 1, 0, 'w' },
		{ "first", 1, 0, 'f' },
		{ "stats", 1, 0, 'o' },
		{ "to", 1, 0, 'T' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's':
			conf.socket = optarg;
			break;
		case 'n':
			conf.recipients = number(optarg);
			break;
		case 'd':
			conf.domains = (unsigned)MAX_OF(number(optarg), 1u);
			break;
		case 'c':
			conf.chunk =
			    (unsigned)MIN_OF(MAX_OF(number(optarg), 1u), (uint64_t)WIRE_ROWS_MAX);
			break;
		case 'z':
			conf.size = (unsigned)MIN_OF(number(optarg), 900000u);
			break;
		case 'C':
			conf.campaign = number(optarg);
			break;
		case 't':
			conf.tenant = number(optarg);
			break;
		case 'S':
			conf.sign_domain = optarg;
			break;
		case 'w':
			conf.window = (unsigned)MAX_OF(number(optarg), 1u);
			break;
		case 'f':
			conf.first = number(optarg);
			break;
		case 'T':
			conf.to = strlen(optarg) < 256 ? optarg : NULL;
			break;
		case 'o':
			conf.stats = optarg;
			break;
		default:
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	arguments(argc, argv);
	bench_link_open(conf.socket, "");
	int64_t start = clock_mono_us();
	put_content();
	feed();
	double seconds = (double)(clock_mono_us() - start) / 1e6;
	FILE *f = conf.stats ? fopen(conf.stats, "w") : stdout;
	if (!f)
		must(conf.stats, -errno);
	fprintf(f, "{\"recipients\":%" PRIu64 ",\"seconds\":%.4f,\"rate\":%.1f}\n", conf.recipients,
		seconds, (double)conf.recipients / seconds);
	bench_link_close();
	return 0;
}
