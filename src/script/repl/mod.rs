//! `tradewind repl`: line after line at a prompt.

#[cfg(not(feature = "cli"))]
mod disabled;
#[cfg(feature = "cli")]
mod enabled;

#[cfg(not(feature = "cli"))]
pub use disabled::repl;
#[cfg(feature = "cli")]
pub use enabled::repl;
