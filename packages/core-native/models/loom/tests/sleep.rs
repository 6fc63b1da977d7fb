//! No wake-up is lost. [SYNC sleep]

mod support;

use loom::sync::atomic::Ordering::Relaxed;
use memlane_loom::orders::Orders;
use memlane_loom::sleep::wait_for_all;
use support::{explore, must_fail};

#[test]
fn holds() {
    explore("sleep", 3, || wait_for_all(Orders::AS_IN_THE_CODE, 1, 2));
}

#[test]
fn holds_with_two_who_bring() {
    explore("sleep, two bring", 2, || wait_for_all(Orders::AS_IN_THE_CODE, 2, 1));
}

#[test]
fn each_mutant_is_found() {
    let mutants: [(&str, fn(&mut Orders)); 5] = [
        ("no fence in who waits", |orders| orders.waiter_fence = false),
        ("no fence in who brings", |orders| orders.bringer_fence = false),
        ("no second look", |orders| orders.looks_again = false),
        ("what is brought is stored relaxed", |orders| orders.tail_store = Relaxed),
        ("what is brought is loaded relaxed", |orders| orders.tail_load = Relaxed),
    ];
    for (name, change) in mutants {
        let mut orders = Orders::AS_IN_THE_CODE;
        change(&mut orders);
        must_fail(name, 3, move || wait_for_all(orders, 1, 2));
    }
}
