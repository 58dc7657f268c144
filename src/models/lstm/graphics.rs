//! Is there a card to calculate with?

use burn_tensor::Device;

use crate::error::{Error, Result};

/// Where tensors are kept on a card.
///
/// # Errors
/// Saying what is missing.
#[cfg(not(feature = "cuda"))]
pub(super) fn card() -> Result<Device> {
    Err(Error::usage(
        "device=cuda asks for an NVIDIA card, and this program was built without support for one; build it with it: cargo build \
         --release --features lstm,cuda, or take device=cpu",
    ))
}

/// Where tensors are kept on a card.
///
/// # Errors
/// Saying what is missing.
#[cfg(feature = "cuda")]
pub(super) fn card() -> Result<Device> {
    Device::enumerate(burn_tensor::DeviceType::Cuda).first().cloned().ok_or_else(|| {
        Error::usage(
            "device=cuda asks for an NVIDIA card, and there is none that this program may use, or no driver; take device=cpu",
        )
    })
}
