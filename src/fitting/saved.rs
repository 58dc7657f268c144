//! How is a fit written as bytes?

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// A value that can be written to a file; every serde type is one.
pub trait Save {
    /// The value as bytes.
    ///
    /// # Errors
    /// When it cannot be encoded.
    fn save(&self) -> Result<Vec<u8>>;
}

impl<T: Serialize> Save for T {
    fn save(&self) -> Result<Vec<u8>> {
        encode(self)
    }
}

pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    rmp_serde::to_vec_named(value).map_err(|cause| Error::model("the fit cannot be encoded").because(cause))
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    rmp_serde::from_slice(bytes).map_err(|cause| Error::data("the saved fit is damaged").because(cause))
}
