//! Style, script and icon: part of the program, under names that change with what they hold.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use crate::app::App;

/// A file that pages refer to.
pub(crate) struct Asset {
    /// The path without its version.
    pub route: &'static str,
    /// The content type.
    pub kind: &'static str,
    /// What it holds.
    pub text: &'static str,
}

/// How all pages look.
pub(crate) static STYLE: Asset =
    Asset { route: "/assets/style.css", kind: "text/css; charset=utf-8", text: include_str!("style.css") };
/// What pages do beyond plain HTML.
pub(crate) static SCRIPT: Asset =
    Asset { route: "/assets/app.js", kind: "text/javascript; charset=utf-8", text: include_str!("app.js") };
/// The mark in a browser's tab.
pub(crate) static ICON: Asset =
    Asset { route: "/assets/icon.svg", kind: "image/svg+xml", text: include_str!("icon.svg") };

/// Whoever asks for them: they hold nothing that is not public.
pub(super) fn router() -> Router<App> {
    let mut router = Router::new();
    for asset in [&STYLE, &SCRIPT, &ICON] {
        router = router.route(asset.route, get(async || asset.answer()));
    }
    router.layer(CompressionLayer::new())
}

impl Asset {
    fn answer(&self) -> Response<Body> {
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(self.kind)),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        ];
        (headers, self.text).into_response()
    }

    /// The path with a version, so that browsers may keep it forever and still see the next one.
    pub fn path(&self) -> String {
        format!("{}?v={:x}", self.route, self.version())
    }

    /// FNV-1a of the text: it need only differ from one release to the next.
    fn version(&self) -> u32 {
        self.text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_small() {
        assert!(STYLE.text.len() < 24_000 && SCRIPT.text.len() < 24_000);
        assert!(STYLE.path().starts_with("/assets/style.css?v="));
    }
}
