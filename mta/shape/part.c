/* mta/shape/part.c - files of shapes as options, live orders as rules, and each lane's set. */
#include "mta/shape/part.h"

#include <pthread.h>
#include <stdio.h>

#include "base/file.h"
#include "base/list.h"
#include "base/log.h"
#include "mta/shape/builtin.h"
#include "mta/shape/inside.h"

#define BUILTIN_NAME "built-in shape.conf"
enum { FILES_MAX = 32, FILE_BYTES_MAX = 1024 * 1024 };

struct shape_options {
	char *file_list;
	char *texts[FILES_MAX], *names[FILES_MAX];
	unsigned n;
};

struct shape_order {
	struct list link;
	char *section, *key, *value, *author;
};
/* What the lanes share. */
struct shape_orders {
	pthread_mutex_t lock;
	struct list list; /* the oldest first */
	unsigned n;
	_Atomic unsigned revision; /* a lane with another one makes its set anew */
};
struct lane_shapes {
	struct lane *lane;
	struct shapes *set;
	unsigned revision, generation;
};

/* ---- options ----------------------------------------------------------------------------- */

static const struct option rows[] = {
	{ "shape.file", T_LIST, offsetof(struct shape_options, file_list), 0, 0, "", true,
	  "Files of shapes (postern-shape(5)), read after the shapes that are built in; the "
	  "later one counts." },
};

static int read_one(struct shape_options *o, const char *path, char *error)
{
	struct buf text;
	int r;

	buf_init(&text, 0);
	r = file_read(path, FILE_BYTES_MAX, &text);
	if (r < 0)
		(void)snprintf(error, OPTION_ERROR_MAX, "%s: %s", path, err_text(r));
	if (r == 0) {
		o->names[o->n] = must_copy(slice_str(path));
		o->texts[o->n++] = must_copy(buf_data(&text));
	}
	buf_free(&text);
	return r;
}

/* The built-in shapes and the files, in this order. */
static int parse_files(struct shapes *s, const struct shape_options *o, char *error)
{
	int r = shapes_parse(s, slice_of(shape_builtin, shape_builtin_n), BUILTIN_NAME, error);

	for (unsigned i = 0; i < o->n && r == 0; i++)
		r = shapes_parse(s, slice_str(o->texts[i]), o->names[i], error);
	return r;
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct shape_options *o = options;
	OWNED(shapes) s = shapes_new();
	struct slice entry;
	size_t pos = 0;
	int r = 0;

	(void)all;
	while (r == 0 && option_list_next(o->file_list, &pos, &entry)) {
		OWNED_MEM char *path = must_copy(entry);
		if (o->n == FILES_MAX)
			return option_bad(f, "shape.file", entry, "one of at most 32 files");
		r = read_one(o, path, f->error);
	}
	return r < 0 ? E_SYNTAX : parse_files(s, o, f->error);
}

static void clear(void *options)
{
	struct shape_options *o = options;

	for (unsigned i = 0; i < o->n; i++) {
		free(o->texts[i]);
		free(o->names[i]);
	}
}

const struct option_set shape_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct shape_options),
	.derive = derive,
	.clear = clear,
};

static const struct shape_options *options_of(struct engine *e)
{
	return settings_of(engine_settings(e), &shape_option_set);
}

/* ---- orders ------------------------------------------------------------------------------ */

static struct shape_orders *orders_of(struct engine *e)
{
	return engine_shared(e, &shape_part);
}

static void order_free(struct shape_orders *all, struct shape_order *o)
{
	list_remove(&o->link);
	all->n--;
	free(o->section);
	free(o->key);
	free(o->value);
	free(o->author);
	free(o);
}

static bool split_key(struct slice rule_key, struct slice *section, struct slice *key)
{
	return slice_strip(&rule_key, SLICE("shape/")) &&
	       slice_cut_last(rule_key, '/', section, key);
}

/* True: something changed. */
static bool set_order(struct shape_orders *all, struct slice rule_key, struct slice rule_value)
{
	struct slice section, key, value = slice_take(&rule_value, '\n');
	struct shape_order *o;
	bool changed = false;

	if (!split_key(rule_key, &section, &key))
		return false;
	list_each(&all->list, o, struct shape_order, link)
		if (slice_eq(section, slice_str(o->section)) && slice_eq(key, slice_str(o->key))) {
			order_free(all, o);
			changed = true;
		}
	if (!value.n)
		return changed;
	if (all->n == SHAPE_ORDERS_MAX) {
		log_warn("shape.too-many", kv_slice("section", section), kv_slice("key", key));
		return changed;
	}
	o = must_alloc(sizeof(*o));
	o->section = must_copy(section);
	o->key = must_copy(key);
	o->value = must_copy(value);
	o->author = must_copy(rule_value);
	list_push(&all->list, &o->link);
	all->n++;
	return true;
}

int shape_order_key(struct slice section, struct slice key, struct slice value, struct buf *ret,
		    char *error)
{
	OWNED(shapes) s = shapes_new();
	struct buf name;
	unsigned at;
	int r = shape_section_read(s, section, &at, error);

	if (r == 0 && value.n)
		r = shapes_order(s, section, key, value, "", error);
	if (r == 0 && shape_key_find(key) == SHAPE_KEYS)
		r = shape_wrong(error, "unknown key \"%.*s\"", (int)MIN_OF(key.n, (size_t)60),
				key.p);
	if (r < 0)
		return r;
	buf_init(&name, 0);
	shape_section_show(&s->sections[at], &name);
	struct slice shown = buf_data(&name);
	buf_putf(ret, "shape/%.*s/%.*s", (int)shown.n - 2, shown.p + 1, (int)key.n, key.p);
	buf_free(&name);
	return 0;
}

