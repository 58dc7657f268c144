//! The mathematics of the marketing budget against hand-computed values, independent implementations and simulated
//! markets.

pub(crate) mod market;
mod oracles;
mod properties;
