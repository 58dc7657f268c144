//! One test program whose files mirror the rooms.
mod oracles;
