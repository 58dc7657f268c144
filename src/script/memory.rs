//! How much memory may a script take?
//!
//! Rhai can count the contents of arrays and maps, but does so at every method call, over all of them: a loop that
//! collects rows would take quadratic time, and what is put into a map by its index is not counted at all. So the
//! memory of the process is watched while a script runs. Calls that create much from little ([`refuse`]) are checked
//! beforehand, because no watch is quick enough for them; and a process of its own has a [`ceiling`] below that of the
//! machine, at which it ends alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, INT, ImmutableString, Map, NativeCallContext, Position};

use super::session::{self, Limits};
use super::{shown, text};
use crate::files;
use crate::job::{self, Fence, Stop};

/// How often is looked. Doubling an array of gigabytes takes longer.
const EVERY: Duration = Duration::from_millis(10);
/// What one call makes may take the memory divided by this.
const SHARE: u64 = 4;
/// What threads and libraries set aside besides stacks.
const SPARE: u64 = 1 << 30;
/// Bytes of a value in an array; of a text besides its letters.
const VALUE: u64 = 16;
const TEXT: u64 = 64;
/// How deep values may lie in each other where they are repeated.
const DEEPEST: usize = 200;

/// A look at memory and clock, while it lasts.
pub(super) struct Watch(Arc<AtomicBool>);

