//! How does a noun display itself in a notebook cell?
//!
//! evcxr, the Rust kernel, calls an inherent method `evcxr_display` on the last expression of a cell and reads its
//! output: one `EVCXR_BEGIN_CONTENT <mime>` … `EVCXR_END_CONTENT` block per MIME type; of two with the same type
//! the last wins, so a noun prints exactly one of each.

/// Give a type that implements [`Show`](crate::show::Show) its `Display` and its notebook output.
macro_rules! noun {
    ($($noun:ty),+ $(,)?) => {$(
        impl ::std::fmt::Display for $noun {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str($crate::show::Show::block(self).to_text().trim_end())
            }
        }

        // What a cell shows after a failed `?`, and what Rust asks of an error's other side: the same text.
        impl ::std::fmt::Debug for $noun {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl $noun {
            /// Display in a notebook cell; the Rust kernel calls it on the last expression.
            pub fn evcxr_display(&self) {
                let block = $crate::show::Show::block(self);
                println!("EVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT", block.to_html());
                println!("EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT", block.to_text().trim_end());
            }
        }
    )+};
}
pub(crate) use noun;
