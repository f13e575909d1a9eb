/*
 * Values by type: parse, write, free. Each type is one parser and one writer in the switches at
 * the end; everything that a parser refuses is described by the same words that the help shows.
 */
#include "server/config_value.h"

#include <errno.h>
#include <inttypes.h>

#include "base/interface_rule.h"
#include "base/mem.h"
#include "base/ws_url.h"

static const struct duration_unit {
    const char *name;
    mono_us us;
} duration_units[] = {
    {"h", 3600 * US_PER_S}, {"min", 60 * US_PER_S}, {"s", US_PER_S}, {"ms", US_PER_MS}, {"us", 1},
};

static void *member_of(const struct options_row *row, struct options *o)
{
    return (char *)o + row->offset;
}

static const void *member_of_const(const struct options_row *row, const struct options *o)
{
    return (const char *)o + row->offset;
}

/** Control characters have no place in any setting, and would break lines of logs and reports. */
static bool is_printable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static int replace_text(char **member, struct str value)
{
    char *copy = mem_strdup(value);
    if (!copy)
        return -ENOMEM;
    mem_free(*member);
    *member = copy;
    return 0;
}

static int set_path(char **member, struct str value)
{
    return value.len > OPTIONS_TEXT_MAX ? OPTIONS_E_REFUSED : replace_text(member, value);
}

static int set_listen(char **member, struct str value)
{
    struct addr parsed;
    if (value.len && !addr_parse(value, &parsed))
        return OPTIONS_E_REFUSED;
    return replace_text(member, value);
}

static int set_ip(struct addr *member, struct str value)
{
    return addr_parse_ip(value, 0, member) ? 0 : OPTIONS_E_REFUSED;
}

/** Addresses that a browser can be told to send to: unicast, and one of each family. */
static int set_ips(struct options_ips *member, struct str value)
{
    struct options_ips ips = {.is_auto = str_eq(value, STR("auto"))};
    bool has_family[2] = {false, false};
    if (ips.is_auto)
        value.len = 0;
    while (value.len) {
        struct str item = str_trim(str_take_until(&value, ','));
        struct addr ip;
        if (ips.n == OPTIONS_LIST_MAX || !addr_parse_ip(item, 1, &ip) || !addr_is_unicast(&ip))
            return OPTIONS_E_REFUSED;
        ip.port = 0;
        bool *seen = &has_family[addr_is_v4(&ip)];
        if (*seen)
            return OPTIONS_E_REFUSED;
        *seen = true;
        ips.item[ips.n++] = ip;
    }
    *member = ips;
    return 0;
}

/** "http://host", "https://host:port": nothing behind the authority (RFC 6454 §6.2). */
static bool is_origin(struct str s)
{
    struct str scheme = STR("https://");
    if (!str_starts_with(s, scheme))
        scheme = STR("http://");
    if (!str_starts_with(s, scheme))
        return false;
    struct str host = str_tail(s, scheme.len);
    for (size_t i = 0; i < host.len; i++) {
        char c = host.p[i];
        bool ok =
            (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._[]:", c) != NULL);
        if (!ok)
            return false;
    }
    return host.len > 0;
}

static void free_texts(struct options_texts *texts)
{
    for (size_t i = 0; i < texts->n; i++)
        mem_free(texts->item[i]);
    *texts = (struct options_texts){0};
}

/** The default port is not looked at here: any will do. */
static bool is_host(struct str s)
{
    struct str host;
    uint16_t port;
    if (!addr_split(s, 1, &host, &port))
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  (c && strchr("-._:", c) != NULL);
        if (!ok)
            return false;
    }
    return true;
}

static bool is_rule(struct str s)
{
    struct interface_rule rule;
    return interface_rule_parse(s, &rule);
}

static bool is_ws_url(struct str s)
{
    struct ws_url url;
    return ws_url_parse(s, &url);
}

