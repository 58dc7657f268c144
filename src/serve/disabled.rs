//! Stands in for the server where it was not built in.
#![allow(missing_docs)]

use std::convert::Infallible;

use super::{Hosting, Served};
use crate::error::{Error, Result};
use crate::show::Table;

/// What is served, in a build that has no server.
pub struct Serving(Infallible);

/// Says how to get a build that serves.
pub fn ready() -> Result<()> {
    Err(missing())
}

fn missing() -> Error {
    Error::usage("this build leaves the server out; build with: cargo build --release --features serve")
}

impl Serving {
    pub fn open(_: Served) -> Result<Self> {
        Err(missing())
    }
}

pub fn host(serving: Serving, _: &Hosting, _: &str, _: impl FnOnce(&str)) -> Result<()> {
    match serving.0 {}
}

pub fn new_token(_: &str, _: &str, _: &str, _: u32) -> Result<(String, String)> {
    Err(missing())
}

pub fn list_tokens(_: &str) -> Result<Table> {
    Err(missing())
}

pub fn revoke_token(_: &str, _: &str) -> Result<()> {
    Err(missing())
}
