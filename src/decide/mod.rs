//! Decisions from a distribution of demand: how much to order of each item, and what that is expected to cost.

pub mod stock;
