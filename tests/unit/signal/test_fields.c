/*
 * Every field of every message, wrong in every way that its row rules out: made from the method
 * table, so that a new row is tested by being there. Meanwhile alice and bob talk.
 */
#include <stdlib.h>

#include <jansson.h>

#include "signal/methods.h"
#include "unit/signal/harness.h"

/* A message of each kind that is right. */
static const char *const right[] = {
    "{\"id\":\"register\",\"name\":\"carol\",\"extras\":true}",
    "{\"id\":\"call\",\"from\":\"carol\",\"to\":\"zoe\",\"sdpOffer\":\"v=0\"}",
    "{\"id\":\"incomingCallResponse\",\"from\":\"zoe\",\"callResponse\":\"accept\","
    "\"sdpOffer\":\"v=0\",\"message\":\"m\",\"callId\":\"0123456789abcdef\"}",
    "{\"id\":\"onIceCandidate\",\"candidate\":{\"candidate\":\"c\",\"sdpMid\":\"0\","
    "\"sdpMLineIndex\":0,\"usernameFragment\":\"u\"}}",
    "{\"id\":\"reoffer\",\"sdpOffer\":\"v=0\",\"callId\":\"0123456789abcdef\"}",
    "{\"id\":\"stop\",\"callId\":\"0123456789abcdef\"}",
    "{\"id\":\"quality\",\"callId\":\"0123456789abcdef\",\"concealed\":7,\"jitterBuffer\":60}",
    "{\"id\":\"play\",\"user\":\"zoe\",\"sdpOffer\":\"v=0\"}",
    "{\"id\":\"stopPlay\"}",
};

static json_t *right_message(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(right); i++) {
        json_t *object = json_loads(right[i], 0, NULL);
        assert_non_null(object);
        if (strcmp(json_string_value(json_object_get(object, "id")), id) == 0)
            return object;
        json_decref(object);
    }
    fail_msg("no right message for %s", id);
    return NULL;
}

/* One way to be wrong; NULL = this row allows it. */
typedef json_t *(*wrong_value)(const struct signal_field *field);

static bool is_string(const struct signal_field *field)
{
    return field->type == SIGNAL_STRING || field->type == SIGNAL_NAME ||
           field->type == SIGNAL_CALL_ID;
}

static json_t *a_null(const struct signal_field *field)
{
    return field->flags & SIGNAL_NULLABLE ? NULL : json_null();
}

static json_t *a_number(const struct signal_field *field)
{
    return field->type == SIGNAL_INTEGER ? NULL : json_integer(7);
}

static json_t *a_fraction(const struct signal_field *field)
{
    (void)field;
    return json_real(0.5);
}

static json_t *an_object(const struct signal_field *field)
{
    return field->type == SIGNAL_OBJECT ? NULL : json_object();
}

static json_t *an_array(const struct signal_field *field)
{
    (void)field;
    return json_array();
}

static json_t *a_boolean(const struct signal_field *field)
{
    return field->type == SIGNAL_BOOLEAN ? NULL : json_true();
}

static json_t *a_string(const struct signal_field *field)
{
    return is_string(field) ? NULL : json_string("1");
}

static json_t *an_empty_string(const struct signal_field *field)
{
    return !is_string(field) || field->flags & SIGNAL_MAY_BE_EMPTY ? NULL : json_string("");
}

static json_t *too_long(const struct signal_field *field)
{
    if (!is_string(field))
        return NULL;
    size_t len = (field->type == SIGNAL_CALL_ID ? 16 : field->max) + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'a', len);
    json_t *value = json_stringn(text, len);
    free(text);
    return value;
}

static json_t *a_control_character(const struct signal_field *field)
{
    return field->type == SIGNAL_NAME ? json_string("a\nb") : NULL;
}

static json_t *not_hexadecimal(const struct signal_field *field)
{
    return field->type == SIGNAL_CALL_ID ? json_string("0123456789abcdeg") : NULL;
}

