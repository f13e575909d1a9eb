/* ISO 8601 of one form, to the microsecond: see the header. */
#include "file/date.h"

#include <stdio.h>
#include <time.h>

#include "base/time.h"

void file_date_write(int64_t utc_us, char ret[FILE_DATE_MAX])
{
    time_t seconds = (time_t)(utc_us / US_PER_S);
    char day[24] = "";
    struct tm tm;
    if (gmtime_r(&seconds, &tm))
        (void)strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(ret, FILE_DATE_MAX, "%s.%06uZ", day, (unsigned)(utc_us % US_PER_S));
}

/* So many digits, then the separator. */
static bool take(struct str *text, size_t digits, char separator, int *ret)
{
    uint64_t value;
    if (text->len <= digits || text->p[digits] != separator ||
        !str_to_u64(str_head(*text, digits), 9999, &value))
        return false;
    *text = str_tail(*text, digits + 1);
    *ret = (int)value;
    return true;
}

/* Seconds, perhaps with a fraction, and the zone. */
static bool take_seconds(struct str text, int *ret, int64_t *ret_us)
{
    int64_t us = 0, worth = US_PER_S / 10;
    if (take(&text, 2, 'Z', ret)) {
        *ret_us = 0;
        return text.len == 0;
    }
    if (!take(&text, 2, '.', ret) || text.len < 2 || text.p[text.len - 1] != 'Z')
        return false;
    for (size_t i = 0; i < text.len - 1; i++, worth /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        us += (text.p[i] - '0') * worth;
    }
    *ret_us = us;
    return true;
}

static bool is_in_range(const struct tm *tm)
{
    return tm->tm_year >= 1970 && tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1 &&
           tm->tm_mday <= 31 && tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

bool file_date_read(struct str text, int64_t *ret_utc_us)
{
    struct tm tm = {0};
    int64_t us;
    if (!take(&text, 4, '-', &tm.tm_year) || !take(&text, 2, '-', &tm.tm_mon) ||
        !take(&text, 2, 'T', &tm.tm_mday) || !take(&text, 2, ':', &tm.tm_hour) ||
        !take(&text, 2, ':', &tm.tm_min) || !take_seconds(text, &tm.tm_sec, &us) ||
        !is_in_range(&tm))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_utc_us = (int64_t)timegm(&tm) * US_PER_S + us;
    return true;
}
