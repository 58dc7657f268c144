//! Stands in for typst where it was not built in.

/// Says how to get PDF.
pub(super) fn ready() -> Result<(), String> {
    Err("this build leaves PDF out; build with: cargo build --release --features pdf".into())
}

pub(super) fn compile(
    _: &str,
    _: &[(String, Vec<u8>)],
    _: &[&'static [u8]],
    _: &[Vec<u8>],
    _: &str,
) -> Result<(Vec<u8>, Vec<String>), String> {
    ready().map(|()| (Vec::new(), Vec::new()))
}
