/*
 * A YAML file as a stream of libyaml's events: no document tree is built, so that nothing can
 * grow. Of YAML we take maps, sequences of scalars and scalars. What could surprise (anchors and
 * aliases, tags, a second document, a key given twice) is refused with its line.
 *
 * A mistake of meaning (unknown key, bad value) lets the reading go on; a mistake of form ends
 * it, because what follows cannot be trusted. Recursion is bounded by the option table: only a
 * known section is entered, everything else is skipped by counting.
 */
#include <errno.h>

#include <yaml.h>

#include "base/text.h"
#include "server/config.h"
#include "server/options_table.h"

/** "section.name" being put together; a longer one is no key. */
#define PATH_MAX_CHARS 128

/** A list written as a sequence, while its items are joined by commas. */
#define JOINED_MAX 4096

enum walk {
    WALK_END = 1, /**< a mistake of form was noted: stop */
};

struct walker {
    yaml_parser_t parser;
    struct config *config;
    const char *name;
    bool entered[CONFIG_ROWS_MAX]; /**< sections begun, by the index of their first row */
};

static struct config_place place_of(const struct walker *w, yaml_mark_t mark)
{
    return (struct config_place){.source = w->name, .line = (unsigned)mark.line + 1};
}

/** A mistake of form. */
static int refuse(struct walker *w, yaml_mark_t mark, const char *what)
{
    config_mistake(w->config, place_of(w, mark), "%s", what);
    return WALK_END;
}

static int parser_failed(struct walker *w)
{
    const yaml_parser_t *p = &w->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    const char *problem = p->problem ? p->problem : "unreadable";
    yaml_mark_t mark = p->problem_mark;
    if (p->error == YAML_READER_ERROR)
        mark = p->mark; /* libyaml gives a byte offset only: the last line read is near enough */
    config_mistake(w->config, place_of(w, mark), "not YAML: %s", problem);
    return WALK_END;
}

static bool has_extras(const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_SCALAR_EVENT:
        return e->data.scalar.anchor || e->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return e->data.sequence_start.anchor || e->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return e->data.mapping_start.anchor || e->data.mapping_start.tag;
    case YAML_ALIAS_EVENT:
        return true;
    default: /* libyaml's enum: the other events carry no node */
        return false;
    }
}

/** Next event; the caller deletes it when 0 is returned. */
static int next_event(struct walker *w, yaml_event_t *ret)
{
    if (!yaml_parser_parse(&w->parser, ret))
        return parser_failed(w);
    if (!has_extras(ret))
        return 0;
    yaml_mark_t mark = ret->start_mark;
    yaml_event_delete(ret);
    return refuse(w, mark, "anchors (&), aliases (*) and tags (!) are not taken");
}

static struct str scalar_of(const yaml_event_t *e)
{
    return (struct str){(const char *)e->data.scalar.value, e->data.scalar.length};
}

/** `key:` and `key: ~`, but not `key: ""`. */
static bool is_null(const yaml_event_t *e)
{
    struct str s = scalar_of(e);
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (s.len == 0 || str_eq(s, STR("~")) || str_eq(s, STR("null")));
}

static int skip_rest_of_node(struct walker *w, yaml_event_type_t first)
{
    size_t depth = first == YAML_SEQUENCE_START_EVENT || first == YAML_MAPPING_START_EVENT;
    while (depth) {
        yaml_event_t e;
        int r = next_event(w, &e);
        if (r)
            return r;
        if (e.type == YAML_SEQUENCE_START_EVENT || e.type == YAML_MAPPING_START_EVENT)
            depth++;
        else if (e.type == YAML_SEQUENCE_END_EVENT || e.type == YAML_MAPPING_END_EVENT)
            depth--;
        yaml_event_delete(&e);
    }
    return 0;
}

/** One item of a sequence onto the joined text; *done at the sequence's end. */
static int join_item(struct walker *w, struct text *joined, bool *done)
{
    yaml_event_t e;
    int r = next_event(w, &e);
    if (r)
        return r;
    if (e.type == YAML_SEQUENCE_END_EVENT)
        *done = true;
    else if (e.type != YAML_SCALAR_EVENT)
        r = refuse(w, e.start_mark, "a list holds plain values only");
    else if (memchr(scalar_of(&e).p, ',', scalar_of(&e).len))
        r = refuse(w, e.start_mark, "an item of a list has no comma");
    if (!r && !*done) {
        if (joined->len)
            text_put(joined, STR(","));
        text_put(joined, scalar_of(&e));
        if (joined->failed)
            r = refuse(w, e.start_mark, "the list is too long");
    }
    yaml_event_delete(&e);
    return r;
}

static int read_sequence(struct walker *w, struct config_place place, struct str key)
{
    char buf[JOINED_MAX];
    struct text joined;
    text_init(&joined, buf, sizeof(buf));
    for (bool done = false; !done;) {
        int r = join_item(w, &joined, &done);
        if (r)
            return r;
    }
    return config_set(w->config, place, key, text_str(&joined));
}

