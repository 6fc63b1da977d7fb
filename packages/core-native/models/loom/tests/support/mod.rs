//! How the scenarios are explored: exhaustively up to so many preemptions, within a time that is an error to exceed.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

fn builder(preemptions: usize) -> loom::model::Builder {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder
}

/// Every execution with at most so many preemptions.
pub fn explore(name: &str, preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let count = executions.clone();
    builder(preemptions).check(move || {
        count.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    println!("{name}: {} executions", executions.load(Ordering::Relaxed));
}

/// A mutant that is not found proves that the scenario proves nothing.
#[allow(dead_code)]
pub fn must_fail(name: &str, preemptions: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let found = catch_unwind(AssertUnwindSafe(|| builder(preemptions).check(scenario)));
    let Err(reason) = found else { panic!("the mutant was not found: {name}") };
    let text = reason.downcast_ref::<String>().cloned().or(reason.downcast_ref::<&str>().map(|text| text.to_string()));
    println!("{name}: {}", text.unwrap_or_default().lines().next().unwrap_or_default());
}
