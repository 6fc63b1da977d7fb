//! ring/sender_ring.hpp, and of port/sender_link.hpp what keeps the tickets.

use crate::halves::{ReceiverHalf, SenderHalf, YIELDED};
use crate::orders::{store_then_look_fence, Orders, RELAXED};
use loom::sync::Arc;

pub struct Sender {
    own: Arc<SenderHalf>,
    peer: Arc<ReceiverHalf>,
    orders: Orders,
    depth: usize,
    may_take_back: bool,
    // Private copies, as in SenderRing.
    tail: usize,
    floor: usize,
    head: usize,
    returns_head: usize,
    // Private memory of SenderLink: what is out. `position` by ticket; the ticket is the payload's slot.
    out: Vec<Option<usize>>,
    pub dropped: Vec<usize>, // positions
}

#[derive(PartialEq, Eq, Debug)]
pub enum TakeBack {
    Taken,
    InDoubt,
    Nothing,
}

impl Sender {
    pub fn new(
        own: Arc<SenderHalf>,
        peer: Arc<ReceiverHalf>,
        orders: Orders,
        depth: usize,
        slots: usize,
        may_take_back: bool,
    ) -> Self {
        Sender {
            own,
            peer,
            orders,
            depth,
            may_take_back,
            tail: 0,
            floor: 0,
            head: 0,
            returns_head: 0,
            out: vec![None; slots],
            dropped: Vec::new(),
        }
    }

    pub fn tail(&self) -> usize {
        self.tail
    }

    /// A payload that nobody holds, as SegmentPool::try_allocate.
    pub fn free_slot(&self) -> Option<usize> {
        self.out.iter().position(|ticket| ticket.is_none())
    }

    pub fn outstanding(&self) -> usize {
        self.out.iter().flatten().count()
    }

    pub fn has_room(&mut self) -> bool {
        if self.tail - self.head.max(self.floor) < self.depth {
            return true;
        }
        self.waiting() < self.depth
    }

    fn waiting(&mut self) -> usize {
        self.refresh_head();
        self.tail - self.head.max(self.floor)
    }

    pub fn push(&mut self, slot: usize) {
        assert!(self.out[slot].is_none());
        self.out[slot] = Some(self.tail);
        let place = &self.own.descriptors[self.tail % self.own.descriptors.len()];
        if !self.may_take_back {
            place.witness.written();
        }
        place.sequence.store(self.tail + 1, RELAXED);
        place.slot.store(slot, RELAXED);
        self.tail += 1;
        self.own.tail.store(self.tail, self.orders.tail_store);
    }

    /// SenderRing::take_back and SenderLink::drop_oldest.
    pub fn drop_oldest(&mut self) -> TakeBack {
        self.refresh_head();
        let position = self.head.max(self.floor);
        if position == self.tail {
            return TakeBack::Nothing;
        }
        self.floor = position + 1;
        self.own.floor.store(self.floor, self.orders.floor_store);
        store_then_look_fence(self.orders.sender_fence);
        self.refresh_head();
        if self.head > position {
            return TakeBack::InDoubt; // a return will tell, used or yielded
        }
        let slot = self.out.iter().position(|&at| at == Some(position)).expect("what waits is out");
        self.out[slot] = None;
        self.dropped.push(position);
        TakeBack::Taken
    }

    /// SenderRing::collect_returns and SenderLink::accept.
    pub fn collect_returns(&mut self) {
        let tail = self.peer.returns_tail.load(self.orders.returns_tail_load);
        if tail == self.returns_head {
            return;
        }
        assert!(tail - self.returns_head <= self.peer.returns.len(), "the receiver's ring of returns overran");
        while self.returns_head != tail {
            let entry = &self.peer.returns[self.returns_head % self.peer.returns.len()];
            entry.witness.read();
            let position = entry.position.load(RELAXED);
            let ticket = entry.ticket.load(RELAXED);
            self.returns_head += 1;
            self.accept(position, ticket);
        }
        self.own.returns_head.store(self.returns_head, self.orders.returns_head_store);
    }

    pub fn accept(&mut self, position: usize, ticket: usize) {
        let first_waiting = self.tail - self.waiting();
        assert!(position < first_waiting, "the receiver returned what still waits");
        if ticket & YIELDED != 0 {
            if let Some(slot) = self.out.iter().position(|&at| at == Some(position)) {
                self.out[slot] = None;
                self.dropped.push(position);
            }
            return;
        }
        assert_eq!(self.out[ticket], Some(position), "the receiver returned what it does not hold");
        self.out[ticket] = None;
    }

    fn refresh_head(&mut self) {
        let head = self.peer.head.load(self.orders.head_load);
        assert!(head >= self.head && head <= self.tail, "the receiver's head is out of range");
        self.head = head;
    }
}
