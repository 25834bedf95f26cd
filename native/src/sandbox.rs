//! Runs engine code on a stack of known size and turns a panic into an error.
//!
//! The engine recurses over policies and values, so the stack it gets must not depend on which
//! Python thread happens to call. An overflow cannot be caught: it kills the process. `checks`
//! therefore bounds the recursion to what fits into these stacks. They are only address space; a
//! page costs memory when it is first touched.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crate::fault::Fault;

/// For modules that the checks have not seen yet.
pub(crate) const COMPILE_STACK: usize = 256 * 1024 * 1024;
/// The largest size that glibc keeps for the next thread, which makes starting one ten times faster.
pub(crate) const EVALUATE_STACK: usize = 32 * 1024 * 1024;
const WORKER: &str = "gate-native";

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the panics of our workers off stderr and notes where they happened.
pub fn install_panic_hook() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if thread::current().name() == Some(WORKER) {
            PANIC.set(Some(info.to_string()));
        } else {
            previous(info);
        }
    }));
}

/// Runs `work` to its end on a thread of its own. The caller must have released the GIL.
pub(crate) fn run<T: Send>(stack: usize, work: impl FnOnce() -> Result<T, Fault> + Send) -> Result<T, Fault> {
    let guarded =
        || panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(fault(payload)));
    thread::scope(|scope| {
        thread::Builder::new()
            .name(WORKER.to_owned())
            .stack_size(stack)
            .spawn_scoped(scope, guarded)
            .map_err(|error| Fault::Panic(format!("cannot start a thread: {error}")))?
            .join()
            .unwrap_or_else(|payload| Err(fault(payload)))
    })
}

fn fault(payload: Box<dyn Any + Send>) -> Fault {
    let message = payload.downcast_ref::<String>().cloned();
    Fault::Panic(PANIC.take().or(message).unwrap_or_else(|| "the engine panicked".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_fault_with_its_place() {
        install_panic_hook();
        let fault = run(EVALUATE_STACK, || -> Result<(), Fault> { panic!("of a kind") });
        let Err(Fault::Panic(text)) = fault else { panic!("{fault:?}") };
        assert!(text.contains("of a kind") && text.contains("sandbox.rs"), "{text}");
    }

    #[test]
    fn results_and_faults_pass_through() {
        assert_eq!(run(EVALUATE_STACK, || Ok(7)), Ok(7));
        assert_eq!(
            run::<()>(EVALUATE_STACK, || Err(Fault::Input("x".into()))),
            Err(Fault::Input("x".into()))
        );
    }

    #[test]
    fn the_stack_is_as_large_as_asked_for() {
        fn deep(levels: usize) -> usize {
            let page = std::hint::black_box([levels; 512]);
            if levels == 0 { page[0] } else { 1 + deep(levels - 1) }
        }
        // 4 KiB a level: 16 MiB, which is twice what a thread has by default.
        assert_eq!(run(COMPILE_STACK, || Ok(deep(4096))), Ok(4096));
    }
}