int shape_order_check(struct slice rule_key, struct slice rule_value)
{
	struct slice section, key, value = slice_take(&rule_value, '\n');
	char error[OPTION_ERROR_MAX];
	struct buf again;
	int r = E_SYNTAX;

	buf_init(&again, 0);
	if (split_key(rule_key, &section, &key))
		r = shape_order_key(section, key, value, &again, error);
	if (r == 0 && !slice_eq(buf_data(&again), rule_key))
		r = E_SYNTAX;
	buf_free(&again);
	return r;
}

void shape_order_changed(struct engine *e, struct slice rule_key, struct slice rule_value)
{
	struct shape_orders *all = orders_of(e);
	bool changed;

	pthread_mutex_lock(&all->lock);
	changed = set_order(all, rule_key, rule_value);
	if (changed)
		atomic_fetch_add(&all->revision, 1);
	pthread_mutex_unlock(&all->lock);
	if (changed)
		engine_changed(e);
}

void shape_each_order(struct engine *e,
		      void (*each)(void *arg, struct slice section, struct slice key,
				   struct slice value, struct slice author),
		      void *arg)
{
	struct shape_orders *all = orders_of(e);
	struct shape_order *o;

	pthread_mutex_lock(&all->lock);
	list_each(&all->list, o, struct shape_order, link)
		each(arg, slice_str(o->section), slice_str(o->key), slice_str(o->value),
		     slice_str(o->author));
	pthread_mutex_unlock(&all->lock);
}

/* ---- sets -------------------------------------------------------------------------------- */

/* An order of an earlier version may say what this one does not take. */
static void add_orders(struct shapes *s, struct shape_orders *all)
{
	char error[OPTION_ERROR_MAX];
	struct shape_order *o;

	list_each(&all->list, o, struct shape_order, link)
		if (shapes_order(s, slice_str(o->section), slice_str(o->key), slice_str(o->value),
				 o->author, error) < 0)
			log_warn("shape.order", kv_str("section", o->section),
				 kv_str("key", o->key), kv_str("reason", error));
}

struct shapes *shape_copy_of_files(struct engine *e)
{
	char error[OPTION_ERROR_MAX];
	struct shapes *s = shapes_new();
	int r = parse_files(s, options_of(e), error);

	assert(r == 0); /* it was, when the options were read */
	return s;
}

static struct shapes *make_set(struct engine *e, unsigned *ret_revision)
{
	struct shape_orders *all = orders_of(e);
	struct shapes *s = shape_copy_of_files(e);

	pthread_mutex_lock(&all->lock);
	*ret_revision = atomic_load(&all->revision);
	add_orders(s, all);
	pthread_mutex_unlock(&all->lock);
	return s;
}

struct shapes *shape_copy(struct engine *e)
{
	unsigned unused;

	return make_set(e, &unused);
}

int shape_file_check(struct engine *e, struct slice text, const char *name, char *error)
{
	OWNED(shapes) s = shape_copy_of_files(e);

	return shapes_parse(s, text, name, error);
}

const struct shapes *shape_set(struct lane *l)
{
	return ((const struct lane_shapes *)lane_state(l, &shape_part))->set;
}

unsigned shape_generation(struct lane *l)
{
	return ((const struct lane_shapes *)lane_state(l, &shape_part))->generation;
}

/* ---- the part ---------------------------------------------------------------------------- */

static void shape_reload(void *state)
{
	struct lane_shapes *m = state;

	shapes_free(m->set);
	m->set = make_set(lane_engine(m->lane), &m->revision);
	m->generation++;
}

static void shape_changed(void *state)
{
	struct lane_shapes *m = state;

	if (m->revision != atomic_load(&orders_of(lane_engine(m->lane))->revision))
		shape_reload(m);
}

static int load_order(void *arg, struct slice key, struct slice value)
{
	(void)set_order(arg, key, value);
	return 0;
}

static int shape_open(struct engine *e, void **ret_shared)
{
	struct shape_orders *all = must_alloc(sizeof(*all));

	pthread_mutex_init(&all->lock, NULL);
	list_init(&all->list);
	*ret_shared = all;
	return spool_each_rule(engine_spool(e), SLICE("shape/"), load_order, all);
}

static void shape_close(void *shared)
{
	struct shape_orders *all = shared;
	struct shape_order *o;

	list_each(&all->list, o, struct shape_order, link)
		order_free(all, o);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

static int shape_start(struct lane *l, void **ret_state)
{
	struct lane_shapes *m = must_alloc(sizeof(*m));

	m->lane = l;
	shape_reload(m);
	*ret_state = m;
	return 0;
}

static void shape_stop(void *state)
{
	struct lane_shapes *m = state;

	shapes_free(m->set);
	free(m);
}

const struct part shape_part = {
	.name = "shape",
	.open = shape_open,
	.start = shape_start,
	.changed = shape_changed,
	.reload = shape_reload,
	.stop = shape_stop,
	.close = shape_close,
};
