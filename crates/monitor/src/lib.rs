//! Are the forecasts of a portfolio still as good as when they were accepted, and if not, since when and why?
//!
//! | module | what it answers |
//! |---|---|
//! | [`drift`] | have the inputs changed, by how much, and what does it cost in accuracy? |
//! | [`detect`] | have the errors changed: the portfolio's, a group's, a series'? At a set rate of false alarms |
//! | [`fault`] | what can go wrong |
//!
//! Everything is a function of numbers: no file, no clock, no threads, and the same input gives the same bits.

pub mod detect;
pub mod drift;
pub mod fault;
