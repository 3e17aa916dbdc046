//! The synchronisation primitives that a connection and its user's actor share.
//! In unit tests each operation first asks the model checker, if one runs on this
//! thread, who goes on: see `tests/model`.

#[cfg(not(test))]
pub use std::sync::Mutex;
#[cfg(not(test))]
pub use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

#[cfg(test)]
pub use stepped::{Mutex, Notify, OwnedSemaphorePermit, Scheduler, Semaphore, with_scheduler};

#[cfg(test)]
mod stepped {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LockResult, MutexGuard};

    use tokio::sync::{AcquireError, SemaphorePermit, TryAcquireError};

    /// Decides who goes on before each operation.
    pub trait Scheduler {
        /// Returns when it is the caller's turn to perform `operation`.
        fn step(&self, operation: &'static str);
        /// The caller has observed `value`.
        fn observe(&self, value: usize);
        /// Returns how many permits the caller is to see.
        fn permits(&self, real: usize) -> usize;
    }

    thread_local! {
        static SCHEDULER: RefCell<Option<Rc<dyn Scheduler>>> = const { RefCell::new(None) };
    }

    /// Runs under a scheduler.
    pub fn with_scheduler<T>(scheduler: Rc<dyn Scheduler>, run: impl FnOnce() -> T) -> T {
        SCHEDULER.set(Some(scheduler));
        let outcome = run();
        SCHEDULER.set(None);
        outcome
    }

    fn scheduler() -> Option<Rc<dyn Scheduler>> {
        // At the end of a thread there is none.
        SCHEDULER.try_with(|scheduler| scheduler.borrow().clone()).ok().flatten()
    }

    fn step(operation: &'static str) {
        if let Some(scheduler) = scheduler() {
            scheduler.step(operation);
        }
    }

    fn observe(value: usize) {
        if let Some(scheduler) = scheduler() {
            scheduler.observe(value);
        }
    }

    #[derive(Debug, Default)]
    pub struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            step("lock");
            self.0.lock()
        }

        /// For the model: without a step.
        pub fn peek(&self) -> MutexGuard<'_, T> {
            self.0.lock().unwrap()
        }
    }

    #[derive(Debug, Default)]
    pub struct Notify {
        real: tokio::sync::Notify,
        notified: AtomicBool,
    }

    impl Notify {
        pub fn notify_one(&self) {
            step("notify");
            self.notified.store(true, Ordering::SeqCst);
            self.real.notify_one();
        }

        pub async fn notified(&self) {
            self.real.notified().await;
            self.notified.store(false, Ordering::SeqCst);
        }

        /// For the model: whether there is a notification that nobody has taken.
        pub fn is_notified(&self) -> bool {
            self.notified.load(Ordering::SeqCst)
        }
    }

    #[derive(Debug)]
    pub struct Semaphore(Arc<tokio::sync::Semaphore>);

    impl Semaphore {
        pub fn new(permits: usize) -> Self {
            Self(Arc::new(tokio::sync::Semaphore::new(permits)))
        }

        pub fn available_permits(&self) -> usize {
            step("count permits");
            let real = self.0.available_permits();
            let seen = scheduler().map_or(real, |scheduler| scheduler.permits(real));
            observe(seen);
            seen
        }

        pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
            step("acquire");
            let permit = self.0.clone().try_acquire_owned();
            observe(permit.is_ok().into());
            permit.map(|permit| OwnedSemaphorePermit(Some(permit)))
        }

        pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
            self.0.acquire().await
        }

        /// For the model: without a step.
        pub fn peek(&self) -> usize {
            self.0.available_permits()
        }
    }

    #[derive(Debug)]
    pub struct OwnedSemaphorePermit(Option<tokio::sync::OwnedSemaphorePermit>);

    impl Drop for OwnedSemaphorePermit {
        fn drop(&mut self) {
            step("release");
            drop(self.0.take());
        }
    }
}
