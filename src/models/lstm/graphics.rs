//! Is there a card to calculate with?

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
    // Nothing of the driver may be called before its library is known to be there.
    if !unsafe { cudarc::driver::sys::is_culib_present() } {
        return Err(absent("and NVIDIA's driver is not installed"));
    }
    match cudarc::driver::CudaContext::device_count() {
        Ok(1..) => Ok(()),
        Ok(_) => Err(absent("and there is none")),
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