static int set_texts(struct options_texts *member, struct str value, bool (*is_item)(struct str))
{
    struct options_texts texts = {0};
    int r = 0;
    while (!r && value.len) {
        struct str item = str_trim(str_take_until(&value, ','));
        if (texts.n == OPTIONS_LIST_MAX || !is_item(item))
            r = OPTIONS_E_REFUSED;
        else if (!(texts.item[texts.n] = mem_strdup(item)))
            r = -ENOMEM;
        else
            texts.n++;
    }
    if (r) {
        free_texts(&texts);
        return r;
    }
    free_texts(member);
    *member = texts; /* now owned by the options */
    return 0;
}

/** "41000-41999": two ports at least, of which the even one comes first. */
static int set_ports(struct options_ports *member, struct str value)
{
    struct options_ports ports = {0};
    uint64_t first, last;
    if (value.len) {
        struct str from = str_trim(str_take_until(&value, '-'));
        if (!str_to_u64(from, UINT16_MAX, &first) ||
            !str_to_u64(str_trim(value), UINT16_MAX, &last) || first < 1024 ||
            last < first + first % 2 + 1)
            return OPTIONS_E_REFUSED;
        ports = (struct options_ports){(uint16_t)first, (uint16_t)last};
    }
    *member = ports;
    return 0;
}

static int set_number(const struct options_row *row, void *member, struct str value)
{
    uint64_t number;
    if (!str_to_u64(value, (uint64_t)row->max, &number) || number < (uint64_t)row->min)
        return OPTIONS_E_REFUSED;
    if (row->size == sizeof(uint16_t))
        *(uint16_t *)member = (uint16_t)number;
    else
        *(uint32_t *)member = (uint32_t)number;
    return 0;
}

/** A whole number and a unit, with or without a space between: "60s", "1500 ms", "2min". */
static int set_duration(const struct options_row *row, mono_us *member, struct str value)
{
    size_t digits = 0;
    while (digits < value.len && value.p[digits] >= '0' && value.p[digits] <= '9')
        digits++;
    uint64_t number;
    if (!str_to_u64(str_head(value, digits), (uint64_t)row->max, &number))
        return OPTIONS_E_REFUSED;
    struct str unit = str_trim(str_tail(value, digits));
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
        if (!str_eq(unit, str_of(duration_units[i].name)))
            continue;
        if ((mono_us)number > row->max / duration_units[i].us ||
            (mono_us)number * duration_units[i].us < row->min)
            return OPTIONS_E_REFUSED;
        *member = (mono_us)number * duration_units[i].us;
        return 0;
    }
    return OPTIONS_E_REFUSED;
}

/** The words of YAML 1.1, which people expect to work in a YAML file. */
static int set_bool(bool *member, struct str value)
{
    static const char *const words[][2] = {{"false", "true"}, {"no", "yes"}, {"off", "on"}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        for (size_t b = 0; b < 2; b++) {
            if (str_eq(value, str_of(words[i][b]))) {
                *member = b == 1;
                return 0;
            }
        }
    }
    return OPTIONS_E_REFUSED;
}

static int set_word(const struct options_row *row, void *member, struct str value)
{
    for (uint32_t i = 0; row->words[i]; i++) {
        if (str_eq(value, str_of(row->words[i]))) {
            memcpy(member, &i, sizeof(i));
            return 0;
        }
    }
    return OPTIONS_E_REFUSED;
}

/* Of characters that need no escape in a URL (RFC 3986 §2.3); shorter ones can be guessed. */
#define TOKEN_MIN 16
#define TOKEN_MAX 256

static int set_token(char **member, struct str value)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    if (value.len && (value.len < TOKEN_MIN || value.len > TOKEN_MAX))
        return OPTIONS_E_REFUSED;
    for (size_t i = 0; i < value.len; i++) {
        if (!strchr(allowed, value.p[i]))
            return OPTIONS_E_REFUSED;
    }
    return set_path(member, value);
}