impl Watch {
    /// Stops what works behind a fence as soon as the process holds more than it may, or it takes too long.
    pub fn begin(limits: &Limits, fence: &Arc<Fence>) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let resident = || memory_stats::memory_stats().map_or(0, |memory| memory.physical_mem);
        let most = resident().saturating_add(limits.memory);
        let time = Duration::from_secs(limits.seconds);
        let (fence, over, begun) = (fence.clone(), ended.clone(), Instant::now());
        // Without a thread to watch, nothing is refused.
        let _ = job::apart("watch", move || {
            while !over.load(Ordering::Relaxed) {
                if resident() > most {
                    return fence.stop(Stop::Memory);
                }
                // A text that has just ended leaves the next one alone.
                if begun.elapsed() > time && !over.load(Ordering::Relaxed) {
                    return fence.stop(Stop::Time);
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

/// The memory that a script may take: what is stated, and no more than a third of what the machine or the container
/// has, or a quarter of what the system has left this process: a value that is added to itself takes its size twice
/// more meanwhile.
pub(super) fn within_reach(stated: usize) -> usize {
    let machine = files::machine_memory().map_or(u64::MAX, |all| all / 3);
    let left = given().map_or(u64::MAX, |given| given.saturating_sub(set_aside()) / 4);
    stated.min(usize::try_from(machine.min(left)).unwrap_or(usize::MAX))
}

/// Gives this process a ceiling above what a script may take and beneath what the machine has: what the limits of
/// scripts did not see coming ends the process, and nothing else on the machine.
pub(super) fn ceiling(limits: &Limits) {
    let script = within_reach(limits.memory) as u64;
    let held = script / 4 * 13;
    let held = files::machine_memory().map_or(held, |all| held.min(all / 10 * 9)).max(script);
    let threads = rayon::current_num_threads() as u64;
    let stacks = session::STACK as u64 + threads * session::SHALLOW as u64;
    #[cfg(unix)]
    {
        use rlimit::Resource;
        let most = held + set_aside() + stacks + SPARE;
        // A system that knows no such ceiling does without.
        if let Ok((soft, hard)) = Resource::DATA.get()
            && most < soft
        {
            let _ = Resource::DATA.set(most, hard);
        }
    }
}

/// What this process has set aside, used or not, as the system counts it.
fn set_aside() -> u64 {
    memory_stats::memory_stats().map_or(0, |memory| memory.virtual_mem as u64)
}

/// What the system lets this process set aside; none if it does not say.
fn given() -> Option<u64> {
    #[cfg(unix)]
    {
        use rlimit::Resource;
        let soft = [Resource::DATA, Resource::AS].into_iter().filter_map(|resource| Some(resource.get().ok()?.0));
        soft.min().filter(|soft| *soft < rlimit::INFINITY)
    }
    #[cfg(not(unix))]
    None
}

type Answer<T> = Result<T, Box<EvalAltResult>>;

/// May one call make so many things of that many bytes?
fn fits(what: &str, count: u64, each: u64) -> Answer<()> {
    Ok(job::room(what, count, each.saturating_mul(SHARE))?)
}

/// May one call make a text of that many bytes?
fn text_fits(bytes: usize) -> Answer<()> {
    fits("characters of a text", bytes as u64, 1)
}

/// Bytes that a copy of a value takes besides the value itself; more than there can be where values lie too deep.
fn copied(value: &Dynamic, depth: usize) -> u64 {
    if depth > DEEPEST {
        return u64::MAX;
    }
    if let Some(items) = value.read_lock::<Array>() {
        let inside = items.iter().map(|item| copied(item, depth + 1).saturating_add(VALUE));
        return inside.fold(VALUE, u64::saturating_add);
    }
    if let Some(map) = value.read_lock::<Map>() {
        let inside = map.iter().map(|(name, item)| copied(item, depth + 1).saturating_add(TEXT + name.len() as u64));
        return inside.fold(TEXT, u64::saturating_add);
    }
    value.read_lock::<Blob>().map_or(0, |blob| blob.len() as u64)
}

/// Refuses what one call would make out of little: arrays, blobs and texts of more than `most` elements, and whatever
/// would take a large part of the memory.
pub(super) fn refuse(engine: &mut Engine, most: usize) {
    let check = move |what: &str, length: INT| match usize::try_from(length) {
        Ok(length) if length > most => {
            Err(Box::new(EvalAltResult::ErrorDataTooLarge(format!("Size of {what}"), Position::NONE)))
        }
        length => Ok(length.unwrap_or(0)),
    };
    engine.register_fn("pad", move |array: &mut Array, length: INT, item: Dynamic| -> Answer<()> {
        let length = check("array", length)?.max(array.len());
        fits("values", (length - array.len()) as u64, copied(&item, 0).saturating_add(VALUE))?;
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
    joining(engine);
    replacing(engine);
    splitting(engine);
    reading(engine);
    printing(engine);
}

/// What puts two values together. The operators of Rhai itself (`+=`, and `+` of texts) cannot be asked without slowing
/// down all others; they add a copy at most, which the watch sees and the ceiling leaves room for.
fn joining(engine: &mut Engine) {
    engine.register_fn("append", |text: &mut ImmutableString, other: &str| -> Answer<()> {
        text_fits(text.len() + other.len())?;
        text.make_mut().push_str(other);
        Ok(())
    });
    fn array(array: &mut Array, mut other: Array) -> Answer<()> {
        fits("values", (array.len() + other.len()) as u64, VALUE)?;
        array.append(&mut other);
        Ok(())
    }
    engine.register_fn("append", array);
    engine.register_fn("+", |mut one: Array, other: Array| array(&mut one, other).map(|()| one));
    engine.register_fn("append", |blob: &mut Blob, mut other: Blob| -> Answer<()> {
        fits("bytes", (blob.len() + other.len()) as u64, 1)?;
        blob.append(&mut other);
        Ok(())
    });
}

fn replacing(engine: &mut Engine) {
    fn replace(text: &mut ImmutableString, find: &str, by: &str) -> Answer<()> {
        // Rhai takes an empty text for one in which nothing is found.
        if text.is_empty() {
            return Ok(());
        }
        let found = text.matches(find).count();
        let length = (text.len() - found * find.len()).saturating_add(found.saturating_mul(by.len()));
        text_fits(length)?;
        *text = text.replace(find, by).into();
        Ok(())
    }
    fn of(letter: char, buffer: &mut [u8; 4]) -> &str {
        letter.encode_utf8(buffer)
    }
    engine.register_fn("replace", replace);
    engine.register_fn("replace", |text: &mut ImmutableString, find: char, by: &str| {
        replace(text, of(find, &mut [0; 4]), by)
    });
    engine.register_fn("replace", |text: &mut ImmutableString, find: &str, by: char| {
        replace(text, find, of(by, &mut [0; 4]))
    });
    engine.register_fn("replace", |text: &mut ImmutableString, find: char, by: char| {
        replace(text, of(find, &mut [0; 4]), of(by, &mut [0; 4]))
    });
}

fn splitting(engine: &mut Engine) {
    /// A text of each part of another; one that holds no delimiter is its own only part.
    fn parts<'a>(
        text: &'a ImmutableString,
        parts: impl Fn() -> Box<dyn Iterator<Item = &'a str> + 'a>,
    ) -> Answer<Array> {
        if text.is_empty() {
            return Ok(vec![text.clone().into()]);
        }
        fits("texts", parts().count() as u64, VALUE + TEXT)?;
        Ok(parts().map(Into::into).collect())
    }
    /// As many parts as were asked for, at least the text itself.
    fn count(segments: INT) -> usize {
        usize::try_from(segments).unwrap_or(0).max(1)
    }
    type Text<'a> = &'a mut ImmutableString;
    engine.register_fn("split", |text: Text| parts(text, || Box::new(text.split_whitespace())));
    engine.register_fn("split", |text: Text, by: &str| parts(text, || Box::new(text.split(by))));
    engine.register_fn("split", |text: Text, by: char| parts(text, || Box::new(text.split(by))));
    engine.register_fn("split", |text: Text, by: &str, n: INT| parts(text, || Box::new(text.splitn(count(n), by))));
    engine.register_fn("split", |text: Text, by: char, n: INT| parts(text, || Box::new(text.splitn(count(n), by))));
    engine.register_fn("split_rev", |text: Text, by: &str| parts(text, || Box::new(text.rsplit(by))));
    engine.register_fn("split_rev", |text: Text, by: char| parts(text, || Box::new(text.rsplit(by))));
    engine
        .register_fn("split_rev", |text: Text, by: &str, n: INT| parts(text, || Box::new(text.rsplitn(count(n), by))));
    engine
        .register_fn("split_rev", |text: Text, by: char, n: INT| parts(text, || Box::new(text.rsplitn(count(n), by))));
    engine.register_fn("to_chars", |text: &str| -> Answer<Array> {
        fits("letters", text.len() as u64, VALUE)?;
        Ok(text.chars().map(Dynamic::from).collect())
    });
    engine.register_fn("to_array", |blob: &mut Blob| -> Answer<Array> {
        fits("values", blob.len() as u64, VALUE)?;
        Ok(blob.iter().map(|byte| Dynamic::from(INT::from(*byte))).collect())
    });
}

fn reading(engine: &mut Engine) {
    engine.register_fn("parse_json", |context: NativeCallContext, text: &str| -> Answer<Dynamic> {
        fits("characters of JSON", text.len() as u64, VALUE)?;
        Ok(context.engine().parse_json(text, true)?.into())
    });
}

/// What writes values as text. Where Rhai puts a text together, it passes over a function that fails, and writes all
/// the same: the script is stopped instead.
fn printing(engine: &mut Engine) {
    fn bounded((text, whole): (String, bool)) -> ImmutableString {
        if whole {
            return text.into();
        }
        job::stop(Stop::Text);
        ImmutableString::new()
    }
    for name in ["to_string", "to_debug", "print", "debug"] {
        engine.register_fn(name, |items: &mut Array| bounded(shown::items(items)));
        engine.register_fn(name, |map: &mut Map| bounded(text::map(map)));
    }
    engine.register_fn("to_json", |map: &mut Map| -> Answer<String> {
        // As text it is about as long.
        if text::map(map).1 {
            Ok(rhai::format_map_as_json(map))
        } else {
            Err(Box::new(EvalAltResult::ErrorDataTooLarge("Size of text".into(), Position::NONE)))
        }
    });
}
