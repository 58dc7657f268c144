//! What can go wrong, under names that stay: every refusal is `application/problem+json` (RFC 9457).

use std::fmt;

/// Why a request is not answered as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which kind of refusal it is.
    pub kind: Kind,
    /// What, where, and what to do.
    pub detail: String,
    /// Seconds after which to try again.
    pub retry_after: Option<u64>,
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $status:literal, $name:literal, $title:literal;)*) => {
        /// The kinds of refusals.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[doc = $doc])+ $kind,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$kind,)*];

            /// The HTTP status.
            pub fn status(self) -> u16 {
                match self { $(Kind::$kind => $status,)* }
            }

            /// The name, which never changes.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// What it means, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title,)* }
            }
        }
    };
}

kinds! {
    /// The body is no JSON, or no form.
    Malformed = 400, "malformed-body", "The body cannot be read";
    /// A header, a query or a path is wrong.
    BadRequest = 400, "bad-request", "The request is wrong";
    /// There is no token, or it is wrong, expired or revoked.
    Unauthenticated = 401, "not-authenticated", "A valid token is needed";
    /// The token's role does not suffice.
    Forbidden = 403, "not-allowed", "The role does not allow this";
    /// The request comes from another site's page, or its form is out of date.
    CrossSite = 403, "cross-site", "The request does not come from this site's pages";
    /// No such page.
    NotFound = 404, "not-found", "There is nothing here";
    /// No such model.
    UnknownModel = 404, "unknown-model", "No such model is served";
    /// No such series.
    UnknownSeries = 404, "unknown-series", "The model has no such series";
    /// The model was not fitted with such a method, or there is none of this name.
    UnknownMethod = 404, "unknown-method", "No such method";
    /// The model has no such covariate.
    UnknownCovariate = 404, "unknown-covariate", "The model has no such covariate";
    /// No such job.
    UnknownJob = 404, "unknown-job", "There is no such job";
    /// No such upload.
    UnknownUpload = 404, "unknown-upload", "There is no such upload";
    /// The path exists, not with this method.
    MethodNotAllowed = 405, "method-not-allowed", "The path does not take this method";
    /// None of the formats that are accepted.
    NotAcceptable = 406, "not-acceptable", "The answer cannot be given in this format";
    /// The client was too slow.
    Timeout = 408, "timeout", "The request took too long";
    /// It cannot be done in the present state: a result of a job that goes on.
    Conflict = 409, "conflict", "That is not possible now";
    /// The model needs the coming values of a covariate, and the request has none.
    MissingCovariate = 409, "missing-covariate", "The model needs coming values of a covariate";
    /// The fields of a plan or a policy contradict each other, or one is beyond what it may be.
    UnusablePlan = 409, "unusable-plan", "The plan cannot be carried out as it is";
    /// The body, the archive or the work is larger than allowed.
    TooLarge = 413, "too-large", "More than one request may ask for";
    /// The content type is not one that is read here.
    UnsupportedType = 415, "unsupported-media-type", "The content type is not read here";
    /// The request can be read, and is wrong.
    Invalid = 422, "invalid-request", "The request cannot be met as it is";
    /// The data cannot be used as they are.
    BadData = 422, "unusable-data", "The data cannot be used as they are";
    /// Too many requests at once, or jobs that wait.
    Busy = 429, "busy", "Too much to do at the moment";
    /// The work was cancelled.
    Cancelled = 409, "cancelled", "The work was cancelled";
    /// A mistake of ours.
    Internal = 500, "internal-error", "Something went wrong here";
    /// The store, the disk or a model cannot be used now.
    Unavailable = 503, "unavailable", "Not available at the moment";
    /// A model file is damaged.
    DamagedModel = 503, "damaged-model", "The model cannot be read";
    /// The disk is full.
    DiskFull = 507, "disk-full", "There is no room left on the disk";
}

impl Fault {
    /// A refusal with what, where and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after: (kind == Kind::Busy).then_some(1) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Fault {}
