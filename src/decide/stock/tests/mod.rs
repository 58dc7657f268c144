//! Tests of the room: against other software, against brute force, and against simulation.

mod oracles;
mod properties;
mod refusals;
mod simulations;

/// Fails unless two numbers agree to a relative tolerance, or absolutely to that of a number of size `scale`.
#[track_caller]
fn close(ours: f64, theirs: f64, tolerance: f64, scale: f64, context: &str) {
    let deviation = (ours - theirs).abs();
    assert!(deviation <= tolerance * theirs.abs().max(scale), "{ours} is not {theirs}: {context}");
}

fn dice(seed: u64) -> rand_chacha::ChaCha8Rng {
    rand::SeedableRng::seed_from_u64(seed)
}
