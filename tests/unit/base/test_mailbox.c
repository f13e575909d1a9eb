/* Order, ownership, and the one promise on which sleeping rests: who fills an empty box wakes. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/mailbox.h"

struct letter {
    struct mail mail;
    unsigned sender, n;
};

static void letters_come_in_order(void **state)
{
    struct letter letters[3] = {{.n = 0}, {.n = 1}, {.n = 2}};
    struct mailbox box;
    (void)state;
    mailbox_init(&box);
    assert_null(mailbox_take_all(&box));
    assert_true(mailbox_put(&box, &letters[0].mail));
    assert_false(mailbox_put(&box, &letters[1].mail));
    assert_false(mailbox_put(&box, &letters[2].mail));
    struct mail *mail = mailbox_take_all(&box);
    for (unsigned n = 0; n < 3; n++, mail = mail->next)
        assert_ptr_equal(mail, &letters[n].mail);
    assert_null(mail);
    assert_null(mailbox_take_all(&box));
}

static void the_first_letter_after_a_take_wakes_again(void **state)
{
    struct letter a = {.n = 0}, b = {.n = 1};
    struct mailbox box;
    (void)state;
    mailbox_init(&box);
    assert_true(mailbox_put(&box, &a.mail));
    assert_ptr_equal(mailbox_take_all(&box), &a.mail);
    assert_true(mailbox_put(&box, &b.mail));
    assert_ptr_equal(mailbox_take_all(&box), &b.mail);
}

#define N_SENDERS 4
#define N_LETTERS 20000

struct sender {
    pthread_t thread;
    struct mailbox *box;
    int wake_fd;
    unsigned number;
};

/* Each letter is fresh from the heap: a box that mixed up old and new addresses would show it. */
static void *send_all(void *arg)
{
    struct sender *s = arg;
    for (unsigned n = 0; n < N_LETTERS; n++) {
        struct letter *letter = malloc(sizeof(*letter));
        if (!letter)
            abort();
        letter->sender = s->number;
        letter->n = n;
        uint64_t one = 1;
        if (mailbox_put(s->box, &letter->mail) &&
            write(s->wake_fd, &one, sizeof(one)) != sizeof(one))
            abort();
    }
    return NULL;
}

/* The receiver sleeps whenever it finds the box empty, and is woken by nothing but the box. */
static void nothing_is_lost_between_threads(void **state)
{
    struct sender senders[N_SENDERS];
    unsigned next[N_SENDERS] = {0}, n_taken = 0;
    struct mailbox box;
    (void)state;
    mailbox_init(&box);
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    assert_true(wake_fd >= 0);
    for (unsigned i = 0; i < N_SENDERS; i++) {
        senders[i] = (struct sender){.box = &box, .wake_fd = wake_fd, .number = i};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    while (n_taken < N_SENDERS * N_LETTERS) {
        uint64_t count;
        assert_int_equal(read(wake_fd, &count, sizeof(count)), sizeof(count));
        for (struct mail *mail = mailbox_take_all(&box); mail;) {
            struct letter *letter = CONTAINER_OF(mail, struct letter, mail);
            mail = mail->next;
            assert_int_equal(letter->n, next[letter->sender]);
            next[letter->sender]++;
            n_taken++;
            free(letter);
        }
    }
    for (unsigned i = 0; i < N_SENDERS; i++)
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
    assert_null(mailbox_take_all(&box));
    (void)close(wake_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letters_come_in_order),
        cmocka_unit_test(the_first_letter_after_a_take_wakes_again),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
