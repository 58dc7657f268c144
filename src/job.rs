//! What a piece of work takes along to every thread that it runs on: the fence that its files must lie behind, and what
//! it has read and written.
//!
//! A job is entered by [`Job::during`] on the thread that starts the work. Work that is spread over other threads is
//! wrapped by [`carried`], which enters the job of the thread that spread it.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use crate::files::{Fence, Guard};

/// The work of whoever calls the library without more ado.
static PROCESS: LazyLock<Job> = LazyLock::new(Job::default);

thread_local! {
    static CURRENT: RefCell<Job> = RefCell::new(PROCESS.clone());
}

/// A piece of work, whatever threads it runs on; a clone is the same job.
#[derive(Clone, Default)]
pub(crate) struct Job(Arc<Inner>);

#[derive(Default)]
struct Inner {
    fence: Option<Fence>,
    guard: Arc<Guard>,
}

impl Job {
    /// Work behind a fence.
    pub(crate) fn behind(fence: Fence) -> Self {
        Self(Arc::new(Inner { fence: Some(fence), ..Inner::default() }))
    }

    /// The job that this thread works for.
    pub(crate) fn current() -> Self {
        CURRENT.with_borrow(Self::clone)
    }

    /// The fence of this job, if it has one.
    pub(crate) fn fence(&self) -> Option<&Fence> {
        self.0.fence.as_ref()
    }

    /// What this job has read and written.
    pub(crate) fn guard(&self) -> Arc<Guard> {
        self.0.guard.clone()
    }

    /// Does `work` as a part of this job.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        /// Puts back what stood before, also when `work` panics.
        struct Before(Job);
        impl Drop for Before {
            fn drop(&mut self) {
                CURRENT.set(std::mem::take(&mut self.0));
            }
        }
        let _before = Before(CURRENT.replace(self.clone()));
        work()
    }
}

/// `work` as a part of the job of this thread, on whatever thread it is called.
pub(crate) fn carried<A, T>(work: impl Fn(A) -> T) -> impl Fn(A) -> T {
    let job = Job::current();
    move |part| job.during(|| work(part))
}
