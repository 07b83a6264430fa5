/* tests/fuzz/driver.c - runs a fuzzer without libFuzzer: every seed file of the folder given, each
 * also cut short and with bytes changed, from a fixed seed.  Bounded: 200 changes a seed. */
#include <dirent.h>
#include <stdio.h>

#include "base/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state = 42;

static uint64_t next(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return state >> 33;
}

static void try_copy(const uint8_t *p, size_t n)
{
	/* An exact allocation, so that a sanitizer sees the first byte past the end. */
	uint8_t *copy = must_alloc(n ? n : 1);

	memcpy(copy, p, n);
	(void)LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void walk(uint8_t *p, size_t n)
{
	try_copy(p, n);
	for (int i = 0; i < 200 && n; i++) {
		size_t cut = i % 4 == 0 ? next() % n : n;
		uint8_t *changed = must_alloc(n);
		memcpy(changed, p, n);
		for (uint64_t k = next() % 4 + (i % 4 != 0); k > 0; k--)
			changed[next() % n] = (uint8_t)next();
		try_copy(changed, cut);
		free(changed);
	}
}

int main(int argc, char **argv)
{
	static uint8_t bytes[1 << 20];
	unsigned files = 0;
	DIR *dir = argc > 1 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	char path[4096];

	try_copy(bytes, 0);
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		FILE *f = fopen(path, "rb");
		if (!f)
			continue;
		size_t n = fread(bytes, 1, sizeof(bytes), f);
		(void)fclose(f);
		walk(bytes, n);
		files++;
	}
	if (dir)
		(void)closedir(dir);
	if (!files) {
		(void)fprintf(stderr, "no seed files in %s\n",
			      argc > 1 ? argv[1] : "(no folder given)");
		return 1;
	}
	printf("%u seeds walked\n", files);
	return 0;
}
