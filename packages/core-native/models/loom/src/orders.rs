//! The memory orders of the protocol, each as the code has it. A mutant is one of these weakened.

use loom::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};

#[derive(Clone, Copy)]
pub struct Orders {
    pub tail_store: Ordering,         // SenderRing::push              [SYNC descriptor]
    pub tail_load: Ordering,          // ReceiverRing::refresh_tail    [SYNC descriptor]
    pub head_store: Ordering,         // ReceiverRing::take, look      [SYNC room]
    pub head_load: Ordering,          // SenderRing::refresh_head      [SYNC room]
    pub returns_tail_store: Ordering, // ReceiverRing::give_back       [SYNC return]
    pub returns_tail_load: Ordering,  // SenderRing::collect_returns   [SYNC return]
    pub returns_head_store: Ordering, // SenderRing::collect_returns   [SYNC returns-room]
    pub returns_head_load: Ordering,  // ReceiverRing::give_back       [SYNC returns-room]
    pub floor_store: Ordering,        // SenderRing::take_back         [SYNC take-back]
    pub floor_load: Ordering,         // ReceiverRing::load_floor      [SYNC take-back]
    pub sender_fence: bool,           // SenderRing::take_back         [SYNC take-back]
    pub receiver_fence: bool,         // ReceiverRing::take            [SYNC take-back]
    pub copy_fence: bool,             // ReceiverRing::still_waits
    pub waiter_fence: bool,           // Waiter::wait, Waiter::rearm   [SYNC sleep]
    pub bringer_fence: bool,          // SenderPort::send, ReceiverLink::ring_if_asleep [SYNC sleep]
    pub yields_what_it_skips: bool,   // ReceiverRing::look
    pub looks_again: bool,            // Waiter::wait
}

impl Orders {
    pub const AS_IN_THE_CODE: Orders = Orders {
        tail_store: Release,
        tail_load: Acquire,
        head_store: Release,
        head_load: Acquire,
        returns_tail_store: Release,
        returns_tail_load: Acquire,
        returns_head_store: Release,
        returns_head_load: Acquire,
        floor_store: Release,
        floor_load: Acquire,
        sender_fence: true,
        receiver_fence: true,
        copy_fence: true,
        waiter_fence: true,
        bringer_fence: true,
        yields_what_it_skips: true,
        looks_again: true,
    };
}

pub const RELAXED: Ordering = Relaxed;

/// store_then_look_fence() of layout/shared.hpp.
pub fn store_then_look_fence(wanted: bool) {
    if wanted {
        loom::sync::atomic::fence(Ordering::SeqCst);
    }
}
