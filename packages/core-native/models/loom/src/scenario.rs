//! Two threads on one link, and what must be true whatever happens.

use crate::halves::{ReceiverHalf, SenderHalf};
use crate::orders::Orders;
use crate::receiver::Receiver;
use crate::sender::Sender;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

/// The payloads: plain memory, of which loom sees whether two touch it at once.
pub struct Payloads(Vec<UnsafeCell<usize>>);
unsafe impl Send for Payloads {}
unsafe impl Sync for Payloads {}

impl Payloads {
    pub fn new(count: usize) -> Self {
        Payloads((0..count).map(|_| UnsafeCell::new(0)).collect())
    }
    pub fn write(&self, slot: usize, value: usize) {
        self.0[slot].with_mut(|payload| unsafe { *payload = value });
    }
    pub fn read(&self, slot: usize) -> usize {
        self.0[slot].with(|payload| unsafe { *payload })
    }
}

#[derive(Clone, Copy)]
pub struct Sizes {
    pub depth: usize,
    pub capacity: usize, // more than the depth: layout/half.hpp, ring_capacity
    pub returns: usize,
    pub slots: usize, // payloads
    pub sends: usize, // attempts
    pub takes: usize, // attempts
    pub drop_oldest: bool,
    pub peeks: bool, // the receiver also looks without taking
}

/// One thread sends, one takes, neither waits for the other. Nothing may be read while it is written, be torn, come
/// twice, out of order or not at all, and in the end the sender has everything back.
pub fn send_and_take(orders: Orders, sizes: Sizes) {
    let sender_half = Arc::new(SenderHalf::new(sizes.capacity));
    let receiver_half = Arc::new(ReceiverHalf::new(sizes.returns));
    let payloads = Arc::new(Payloads::new(sizes.slots));
    let mut sender =
        Sender::new(sender_half.clone(), receiver_half.clone(), orders, sizes.depth, sizes.slots, sizes.drop_oldest);
    let mut receiver = Receiver::new(receiver_half, sender_half, orders, sizes.drop_oldest);

    let theirs = payloads.clone();
    let takes = move |receiver: &mut Receiver, attempts: usize, taken: &mut Vec<usize>| {
        for _ in 0..attempts {
            if sizes.peeks {
                if let Some(look) = receiver.peek() {
                    assert_eq!(look.sequence, look.position + 1, "a torn or stale copy passed for whole");
                }
            }
            let Some(look) = receiver.take() else { continue };
            assert_eq!(look.sequence, look.position + 1, "a torn or stale copy was taken");
            assert_eq!(theirs.read(look.slot), look.sequence, "the payload is another's");
            taken.push(look.position);
            receiver.give_back(look.position, look.slot);
        }
    };
    let at_work = takes.clone();
    let thread = thread::spawn(move || {
        let mut taken = Vec::new();
        at_work(&mut receiver, sizes.takes, &mut taken);
        (receiver, taken)
    });
    for _ in 0..sizes.sends {
        if sender.free_slot().is_none() {
            sender.collect_returns();
        }
        let Some(slot) = sender.free_slot() else { continue };
        if !sender.has_room() {
            if !sizes.drop_oldest {
                continue;
            }
            sender.drop_oldest();
        }
        payloads.write(slot, sender.tail() + 1);
        sender.push(slot);
    }
    let (mut receiver, mut taken) = thread.join().unwrap();

    takes(&mut receiver, sizes.sends + 1, &mut taken); // the rest
    sender.collect_returns();
    for (position, ticket) in std::mem::take(&mut receiver.messages) {
        sender.accept(position, ticket);
    }
    assert_eq!(sender.outstanding(), 0, "a payload never came back");
    assert!(taken.windows(2).all(|pair| pair[0] < pair[1]), "out of order: {taken:?}");
    let mut all = taken.clone();
    all.extend(&sender.dropped);
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..sender.tail()), "lost or doubled: taken {taken:?}, dropped {:?}", sender.dropped);
}