static json_t *zero_id(const struct signal_field *field)
{
    return field->type == SIGNAL_CALL_ID ? json_string("0000000000000000") : NULL;
}

static json_t *negative(const struct signal_field *field)
{
    return field->type == SIGNAL_INTEGER ? json_integer(-1) : NULL;
}

static json_t *too_big(const struct signal_field *field)
{
    return field->type == SIGNAL_INTEGER ? json_integer((json_int_t)field->max + 1) : NULL;
}

static const wrong_value wrongs[] = {
    a_null,          a_number, a_fraction,          an_object,       an_array, a_boolean, a_string,
    an_empty_string, too_long, a_control_character, not_hexadecimal, zero_id,  negative,  too_big,
};

static unsigned n_tried;

/* carol sends it; only she hears of it, by an error that names the field and says what is right. */
static void try(struct world *w, const char *id, const char *path, const json_t *message)
{
    char prefix[128];
    char *frame = json_dumps(message, JSON_COMPACT);
    assert_non_null(frame);
    w->now += US_PER_S;
    says(w, CAROL, frame);
    const char *answer = happened(w);
    (void)snprintf(prefix, sizeof(prefix), "carol < {\"id\":\"error\",\"message\":\"%s.%s is ", id,
                   path);
    if (strncmp(answer, prefix, strlen(prefix)) != 0 &&
        !strstr(answer, "has a control character: "))
        fail_msg("%.200s\n  was answered by %s", frame, answer);
    char suffix[128];
    (void)snprintf(suffix, sizeof(suffix),
                   " is needed\",\"reason\":\"bad-field\",\"field\":\"%s\"}\n", path);
    assert_non_null(strstr(answer, suffix));
    assert_null(strchr(strchr(answer, '\n') + 1, '\n')); /* one frame in all */
    assert_int_equal(signal_get_stats(w->s).calls, 1);
    assert_int_equal(signal_get_stats(w->s).users, 4);
    free(frame);
    n_tried++;
}

static void try_field(struct world *w, const char *id, const char *parent,
                      const struct signal_field *field)
{
    char path[SIGNAL_FIELD_MAX];
    (void)snprintf(path, sizeof(path), "%s%s%s", parent ? parent : "", parent ? "." : "",
                   field->name);
    json_t *message = right_message(id);
    json_t *object = parent ? json_object_get(message, parent) : message;
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        json_t *value = wrongs[i](field);
        if (!value)
            continue;
        assert_int_equal(json_object_set_new(object, field->name, value), 0);
        try(w, id, path, message);
    }
    if (!(field->flags & SIGNAL_OPTIONAL)) {
        assert_int_equal(json_object_del(object, field->name), 0);
        try(w, id, path, message);
    }
    json_decref(message);
    for (size_t i = 0; i < field->n_fields; i++)
        try_field(w, id, field->name, &field->fields[i]);
}

WORLD_TEST(every_field_in_every_wrong_way, SIGNAL_JAVA)
{
    size_t n_methods;
    const struct signal_method *methods = signal_methods(&n_methods);
    scene_answered(w);
    for (size_t i = 0; i < n_methods; i++) {
        for (size_t j = 0; j < methods[i].n_fields; j++)
            try_field(w, methods[i].id, NULL, &methods[i].fields[j]);
    }
    assert_true(n_tried > 100);
    says(w, ALICE, "{\"id\":\"stop\"}");
    assert_non_null(strstr(happened(w), "bob < {\"id\":\"stopCommunication\""));
}

WORLD_TEST(java_explains_as_well, SIGNAL_JAVA)
{
    scene_answered(w);
    says(w, CAROL, "{\"id\":\"call\",\"to\":7,\"sdpOffer\":\"A\"}");
    assert_happened(w, "carol < {\"id\":\"error\",\"message\":\"call.to is a number: a string of 1 "
                       "to 64 characters without control characters is needed\","
                       "\"reason\":\"bad-field\",\"field\":\"to\"}\n");
}

