//! See tests/.

pub mod halves;
pub mod orders;
pub mod receiver;
pub mod scenario;
pub mod sender;
pub mod sleep;
