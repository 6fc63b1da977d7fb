//! The two halves of a link: layout/half.hpp and layout/descriptor.hpp.

use loom::cell::UnsafeCell;
use loom::sync::atomic::AtomicUsize;

/// No memory of the code: whoever uses a place of a ring touches this, and loom sees whether two do so at once. (A copy
/// that comes too late is harmless to the words themselves, which are atomic, as long as no processor looks ahead.)
pub struct Witness(UnsafeCell<()>);
unsafe impl Sync for Witness {}

impl Witness {
    fn new() -> Self {
        Witness(UnsafeCell::new(()))
    }
    pub fn written(&self) {
        self.0.with_mut(|_| ());
    }
    pub fn read(&self) {
        self.0.with(|_| ());
    }
}

/// A descriptor is sixteen words; two are enough to be torn.
pub struct DescriptorWords {
    pub witness: Witness,
    pub sequence: AtomicUsize,
    pub slot: AtomicUsize, // where the payload lies; also the ticket
}

pub struct SenderHalf {
    pub tail: AtomicUsize,
    pub floor: AtomicUsize,
    pub armed: AtomicUsize,
    pub returns_head: AtomicUsize,
    pub descriptors: Vec<DescriptorWords>,
}

pub struct ReturnEntry {
    pub witness: Witness,
    pub position: AtomicUsize,
    pub ticket: AtomicUsize,
}

pub struct ReceiverHalf {
    pub head: AtomicUsize,
    pub returns_tail: AtomicUsize,
    pub armed: AtomicUsize,
    pub returns: Vec<ReturnEntry>,
}

pub const YIELDED: usize = 1 << 32;

impl SenderHalf {
    pub fn new(capacity: usize) -> Self {
        let descriptor =
            || DescriptorWords { witness: Witness::new(), sequence: AtomicUsize::new(0), slot: AtomicUsize::new(0) };
        SenderHalf {
            tail: AtomicUsize::new(0),
            floor: AtomicUsize::new(0),
            armed: AtomicUsize::new(0),
            returns_head: AtomicUsize::new(0),
            descriptors: (0..capacity).map(|_| descriptor()).collect(),
        }
    }
}

impl ReceiverHalf {
    pub fn new(capacity: usize) -> Self {
        let entry =
            || ReturnEntry { witness: Witness::new(), position: AtomicUsize::new(0), ticket: AtomicUsize::new(0) };
        ReceiverHalf {
            head: AtomicUsize::new(0),
            returns_tail: AtomicUsize::new(0),
            armed: AtomicUsize::new(0),
            returns: (0..capacity).map(|_| entry()).collect(),
        }
    }
}
