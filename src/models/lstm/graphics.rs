//! Is there a card to calculate with?

#[cfg(feature = "cuda")]
use nvml_wrapper::error::NvmlError;

use crate::error::{Error, Result};

/// Nothing where a card can be used.
///
/// # Errors
/// Saying what is missing.
#[cfg(not(feature = "cuda"))]
pub(super) fn there() -> Result<()> {
    Err(Error::usage(
        "device=cuda asks for an NVIDIA card, and this program was built without support for one; build it with it: cargo build \
         --release --features lstm,cuda, or take device=cpu",
    ))
}

/// Nothing where a card can be used.
///
/// # Errors
/// Saying what is missing.
#[cfg(feature = "cuda")]
pub(super) fn there() -> Result<()> {
    let absent = |why: &str| Error::usage(format!("device=cuda asks for an NVIDIA card, {why}; take device=cpu"));
    match nvml_wrapper::Nvml::init().and_then(|driver| driver.device_count()) {
        Ok(1..) => Ok(()),
        Ok(0) => Err(absent("and there is none")),
        Err(NvmlError::LibloadingError(_)) => Err(absent("and NVIDIA's driver is not installed")),
        Err(cause) => Err(absent("and its driver does not answer").because(cause.to_string())),
    }
}

/// Where tensors are kept on the card.
#[cfg(feature = "cuda")]
pub(super) fn device() -> burn_tensor::Device {
    burn_tensor::Device::cuda(0)
}

/// Where tensors are kept without one.
#[cfg(not(feature = "cuda"))]
pub(super) fn device() -> burn_tensor::Device {
    burn_tensor::Device::flex()
}
