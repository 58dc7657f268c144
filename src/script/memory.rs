//! How much memory may a script take?
//!
//! Rhai can count what arrays and maps hold, but does so at every call of a method on one, all of it: a loop that collects
//! rows would take the square of their number, and what is put into a map by its index is not counted at all. So the process
//! is watched instead while a script runs, and the few functions that make something huge by one call are asked before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, INT, ImmutableString, Position};

/// How often is looked. Doubling an array of gigabytes takes longer.
const EVERY: Duration = Duration::from_millis(10);

/// What ends a script that takes too much.
#[derive(Clone)]
pub(super) struct Exceeded;

/// A look at the memory of the process, while it lasts.
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    /// Sets `exceeded` as soon as the process holds `most` bytes more than now.
    pub fn begin(most: usize, exceeded: &Arc<AtomicBool>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        exceeded.store(false, Ordering::Relaxed);
        let resident = || memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem);
        let limit = resident().saturating_add(most);
        let (exceeded, over) = (exceeded.clone(), ended.clone());
        // Without a thread to watch, nothing is refused.
        let _ = std::thread::Builder::new().name("memory".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                if resident() > limit {
                    exceeded.store(true, Ordering::Relaxed);
                    return;
                }
                std::thread::sleep(EVERY);
            }
        });
        Self(ended)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

type Answer<T> = Result<T, Box<EvalAltResult>>;

/// Refuses arrays, blobs and texts of more than `most` elements that one call would make.
pub(super) fn refuse(engine: &mut Engine, most: usize) {
    let check = move |what: &str, length: INT| match usize::try_from(length) {
        Ok(length) if length > most => {
            Err(Box::new(EvalAltResult::ErrorDataTooLarge(format!("Size of {what}"), Position::NONE)))
        }
        length => Ok(length.unwrap_or(0)),
    };
    engine.register_fn("pad", move |array: &mut Array, length: INT, item: Dynamic| -> Answer<()> {
        let length = check("array", length)?.max(array.len());
        array.resize(length, item);
        Ok(())
    });
    engine.register_fn("pad", move |blob: &mut Blob, length: INT, value: INT| -> Answer<()> {
        let length = check("blob", length)?.max(blob.len());
        blob.resize(length, (value & 0xff) as u8);
        Ok(())
    });
    engine.register_fn("blob", move |length: INT| -> Answer<Blob> { Ok(vec![0; check("blob", length)?]) });
    engine.register_fn("blob", move |length: INT, value: INT| -> Answer<Blob> {
        Ok(vec![(value & 0xff) as u8; check("blob", length)?])
    });
    let pad = move |text: &mut ImmutableString, length: INT, by: &str| -> Answer<()> {
        let missing = check("text", length)?.saturating_sub(text.chars().count());
        text.make_mut().extend(by.chars().cycle().take(if by.is_empty() { 0 } else { missing }));
        Ok(())
    };
    engine.register_fn("pad", move |text: &mut ImmutableString, length: INT, by: &str| pad(text, length, by));
    engine.register_fn("pad", move |text: &mut ImmutableString, length: INT, by: char| {
        pad(text, length, by.encode_utf8(&mut [0; 4]))
    });
}