WORLD_TEST(right_messages_are_not_refused, SIGNAL_JAVA)
{
    scene_answered(w);
    for (size_t i = 0; i < ARRAY_LEN(right); i++)
        says(w, CAROL, right[i]);
    assert_null(strstr(happened(w), "\"id\":\"error\""));
}

WORLD_TEST(the_longest_values_are_taken, SIGNAL_NODE)
{
    static char frame[70000], offer[SIGNAL_OFFER_MAX + 1];
    memset(offer, 'o', SIGNAL_OFFER_MAX);
    scene_answered(w);
    (void)snprintf(frame, sizeof(frame), "{\"id\":\"call\",\"to\":\"dave\",\"sdpOffer\":\"%s\"}",
                   offer);
    says(w, CAROL, frame);
    assert_happened(w, "dave < {\"id\":\"incomingCall\",\"from\":\"carol\",\"callId\":\"#\"}\n");
}

/* What browsers send: unknown fields, nulls, no index. */
WORLD_TEST(fields_may_be_null_or_missing_or_unknown, SIGNAL_NODE)
{
    scene_answered(w);
    says(w, ALICE,
         "{\"id\":\"onIceCandidate\",\"candidate\":{\"candidate\":\"c\",\"sdpMid\":null,"
         "\"sdpMLineIndex\":null,\"usernameFragment\":null,\"foundation\":1},\"x\":{}}");
    says(w, ALICE, "{\"id\":\"onIceCandidate\",\"candidate\":{\"candidate\":\"\"}}");
    says(w, BOB,
         "{\"id\":\"onIceCandidate\",\"candidate\":{\"candidate\":\"d\",\"sdpMid\":\"a\","
         "\"sdpMLineIndex\":3,\"usernameFragment\":\"uf\"}}");
    assert_happened(w, "media candidate caller [c] [] -1 []\n"
                       "media candidate caller [] [] -1 []\n"
                       "media candidate callee [d] [a] 3 [uf]\n");
}

WORLD_TEST(accepting_needs_an_offer, SIGNAL_NODE)
{
    scene_ringing(w);
    says(w, BOB,
         "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callResponse\":\"accept\"}");
    assert_happened(w, "bob < {\"id\":\"error\",\"message\":\"incomingCallResponse.sdpOffer is "
                       "missing: a string of 1 to 32768 bytes is needed\","
                       "\"reason\":\"bad-field\",\"field\":\"sdpOffer\"}\n");
    says(w, BOB,
         "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callResponse\":\"accept\","
         "\"sdpOffer\":\"B\"}");
    assert_happened(w, "media start A | B\n");
}

WORLD_TEST(offers_are_checked_on_arrival, SIGNAL_NODE)
{
    everybody_registers(w);
    says(w, ALICE, "{\"id\":\"call\",\"to\":\"bob\",\"sdpOffer\":\"bad\"}");
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"the offer has no audio\",\"reason\":\"invalid-offer\"}\n");
    says(w, ALICE, "{\"id\":\"call\",\"to\":\"bob\",\"sdpOffer\":\"A\"}");
    (void)happened(w);
    says(w, BOB,
         "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callResponse\":\"accept\","
         "\"sdpOffer\":\"bad\"}");
    assert_happened(w, "alice < {\"id\":\"callResponse\",\"response\":\"rejected\","
                       "\"message\":\"the offer has no audio\",\"callId\":\"#\","
                       "\"reason\":\"invalid-offer\"}\n"
                       "bob < {\"id\":\"stopCommunication\","
                       "\"message\":\"the offer has no audio\",\"callId\":\"#\","
                       "\"reason\":\"invalid-offer\"}\n"
                       "ended alice-bob invalid-offer\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_in_every_wrong_way),
        cmocka_unit_test(java_explains_as_well),
        cmocka_unit_test(right_messages_are_not_refused),
        cmocka_unit_test(the_longest_values_are_taken),
        cmocka_unit_test(fields_may_be_null_or_missing_or_unknown),
        cmocka_unit_test(accepting_needs_an_offer),
        cmocka_unit_test(offers_are_checked_on_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
