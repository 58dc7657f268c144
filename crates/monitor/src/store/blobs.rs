//! How do numbers lie in the bytes of a row?
//!
//! One after another, each with its least significant byte first: as Parquet, NumPy and every processor of today have them.
//! Readers check the length and never trust it.

use crate::error::{Error, Result};

/// The bytes of numbers.
pub(crate) fn pack(values: impl IntoIterator<Item = f64>) -> Vec<u8> {
    values.into_iter().flat_map(f64::to_le_bytes).collect()
}

/// The numbers of bytes.
pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<f64>> {
    let (values, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(broken());
    }
    Ok(values.iter().map(|value| f64::from_le_bytes(*value)).collect())
}

/// The bytes of whole numbers.
pub(crate) fn pack_whole(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The whole numbers of bytes.
pub(crate) fn unpack_whole(bytes: &[u8]) -> Result<Vec<i64>> {
    let (values, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(broken());
    }
    Ok(values.iter().map(|value| i64::from_le_bytes(*value)).collect())
}

/// The `width` numbers from place `from * width` on, without reading the others.
pub(crate) fn part(bytes: &[u8], from: usize, width: usize, into: &mut Vec<f64>) -> Result<()> {
    let (values, _) = bytes.as_chunks::<8>();
    let values = values.get(from * width..(from + 1) * width).ok_or_else(broken)?;
    into.clear();
    into.extend(values.iter().map(|value| f64::from_le_bytes(*value)));
    Ok(())
}

/// What is said of bytes that are no such numbers.
pub(crate) fn broken() -> Error {
    Error::data("the store holds a row of another length than it should; restore the store from a backup")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_comes_back_bit_by_bit(bits in prop::collection::vec(any::<u64>(), 0..200)) {
            let packed = pack(bits.iter().map(|bits| f64::from_bits(*bits)));
            let back: Vec<u64> = unpack(&packed).unwrap().into_iter().map(f64::to_bits).collect();
            prop_assert_eq!(&back, &bits);
            let whole: Vec<i64> = bits.iter().map(|bits| *bits as i64).collect();
            prop_assert_eq!(unpack_whole(&pack_whole(&whole)).unwrap(), whole);
        }

        #[test]
        fn no_bytes_are_read_beyond_their_end(bytes in prop::collection::vec(any::<u8>(), 0..100), from in 0_usize..20, width in 1_usize..5) {
            let mut values = Vec::new();
            prop_assert_eq!(part(&bytes, from, width, &mut values).is_ok(), (from + 1) * width * 8 <= bytes.len() / 8 * 8);
            prop_assert_eq!(unpack(&bytes).is_ok(), bytes.len() % 8 == 0);
        }
    }
}
