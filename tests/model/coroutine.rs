//! A thread of execution that others can be given turns in the middle of.

use std::cell::{Cell, RefCell};

use generator::{Generator, Gn};

/// In machine words.
const STACK: usize = 0x8000;

type Job = Box<dyn FnOnce()>;

thread_local! {
    static NEXT: RefCell<Option<Job>> = const { RefCell::new(None) };
    static DONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs one job after the other, each up to its next [`pause`] at a time.
pub struct Coroutine(Generator<'static, (), ()>);

impl Coroutine {
    pub fn new() -> Self {
        // What it runs it finds: a closure that carried it could not be sent.
        Self(Gn::new_opt(STACK, || {
            while let Some(job) = NEXT.take() {
                job();
                DONE.set(true);
                pause();
            }
        }))
    }

    /// Begins a job and runs it to its first pause; true when it is done.
    pub fn begin(&mut self, job: Job) -> bool {
        NEXT.set(Some(job));
        self.resume()
    }

    /// Runs on to the next pause; true when the job is done.
    pub fn resume(&mut self) -> bool {
        self.0.resume();
        DONE.take()
    }
}

impl Drop for Coroutine {
    fn drop(&mut self) {
        // Without a job it ends; in the middle of one the test has failed.
        self.0.resume();
    }
}

/// Back to whoever resumed this coroutine.
#[expect(deprecated, reason = "what replaces it has to be handed down, here through the code under test")]
pub fn pause() {
    generator::yield_with(());
}
