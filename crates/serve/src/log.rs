//! What is written down while a server runs: one JSON object per line, to stderr.

use tracing_subscriber::EnvFilter;

/// Begins to write down what happens; `TRADEWIND_LOG` says how much (`warn`, `info`, `debug`, or by module).
pub fn log() {
    let filter = EnvFilter::try_from_env("TRADEWIND_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let _ = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_writer(std::io::stderr)
        // A line that cannot be written (a file on a full disk) would be told of on stderr as well, which panics, and the hook below once
        // more: the server would end.
        .log_internal_errors(false)
        .with_env_filter(filter)
        .try_init();
    // A mistake of ours is a line like all others.
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let what = info.payload_as_str().unwrap_or("a panic");
        tracing::error!(place, what, "a mistake in the program");
    }));
}