static int set_by_type(const struct options_row *row, void *member, struct str value)
{
    if (!is_printable(value))
        return OPTIONS_E_REFUSED;
    switch (row->type) {
    case OPTIONS_TYPE_LISTEN:
        return set_listen(member, value);
    case OPTIONS_TYPE_PATH:
        return set_path(member, value);
    case OPTIONS_TYPE_TOKEN:
        return set_token(member, value);
    case OPTIONS_TYPE_IP:
        return set_ip(member, value);
    case OPTIONS_TYPE_IPS:
        return set_ips(member, value);
    case OPTIONS_TYPE_ORIGINS:
        return set_texts(member, value, is_origin);
    case OPTIONS_TYPE_HOSTS:
        return set_texts(member, value, is_host);
    case OPTIONS_TYPE_RULES:
        return set_texts(member, value, is_rule);
    case OPTIONS_TYPE_PORTS:
        return set_ports(member, value);
    case OPTIONS_TYPE_WS_URLS:
        return set_texts(member, value, is_ws_url);
    case OPTIONS_TYPE_NUMBER:
        return set_number(row, member, value);
    case OPTIONS_TYPE_DURATION:
        return set_duration(row, member, value);
    case OPTIONS_TYPE_BOOL:
        return set_bool(member, value);
    case OPTIONS_TYPE_WORD:
        return set_word(row, member, value);
    }
    return OPTIONS_E_REFUSED;
}

int config_value_set(const struct options_row *row, struct str value, struct options *options,
                     struct text *why)
{
    int r = set_by_type(row, member_of(row, options), str_trim(value));
    if (r != OPTIONS_E_REFUSED)
        return r;
    struct config_text range = {0};
    config_value_write_range(row, &range);
    if (!range.failed)
        text_printf(why, "must be %s", range.p);
    r = range.failed ? -ENOMEM : OPTIONS_E_REFUSED;
    config_text_deinit(&range);
    return r;
}

/** In the largest unit that gives a whole number. */
static void write_duration(mono_us us, struct config_text *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(duration_units); i++) {
        const struct duration_unit *unit = &duration_units[i];
        if (us % unit->us == 0 && us >= unit->us) {
            config_text_printf(ret, "%" PRId64 "%s", us / unit->us, unit->name);
            return;
        }
    }
    config_text_put(ret, STR("0s"));
}

static void write_ips(const struct options_ips *ips, struct config_text *ret)
{
    char buf[ADDR_TEXT_MAX];
    if (ips->is_auto)
        config_text_put(ret, STR("auto"));
    for (size_t i = 0; i < ips->n; i++)
        config_text_printf(ret, "%s%s", i ? ", " : "", addr_write_ip(&ips->item[i], buf));
}

static void write_texts(const struct options_texts *texts, struct config_text *ret)
{
    for (size_t i = 0; i < texts->n; i++)
        config_text_printf(ret, "%s%s", i ? ", " : "", texts->item[i]);
}

static void write_ports(const struct options_ports *ports, struct config_text *ret)
{
    if (ports->last)
        config_text_printf(ret, "%u-%u", (unsigned)ports->first, (unsigned)ports->last);
}

static uint32_t number_of(const struct options_row *row, const void *member)
{
    if (row->size == sizeof(uint16_t))
        return *(const uint16_t *)member;
    return *(const uint32_t *)member;
}

void config_value_write(const struct options_row *row, const struct options *options,
                        struct config_text *ret)
{
    const void *member = member_of_const(row, options);
    char buf[ADDR_TEXT_MAX];
    switch (row->type) {
    case OPTIONS_TYPE_LISTEN:
    case OPTIONS_TYPE_PATH:
    case OPTIONS_TYPE_TOKEN:
        config_text_put(ret, str_of(*(char *const *)member));
        break;
    case OPTIONS_TYPE_IP:
        config_text_put(ret, str_of(addr_write_ip(member, buf)));
        break;
    case OPTIONS_TYPE_IPS:
        write_ips(member, ret);
        break;
    case OPTIONS_TYPE_ORIGINS:
    case OPTIONS_TYPE_HOSTS:
    case OPTIONS_TYPE_RULES:
    case OPTIONS_TYPE_WS_URLS:
        write_texts(member, ret);
        break;
    case OPTIONS_TYPE_PORTS:
        write_ports(member, ret);
        break;
    case OPTIONS_TYPE_NUMBER:
        config_text_printf(ret, "%" PRIu32, number_of(row, member));
        break;
    case OPTIONS_TYPE_DURATION:
        write_duration(*(const mono_us *)member, ret);
        break;
    case OPTIONS_TYPE_BOOL:
        config_text_put(ret, *(const bool *)member ? STR("true") : STR("false"));
        break;
    case OPTIONS_TYPE_WORD:
        config_text_put(ret, str_of(row->words[number_of(row, member)]));
        break;
    }
}

