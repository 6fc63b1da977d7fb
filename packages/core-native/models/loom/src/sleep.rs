//! The handshake of sleep and wake-up: port/waiter.hpp, and ring_if_asleep of both links. [SYNC sleep]

use crate::orders::{store_then_look_fence, Orders, RELAXED};
use crate::scenario::Payloads;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;

/// The kernel's pipe: its lock orders what comes before a ring and after a wake-up, as it does in the kernel.
struct Bell(Mutex<bool>);

impl Bell {
    fn ring(&self) {
        *self.0.lock().unwrap() = true;
    }
    fn has_rung(&self) -> bool {
        *self.0.lock().unwrap()
    }
    fn clear(&self) {
        *self.0.lock().unwrap() = false;
    }
}

/// How often the sleeper looks while others work, before it waits for the end of their work.
const NAPS: usize = 2;

/// What of the two halves of a link takes part: the word that is brought, and the one that says "I sleep".
struct Link {
    tail: AtomicUsize,
    armed: AtomicUsize,
}

/// `bringers` peers bring so many things each, and one port waits for all of them. The directions differ in nothing but
/// the names of the words, so this is both. Who sleeps on when nobody is left to ring has lost a wake-up.
pub fn wait_for_all(orders: Orders, bringers: usize, items: usize) {
    let bell = Arc::new(Bell(Mutex::new(false)));
    let links: Vec<_> =
        (0..bringers).map(|_| Arc::new(Link { tail: AtomicUsize::new(0), armed: AtomicUsize::new(0) })).collect();
    let payloads: Vec<_> = (0..bringers).map(|_| Arc::new(Payloads::new(items))).collect();
    let mut at_work = Vec::new();
    for (link, payloads) in links.iter().zip(&payloads) {
        let (link, payloads, bell) = (link.clone(), payloads.clone(), bell.clone());
        at_work.push(thread::spawn(move || {
            let mut last_rung = 0;
            for item in 0..items {
                payloads.write(item, item + 1);
                link.tail.store(item + 1, orders.tail_store);
                store_then_look_fence(orders.bringer_fence);
                let sleep = link.armed.load(RELAXED);
                if sleep != 0 && sleep != last_rung {
                    last_rung = sleep;
                    bell.ring();
                }
            }
        }));
    }

    let mut taken = vec![0; bringers];
    let mut sleep = 0;
    let mut take_one = || {
        for (index, link) in links.iter().enumerate() {
            if taken[index] < link.tail.load(orders.tail_load) {
                assert_eq!(payloads[index].read(taken[index]), taken[index] + 1);
                taken[index] += 1;
                return true;
            }
        }
        false
    };
    let mut missing = bringers * items;
    while missing > 0 {
        if take_one() {
            missing -= 1;
            continue;
        }
        sleep += 1;
        for link in &links {
            link.armed.store(sleep, RELAXED);
        }
        store_then_look_fence(orders.waiter_fence);
        if orders.looks_again && take_one() {
            missing -= 1;
        } else {
            for _ in 0..NAPS {
                if !bell.has_rung() {
                    thread::yield_now();
                }
            }
            if !bell.has_rung() {
                at_work.drain(..).for_each(|bringer| bringer.join().unwrap());
                assert!(bell.has_rung(), "a wake-up was lost");
            }
        }
        bell.clear();
        for link in &links {
            link.armed.store(0, Ordering::Relaxed);
        }
    }
}
