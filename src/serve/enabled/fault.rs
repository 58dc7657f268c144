//! As which refusal is an error told?

use tradewind_serve::{Fault, Kind};

use crate::error::Error;

/// What the machine says of a disk without room.
const FULL: [&str; 4] = ["disk is full", "No space left", "os error 28", "Disk quota exceeded"];
/// What is added to a limit that whoever runs a script may lift.
const LIFTED: &str = "; run it with --unlimited";

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        // A limit, told to those who cannot lift it.
        if let Some((limit, _)) = detail.split_once(LIFTED) {
            return Fault::new(Kind::TooLarge, limit.replace("the script's limit", "the limit"));
        }
        let kind = match () {
            () if error.is_interrupted() => return Fault::new(Kind::Cancelled, "the work was cancelled"),
            () if FULL.iter().any(|words| detail.contains(words)) => Kind::DiskFull,
            () if error.is_usage() => Kind::Invalid,
            () if error.is_io() => Kind::Unavailable,
            () => Kind::BadData,
        };
        Fault::new(kind, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_by_whose_fault_they_are() {
        let kind = |error: Error| Fault::from(error).kind;
        assert_eq!(kind(Error::usage("a horizon is at least 1 step")), Kind::Invalid);
        assert_eq!(kind(Error::data("a date does not parse")), Kind::BadData);
        assert_eq!(kind(Error::model("the series is too short")), Kind::BadData);
        assert_eq!(kind(Error::io("sales.csv cannot be read")), Kind::Unavailable);
        assert_eq!(kind(Error::io("cannot write a.csv: the disk is full; free some space")), Kind::DiskFull);
        assert_eq!(kind(Error::interrupted()), Kind::Cancelled);
        let limit = Fault::from(Error::usage(
            "5 values take more memory than the script's limit of 4 MB; run it with --unlimited if it is meant to",
        ));
        assert_eq!(
            (limit.kind, limit.detail.as_str()),
            (Kind::TooLarge, "5 values take more memory than the limit of 4 MB")
        );
    }
}
