//! The threads that share the work of many instances.
//!
//! The thread that the program starts with is one of them. Memory that any other thread asks for comes
//! in small steps, and each of them is a call of the system.

use std::sync::{Once, OnceLock};
use std::thread::{self, ThreadId};

static FIRST: OnceLock<ThreadId> = OnceLock::new();

/// Says that the calling thread lives as long as the program.
pub fn this_is_the_first() {
    // A second call changes nothing.
    let _ = FIRST.set(thread::current().id());
}

/// Starts the threads, before work is given to them, where the first thread asks.
pub(crate) fn start() {
    static STARTED: Once = Once::new();
    if FIRST.get() == Some(&thread::current().id()) {
        STARTED.call_once(|| {
            let threads = rayon::ThreadPoolBuilder::new().use_current_thread();
            // Where this is refused, rayon starts threads of its own.
            let _ = threads.build_global();
        });
    }
}
