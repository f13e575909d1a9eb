/*
 * Help, sample file and reference page: three walks over the same table.
 */
#include "server/config_document.h"

#include "server/config_value.h"
#include "server/options_table.h"

static struct str section_of(const struct options_row *row)
{
    struct str rest = str_of(row->key);
    return str_take_until(&rest, '.');
}

static struct str name_of(const struct options_row *row)
{
    return str_tail(str_of(row->key), section_of(row).len + 1);
}

static bool begins_section(const struct options_row *row)
{
    return row == options_table || !str_eq(section_of(row), section_of(row - 1));
}

void config_document_usage(struct config_text *ret)
{
    config_text_put(
        ret,
        STR("Duet: one-to-one audio calls in the browser.\n"
            "\n"
            "  duet serve [--config FILE] [--set KEY=VALUE]...   run the server\n"
            "  duet serve --help                                 every setting\n"
            "  duet serve --print-config                         the settings as a file\n"
            "  duet mix CALLER CALLEE -o FILE                    two recordings of a call in one\n"
            "  duet --version\n"));
}

void config_document_help(struct config_text *ret)
{
    config_text_put(
        ret,
        STR("duet serve [--config FILE] [--set KEY=VALUE]...\n"
            "\n"
            "  --config FILE      read settings from a YAML file\n"
            "  --set KEY=VALUE    give one setting; the last one for a key counts\n"
            "  --print-config     print the settings in effect as a YAML file and exit\n"
            "  --print-reference  print the reference page of the settings and exit\n"
            "  --help             print this and exit\n"
            "\n"
            "Each setting can stand in the file, in the environment (media.port is\n"
            "DUET_MEDIA_PORT) and behind --set. What comes later in this list wins: default, "
            "file,\n"
            "environment, --set. The server prints 'ready ...' with its addresses on standard\n"
            "output once it accepts work. SIGTERM and SIGINT end it in order, with status 0.\n"
            "\n"
            "Settings and their defaults:\n"));
    for (size_t i = 0; i < options_table_len; i++) {
        const struct options_row *row = &options_table[i];
        config_text_printf(ret, "\n  %s=%s\n      (", row->key, row->fallback);
        config_value_write_range(row, ret);
        config_text_put(ret, STR(")\n"));
        config_text_wrap(ret, "      ", 88, str_of(row->help));
    }
}

/** Quoted where YAML would read it as something else: empty, or with a colon, '#', and so on. */
static void put_yaml_value(struct str value, struct config_text *ret)
{
    bool plain = value.len > 0;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.p[i];
        plain = plain && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '/');
    }
    if (plain) {
        config_text_put(ret, value);
        return;
    }
    config_text_put(ret, STR("'"));
    for (size_t i = 0; i < value.len; i++) /* in single quotes only the quote itself is doubled */
        config_text_put(ret, value.p[i] == '\'' ? STR("''") : (struct str){value.p + i, 1});
    config_text_put(ret, STR("'"));
}

void config_document_sample(const struct options *options, struct config_text *ret)
{
    config_text_put(ret, STR("# Settings of duet: duet serve --config FILE\n"));
    for (size_t i = 0; i < options_table_len; i++) {
        const struct options_row *row = &options_table[i];
        struct config_text value = {0};
        config_value_write(row, options, &value);
        if (begins_section(row))
            config_text_printf(ret, "\n%.*s:\n", STR_FMT(section_of(row)));
        else
            config_text_put(ret, STR("\n"));
        config_text_wrap(ret, "  # ", 96, str_of(row->help));
        config_text_put(ret, STR("  # "));
        config_value_write_range(row, ret);
        config_text_printf(ret, "; default: %s\n  %.*s: ", *row->fallback ? row->fallback : "empty",
                           STR_FMT(name_of(row)));
        put_yaml_value((struct str){value.p, value.len}, ret);
        config_text_put(ret, STR("\n"));
        ret->failed |= value.failed;
        config_text_deinit(&value);
    }
}

void config_document_reference(struct config_text *ret)
{
    config_text_put(
        ret, STR("# Settings\n"
                 "\n"
                 "<!-- Printed by `duet serve --print-reference`; a test compares the two. -->\n"
                 "\n"
                 "Every setting has one key, and can be given in three ways:\n"
                 "\n"
                 "```\n"
                 "duet serve --config duet.yaml            # media:\n"
                 "                                         #   port: 50000\n"
                 "DUET_MEDIA_PORT=50000 duet serve\n"
                 "duet serve --set media.port=50000\n"
                 "```\n"
                 "\n"
                 "Later ones win: default, file, environment, `--set`. `duet serve --print-config` "
                 "prints the\n"
                 "settings in effect as a file to start from. A wrong key, value or variable (also "
                 "an unknown\n"
                 "`DUET_...`) ends the start with status 2; all mistakes are shown at once, with "
                 "file, line and\n"
                 "the range. Lists are YAML sequences, or have commas. Durations carry their unit. "
                 "The file\n"
                 "is UTF-8, at most 64 KiB, one document, without anchors, aliases and tags.\n"));
    for (size_t i = 0; i < options_table_len; i++) {
        const struct options_row *row = &options_table[i];
        if (begins_section(row))
            config_text_printf(
                ret, "\n## %.*s\n\n| key | default | range | meaning |\n|---|---|---|---|\n",
                STR_FMT(section_of(row)));
        config_text_printf(ret, "| `%s` | ", row->key);
        config_text_printf(ret, *row->fallback ? "`%s`" : "empty%s", row->fallback);
        config_text_put(ret, STR(" | "));
        config_value_write_range(row, ret);
        config_text_printf(ret, " | %s |\n", row->help);
    }
}