/** The first row of a section stands for the section. */
static bool *entered_flag(struct walker *w, struct str section)
{
    for (size_t i = 0; i < options_table_len; i++)
        if (str_starts_with(str_of(options_table[i].key), section) &&
            options_table[i].key[section.len] == '.')
            return &w->entered[i];
    return NULL;
}

static int read_map(struct walker *w, struct text *path);

/** The value behind a key; `first` is its first event. */
static int read_value(struct walker *w, const yaml_event_t *first, struct config_place place,
                      struct text *path)
{
    struct str key = text_str(path);
    if (options_table_has_section(key)) {
        bool *entered = entered_flag(w, key);
        if (*entered)
            return refuse(w, first->start_mark, "this section was given before");
        *entered = true;
        if (first->type == YAML_MAPPING_START_EVENT)
            return read_map(w, path);
        if (first->type == YAML_SCALAR_EVENT && is_null(first))
            return 0; /* all of it is commented out */
        return refuse(w, first->start_mark, "a section holds keys, not a value");
    }
    if (!options_table_find(key)) {
        int r = config_set(w->config, place, key, STR("")); /* reports the key */
        return r ? r : skip_rest_of_node(w, first->type);
    }
    if (first->type == YAML_SEQUENCE_START_EVENT)
        return read_sequence(w, place, key);
    if (first->type == YAML_SCALAR_EVENT)
        return config_set(w->config, place, key, is_null(first) ? STR("") : scalar_of(first));
    return refuse(w, first->start_mark, "this key has a value, not keys below it");
}

/** One key and its value; path is as before at the end. *done at the map's end. */
static int read_pair(struct walker *w, struct text *path, bool *done)
{
    yaml_event_t key;
    int r = next_event(w, &key);
    if (r)
        return r;
    struct text at = *path;
    struct config_place place = place_of(w, key.start_mark);
    if (key.type == YAML_MAPPING_END_EVENT) {
        *done = true;
    } else if (key.type != YAML_SCALAR_EVENT) {
        r = refuse(w, key.start_mark, "a key is a word");
    } else {
        if (at.len)
            text_put(&at, STR("."));
        text_put(&at, scalar_of(&key));
        if (at.failed)
            r = refuse(w, key.start_mark, "no key is as long as this");
    }
    yaml_event_delete(&key);
    if (r || *done)
        return r;
    yaml_event_t value;
    r = next_event(w, &value);
    if (r)
        return r;
    r = read_value(w, &value, place, &at);
    yaml_event_delete(&value);
    path->buf[path->len] = '\0';
    return r;
}

static int read_map(struct walker *w, struct text *path)
{
    for (bool done = false; !done;) {
        int r = read_pair(w, path, &done);
        if (r)
            return r;
    }
    return 0;
}

static int read_root(struct walker *w, const yaml_event_t *root)
{
    char buf[PATH_MAX_CHARS];
    struct text path;
    text_init(&path, buf, sizeof(buf));
    if (root->type == YAML_MAPPING_START_EVENT)
        return read_map(w, &path);
    if (root->type == YAML_SCALAR_EVENT && is_null(root))
        return 0; /* comments only */
    return refuse(w, root->start_mark,
                  "the file holds keys: 'section:' and below it 'name: value'");
}

static int read_stream(struct walker *w)
{
    bool had_document = false;
    bool in_document = false;
    for (;;) {
        yaml_event_t e;
        int r = next_event(w, &e);
        if (r)
            return r;
        yaml_event_type_t type = e.type;
        if (type == YAML_DOCUMENT_START_EVENT && had_document)
            r = refuse(w, e.start_mark, "a second document begins here");
        else if (in_document && type != YAML_DOCUMENT_END_EVENT)
            r = read_root(w, &e);
        in_document =
            type == YAML_DOCUMENT_START_EVENT || (in_document && type != YAML_DOCUMENT_END_EVENT);
        had_document |= in_document;
        yaml_event_delete(&e);
        if (r || type == YAML_STREAM_END_EVENT)
            return r;
    }
}

int config_read_yaml(struct config *c, const char *name, struct str text)
{
    struct walker w = {.config = c, .name = name};
    if (text.len > CONFIG_FILE_MAX) {
        config_mistake(c, (struct config_place){.source = name}, "larger than %zu bytes",
                       CONFIG_FILE_MAX);
        return 0;
    }
    if (!yaml_parser_initialize(&w.parser))
        return -ENOMEM;
    config_begin_source(c);
    /* Without this libyaml would also take UTF-16. */
    yaml_parser_set_encoding(&w.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&w.parser, (const unsigned char *)(text.p ? text.p : ""),
                                 text.len);
    int r = read_stream(&w);
    yaml_parser_delete(&w.parser);
    return r == WALK_END ? 0 : r;
}
