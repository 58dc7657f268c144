//! Stands in for the monitor where it was not built in.
#![allow(missing_docs)]

use std::convert::Infallible;
use std::path::Path;

use chrono::{DateTime, Utc};

use super::{Doubts, Monitored, Overridden, Override, ValueAdded};
use crate::error::{Error, Result};
use crate::forecast::Forecast;
use crate::panel::Panel;
use crate::show::{Block, Finding, Show, Table};

/// A monitor, in a build that has none.
#[derive(Clone)]
pub struct Monitor(Infallible);

/// Says how to get a build that monitors.
pub fn ready() -> Result<()> {
    Err(missing())
}

fn missing() -> Error {
    Error::usage("this build leaves monitoring out; build with: cargo build --release --features monitor")
}

impl Monitor {
    pub fn open(_: &str, _: Option<&Path>) -> Result<Self> {
        Err(missing())
    }
    pub fn issue(&self, _: &Forecast, _: &str) -> Result<String> {
        match self.0 {}
    }
    pub fn receive(&self, _: &Panel) -> Result<Monitored> {
        match self.0 {}
    }
    pub fn accuracy(&self) -> Result<Table> {
        match self.0 {}
    }
    pub fn worst(&self, _: usize) -> Result<Table> {
        match self.0 {}
    }
    pub fn drift(&self) -> Result<Table> {
        match self.0 {}
    }
    pub fn alerts(&self) -> Result<Table> {
        match self.0 {}
    }
    pub fn keep(&self, _: &Override) -> Result<String> {
        match self.0 {}
    }
    pub fn withdraw(&self, _: &str) -> Result<()> {
        match self.0 {}
    }
    pub fn overrides(&self) -> Result<Table> {
        match self.0 {}
    }
    pub fn release(&self, _: &Forecast, _: &str, _: &str, _: Doubts) -> Result<Overridden> {
        match self.0 {}
    }
    pub fn value_added(&self) -> Result<ValueAdded> {
        match self.0 {}
    }
    pub(crate) fn troubles_since(&self, _: DateTime<Utc>) -> Result<Vec<String>> {
        match self.0 {}
    }
    pub(crate) fn refitted(&self, _: &str, _: Option<&str>) -> Result<()> {
        match self.0 {}
    }
}

impl Forecast {
    pub fn overridden(&self, _: &str, _: impl IntoIterator<Item = Override>) -> Result<Overridden> {
        Err(missing())
    }
}

impl Panel {
    pub fn drift(&self, _: &str) -> Result<Finding> {
        Err(missing())
    }
}

impl Show for Monitor {
    fn block(&self) -> Block {
        match self.0 {}
    }
}

crate::show::noun!(Monitor);
