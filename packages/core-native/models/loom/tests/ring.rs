//! The ring without take-back: every send finds its taker, payloads and places are reused only when they are free.

mod support;

use loom::sync::atomic::Ordering::Relaxed;
use memlane_loom::orders::Orders;
use memlane_loom::scenario::{send_and_take, Sizes};
use support::{explore, must_fail};

const SIZES: Sizes =
    Sizes { depth: 1, capacity: 2, returns: 1, slots: 2, sends: 4, takes: 3, drop_oldest: false, peeks: false };
const ABUNDANT: Sizes = Sizes { slots: 4, returns: 4, ..SIZES };

#[test]
fn holds() {
    explore("ring", 3, || send_and_take(Orders::AS_IN_THE_CODE, SIZES));
}

#[test]
fn holds_with_one_payload() {
    explore("ring, one payload", 3, || send_and_take(Orders::AS_IN_THE_CODE, Sizes { slots: 1, returns: 2, ..SIZES }));
}

#[test]
fn holds_where_payloads_abound() {
    explore("ring, no payload is used again", 3, || send_and_take(Orders::AS_IN_THE_CODE, ABUNDANT));
}

#[test]
fn each_weakened_order_is_found() {
    let mutants: [(&str, Sizes, fn(&mut Orders)); 8] = [
        ("tail stored relaxed", SIZES, |orders| orders.tail_store = Relaxed),
        ("tail loaded relaxed", SIZES, |orders| orders.tail_load = Relaxed),
        ("head stored relaxed", ABUNDANT, |orders| orders.head_store = Relaxed),
        ("head loaded relaxed", ABUNDANT, |orders| orders.head_load = Relaxed),
        ("returns_tail stored relaxed", SIZES, |orders| orders.returns_tail_store = Relaxed),
        ("returns_tail loaded relaxed", SIZES, |orders| orders.returns_tail_load = Relaxed),
        ("returns_head stored relaxed", SIZES, |orders| orders.returns_head_store = Relaxed),
        ("returns_head loaded relaxed", SIZES, |orders| orders.returns_head_load = Relaxed),
    ];
    for (name, sizes, change) in mutants {
        let mut orders = Orders::AS_IN_THE_CODE;
        change(&mut orders);
        must_fail(name, 3, move || send_and_take(orders, sizes));
    }
}