void config_value_write_range(const struct options_row *row, struct config_text *ret)
{
    switch (row->type) {
    case OPTIONS_TYPE_LISTEN:
        config_text_put(ret, STR("address:port, [IPv6]:port or empty"));
        break;
    case OPTIONS_TYPE_PATH:
        config_text_printf(ret, "a path of at most %d characters", OPTIONS_TEXT_MAX);
        break;
    case OPTIONS_TYPE_TOKEN:
        config_text_printf(ret, "%d to %d of A-Z a-z 0-9 - . _ ~", TOKEN_MIN, TOKEN_MAX);
        break;
    case OPTIONS_TYPE_IP:
        config_text_put(ret, STR("an IPv4 or IPv6 address"));
        break;
    case OPTIONS_TYPE_IPS:
        config_text_put(ret, STR("unicast addresses, at most one of each family, or auto"));
        break;
    case OPTIONS_TYPE_ORIGINS:
        config_text_printf(ret, "up to %d of scheme://host or scheme://host:port, in lower case",
                           OPTIONS_LIST_MAX);
        break;
    case OPTIONS_TYPE_HOSTS:
        config_text_printf(ret, "up to %d of host, host:port or [IPv6]:port", OPTIONS_LIST_MAX);
        break;
    case OPTIONS_TYPE_RULES:
        config_text_printf(ret,
                           "up to %d of name, name*, address or network/bits, each with or "
                           "without - in front",
                           OPTIONS_LIST_MAX);
        break;
    case OPTIONS_TYPE_PORTS:
        config_text_put(ret, STR("first-last, from 1024 to 65535 and at least an even port and the "
                                 "one above it, or empty"));
        break;
    case OPTIONS_TYPE_WS_URLS:
        config_text_printf(ret, "up to %d of ws://host:port/path or wss://host:port/path",
                           OPTIONS_LIST_MAX);
        break;
    case OPTIONS_TYPE_NUMBER:
        config_text_printf(ret, "%" PRId64 " to %" PRId64 "%s%s", row->min, row->max,
                           row->unit ? " " : "", row->unit ? row->unit : "");
        break;
    case OPTIONS_TYPE_DURATION:
        write_duration(row->min, ret);
        config_text_put(ret, STR(" to "));
        write_duration(row->max, ret);
        config_text_put(ret, STR(", with its unit (h, min, s, ms, us)"));
        break;
    case OPTIONS_TYPE_BOOL:
        config_text_put(ret, STR("true or false"));
        break;
    case OPTIONS_TYPE_WORD:
        for (size_t i = 0; row->words[i]; i++)
            config_text_printf(ret, "%s%s",
                               i == 0              ? ""
                               : row->words[i + 1] ? ", "
                                                   : " or ",
                               row->words[i]);
        break;
    }
}

void config_value_clear(const struct options_row *row, struct options *options)
{
    char **text;
    switch (row->type) {
    case OPTIONS_TYPE_LISTEN:
    case OPTIONS_TYPE_PATH:
    case OPTIONS_TYPE_TOKEN:
        text = member_of(row, options);
        mem_free(*text);
        *text = NULL;
        break;
    case OPTIONS_TYPE_ORIGINS:
    case OPTIONS_TYPE_HOSTS:
    case OPTIONS_TYPE_RULES:
    case OPTIONS_TYPE_WS_URLS:
        free_texts(member_of(row, options));
        break;
    case OPTIONS_TYPE_IP:
    case OPTIONS_TYPE_IPS:
    case OPTIONS_TYPE_PORTS:
    case OPTIONS_TYPE_NUMBER:
    case OPTIONS_TYPE_DURATION:
    case OPTIONS_TYPE_BOOL:
    case OPTIONS_TYPE_WORD:
        break;
    }
}
