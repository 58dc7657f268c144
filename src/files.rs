//! stub
use crate::error::*;
pub(crate) fn write_atomically(path: &std::path::Path, write: impl FnOnce(&mut std::fs::File) -> Result<()>) -> Result<()> { let mut f = std::fs::File::create(path).map_err(|e| Error::io("x").because(e))?; write(&mut f) }
