/* message/judge/index.c - which patterns are worth a look when a text has a word. */
#include "base/hash.h"
#include "message/judge/inside.h"

void *judge_room(void *items, uint32_t n, size_t size)
{
	/* n is a power of two, or 0: the array is full. */
	return n & (n - 1) ? items : must_resize(items, MAX_OF((size_t)n * 2, (size_t)8) * size);
}

struct judge_entry *judge_word(const struct judge *j, struct slice word)
{
	for (struct map_link *l = map_find(&j->words, hash_keyed(word)); l; l = map_find_next(l)) {
		struct judge_entry *e = container_of(l, struct judge_entry, link);
		if (slice_eq(e->word, word))
			return e;
	}
	return NULL;
}

uint32_t judge_word_add(struct judge *j, struct slice word, struct slice *ret_kept)
{
	struct judge_entry *e = judge_word(j, word);

	if (!e) {
		e = must_alloc(sizeof(*e));
		e->word = slice_of(must_copy(word), word.n);
		e->id = ++j->n_words;
		map_insert(&j->words, &e->link, hash_keyed(word));
	}
	*ret_kept = e->word;
	return e->id;
}

static bool step_counts(const struct judge *j, const struct judge_line *line,
			const struct judge_step *step)
{
	if (step->any || step->optional)
		return false;
	for (unsigned k = 0; k < step->n; k++)
		if (!j->choices[line->first_choice + step->first + k].id)
			return false;
	return true;
}

/* How many lines have one of the step's words. */
static uint32_t step_weight(const struct judge *j, const struct judge_line *line,
			    const struct judge_step *step, const uint32_t *count)
{
	uint32_t weight = 0;

	for (unsigned k = 0; k < step->n; k++)
		weight += count[j->choices[line->first_choice + step->first + k].id];
	return weight;
}

/* The step whose words are rarest among the patterns; NULL: none can be looked up. */
static const struct judge_step *rarest(const struct judge *j, const struct judge_line *line,
				       const uint32_t *count)
{
	const struct judge_step *best = NULL;
	uint32_t best_weight = UINT32_MAX;

	for (uint32_t i = line->first_step; i < line->first_step + line->n; i++) {
		const struct judge_step *step = &j->steps[i];
		uint32_t weight;
		if (!step_counts(j, line, step))
			continue;
		weight = step_weight(j, line, step, count);
		if (weight < best_weight) {
			best_weight = weight;
			best = step;
		}
	}
	return best;
}

static void count_words(const struct judge *j, uint32_t *count)
{
	for (uint32_t i = 0; i < j->n_choices; i++)
		count[j->choices[i].id]++;
}

/* The first round counts the lines of each word; the second one writes them down. */
static void index_line(struct judge *j, uint32_t n, const uint32_t *count, uint32_t *fill)
{
	struct judge_line *line = &j->lines[n];
	const struct judge_step *step = rarest(j, line, count);

	line->indexed = step != NULL;
	for (unsigned k = 0; step && k < step->n; k++) {
		uint32_t id = j->choices[line->first_choice + step->first + k].id;
		if (fill)
			j->by_word[fill[id]++] = n;
		else
			j->start[id + 1]++;
	}
}

void judge_index(struct judge *j)
{
	uint32_t *count = must_alloc((j->n_words + 1) * sizeof(*count));
	uint32_t *fill = must_alloc((j->n_words + 2) * sizeof(*fill));

	j->start = must_alloc((j->n_words + 2) * sizeof(*j->start));
	count_words(j, count);
	for (uint32_t i = 0; i < j->n_lines; i++)
		index_line(j, i, count, NULL);
	for (uint32_t id = 0; id <= j->n_words; id++)
		j->start[id + 1] += j->start[id];
	memcpy(fill, j->start, (j->n_words + 2) * sizeof(*fill));
	j->by_word = must_alloc((j->start[j->n_words + 1] + 1) * sizeof(*j->by_word));
	for (uint32_t i = 0; i < j->n_lines; i++)
		index_line(j, i, count, fill);
	free(count);
	free(fill);
}
