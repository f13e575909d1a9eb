/**
 * Mailbox between threads: many senders, one receiver, ownership moves with the message.
 *
 * Lock-free: senders push onto a stack with one compare-and-swap, the receiver takes the whole
 * stack with one exchange and turns it round. A sender learns whether the box was empty, so that
 * only the first message of a burst needs to wake the receiver.
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/** First member of every message. */
struct mail {
    struct mail *next; /**< of the mailbox while it is in one */
};

struct mailbox {
    _Atomic(struct mail *) top;
};

static inline void mailbox_init(struct mailbox *box)
{
    atomic_init(&box->top, NULL);
}

/** @return true when the box was empty: wake the receiver */
static inline bool mailbox_put(struct mailbox *box, struct mail *mail)
{
    struct mail *top = atomic_load_explicit(&box->top, memory_order_relaxed);
    do {
        mail->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&box->top, &top, mail, memory_order_release,
                                                    memory_order_relaxed));
    return top == NULL;
}

/** All messages, oldest first, linked by `next`; NULL = none. They belong to the caller now. */
static inline struct mail *mailbox_take_all(struct mailbox *box)
{
    struct mail *mail = atomic_exchange_explicit(&box->top, NULL, memory_order_acquire);
    struct mail *oldest = NULL;
    while (mail) {
        struct mail *next = mail->next;
        mail->next = oldest;
        oldest = mail;
        mail = next;
    }
    return oldest;
}

#endif
