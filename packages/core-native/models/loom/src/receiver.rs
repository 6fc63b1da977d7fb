//! ring/receiver_ring.hpp, and of port/receiver_link.hpp what takes and gives back.

use crate::halves::{ReceiverHalf, SenderHalf, YIELDED};
use crate::orders::{store_then_look_fence, Orders, RELAXED};
use loom::sync::atomic::{fence, Ordering};
use loom::sync::Arc;

pub struct Receiver {
    own: Arc<ReceiverHalf>,
    peer: Arc<SenderHalf>,
    orders: Orders,
    may_be_taken_back: bool,
    // Private copies, as in ReceiverRing.
    head: usize,
    returns_tail: usize,
    tail: usize,
    returns_head: usize,
    floor: usize,
    // Returns for which there was no room: in the code they travel as messages, which the kernel orders.
    pub messages: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Look {
    pub sequence: usize,
    pub slot: usize,
    pub position: usize,
}

impl Receiver {
    pub fn new(own: Arc<ReceiverHalf>, peer: Arc<SenderHalf>, orders: Orders, may_be_taken_back: bool) -> Self {
        Receiver {
            own,
            peer,
            orders,
            may_be_taken_back,
            head: 0,
            returns_tail: 0,
            tail: 0,
            returns_head: 0,
            floor: 0,
            messages: Vec::new(),
        }
    }

    pub fn anything_waits(&mut self) -> bool {
        self.head != self.tail || self.refresh_tail()
    }

    fn look(&mut self) -> Option<Look> {
        while self.anything_waits() {
            if self.may_be_taken_back {
                let floor = self.load_floor();
                if floor > self.head {
                    self.head = floor;
                    self.own.head.store(self.head, self.orders.head_store);
                    if self.orders.yields_what_it_skips {
                        self.give_back(floor - 1, YIELDED);
                    }
                    continue;
                }
            }
            if self.tail - self.head > self.peer.descriptors.len() {
                if self.may_be_taken_back && self.load_floor() > self.head {
                    continue;
                }
                panic!("the sender's tail is out of range");
            }
            let place = &self.peer.descriptors[self.head % self.peer.descriptors.len()];
            if !self.may_be_taken_back {
                place.witness.read();
            }
            return Some(Look {
                sequence: place.sequence.load(RELAXED),
                slot: place.slot.load(RELAXED),
                position: self.head,
            });
        }
        None
    }

    /// For a guess at a descriptor that was not taken: whether the copy is whole.
    pub fn peek(&mut self) -> Option<Look> {
        let look = self.look()?;
        if self.may_be_taken_back {
            if self.orders.copy_fence {
                fence(Ordering::Acquire);
            }
            if self.load_floor() > look.position {
                return None;
            }
        }
        Some(look)
    }

    /// ReceiverLink::take. What was taken back at the same moment is yielded.
    pub fn take(&mut self) -> Option<Look> {
        while let Some(look) = self.look() {
            self.head = look.position + 1;
            self.own.head.store(self.head, self.orders.head_store);
            if !self.may_be_taken_back {
                return Some(look);
            }
            store_then_look_fence(self.orders.receiver_fence);
            if self.load_floor() <= look.position {
                return Some(look);
            }
            self.give_back(look.position, YIELDED);
        }
        None
    }

    pub fn give_back(&mut self, position: usize, ticket: usize) {
        let capacity = self.own.returns.len();
        if self.returns_tail - self.returns_head == capacity {
            let head = self.peer.returns_head.load(self.orders.returns_head_load);
            assert!(
                head >= self.returns_head && head <= self.returns_tail,
                "returns were collected that were not there"
            );
            self.returns_head = head;
            if self.returns_tail - self.returns_head == capacity {
                self.messages.push((position, ticket));
                return;
            }
        }
        let entry = &self.own.returns[self.returns_tail % capacity];
        entry.witness.written();
        entry.position.store(position, RELAXED);
        entry.ticket.store(ticket, RELAXED);
        self.returns_tail += 1;
        self.own.returns_tail.store(self.returns_tail, self.orders.returns_tail_store);
    }

    fn refresh_tail(&mut self) -> bool {
        let tail = self.peer.tail.load(self.orders.tail_load);
        assert!(tail >= self.tail, "the sender's tail went back");
        self.tail = tail;
        self.tail != self.head
    }

    fn load_floor(&mut self) -> usize {
        let floor = self.peer.floor.load(self.orders.floor_load);
        assert!(floor >= self.floor, "the sender's floor went back");
        if floor > self.tail {
            self.refresh_tail();
            assert!(floor <= self.tail, "the sender took back what it never sent");
        }
        self.floor = floor;
        floor
    }
}
