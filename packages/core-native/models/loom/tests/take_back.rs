//! drop-oldest: the sender takes back what the receiver may be taking. [SYNC take-back]

mod support;

use loom::sync::atomic::Ordering::Relaxed;
use memlane_loom::orders::Orders;
use memlane_loom::scenario::{send_and_take, Sizes};
use support::{explore, must_fail};

const SIZES: Sizes =
    Sizes { depth: 1, capacity: 2, returns: 4, slots: 3, sends: 3, takes: 2, drop_oldest: true, peeks: false };
const PEEKING: Sizes = Sizes { slots: 4, sends: 4, takes: 1, peeks: true, ..SIZES };

#[test]
fn holds() {
    explore("take-back", 3, || send_and_take(Orders::AS_IN_THE_CODE, SIZES));
}

#[test]
fn holds_with_two_that_wait() {
    let sizes = Sizes { depth: 2, capacity: 4, slots: 4, sends: 4, ..SIZES };
    explore("take-back, depth 2", 2, move || send_and_take(Orders::AS_IN_THE_CODE, sizes));
}

#[test]
fn holds_for_who_looks_without_taking() {
    explore("take-back, looks", 2, || send_and_take(Orders::AS_IN_THE_CODE, PEEKING));
}

#[test]
fn each_mutant_is_found() {
    let mutants: [(&str, Sizes, fn(&mut Orders)); 7] = [
        ("no fence in the sender", SIZES, |orders| orders.sender_fence = false),
        ("no fence in the receiver", SIZES, |orders| orders.receiver_fence = false),
        ("no yield for what is skipped", SIZES, |orders| orders.yields_what_it_skips = false),
        ("floor stored relaxed", SIZES, |orders| orders.floor_store = Relaxed),
        ("floor loaded relaxed", SIZES, |orders| orders.floor_load = Relaxed),
        ("tail stored relaxed", SIZES, |orders| orders.tail_store = Relaxed),
        ("no fence between a copy and the look at the floor", PEEKING, |orders| orders.copy_fence = false),
    ];
    for (name, sizes, change) in mutants {
        let mut orders = Orders::AS_IN_THE_CODE;
        change(&mut orders);
        must_fail(name, 3, move || send_and_take(orders, sizes));
    }
}
