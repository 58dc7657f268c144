//! Stands in for the tracker where it was not built in.
#![allow(missing_docs)]

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use super::{Registered, Told};
use crate::error::{Error, Result};
use crate::show::{Block, Show, Table};

/// Runs, in a build that keeps none.
#[derive(Clone)]
pub struct Runs(Infallible);

/// The trials of a search, in a build that keeps none.
pub struct Trials(Infallible);

/// Says how to get a build that keeps runs.
pub fn ready() -> Result<()> {
    Err(missing())
}

fn missing() -> Error {
    Error::usage("this build leaves the tracking of runs out; build with: cargo build --release --features track")
}

impl Runs {
    pub fn at(_: Option<&str>) -> Result<Self> {
        Err(missing())
    }
    pub fn home(&self) -> String {
        match self.0 {}
    }
    pub fn folder(&self) -> PathBuf {
        match self.0 {}
    }
    pub fn list(&self, _: Option<&str>, _: usize) -> Result<Table> {
        match self.0 {}
    }
    pub fn show(&self, _: &str) -> Result<Table> {
        match self.0 {}
    }
    pub fn compare(&self, _: &[&str]) -> Result<Table> {
        match self.0 {}
    }
    pub fn send(&self) -> Result<String> {
        match self.0 {}
    }
    pub fn download(&self, _: &str, _: &str, _: impl AsRef<Path>) -> Result<Vec<PathBuf>> {
        match self.0 {}
    }
    pub(crate) fn record(&self, _: Told) -> Result<String> {
        match self.0 {}
    }
    pub(crate) fn trials(&self, _: Told) -> Result<Trials> {
        match self.0 {}
    }
    pub fn register(&self, _: &str, _: &str, _: &str, _: &[(&str, &str)]) -> Result<Registered> {
        match self.0 {}
    }
    pub fn alias(&self, _: &str, _: &str, _: u32) -> Result<()> {
        match self.0 {}
    }
    pub fn champion(&self, _: &str) -> Result<Option<Registered>> {
        match self.0 {}
    }
    pub fn promotions(&self, _: &str) -> Result<Table> {
        match self.0 {}
    }
    pub fn versions(&self, _: &str) -> Result<Vec<Registered>> {
        match self.0 {}
    }
}

impl Trials {
    pub(crate) fn scored(&self, _: &str, _: &str, _: usize, _: f64, _: Result<f64, &str>) {
        match self.0 {}
    }
    pub(crate) fn finish(self, _: Told) -> Result<String> {
        match self.0 {}
    }
}

impl Show for Runs {
    fn block(&self) -> Block {
        match self.0 {}
    }
}

crate::show::noun!(Runs);
