//! How does an answer display itself in a notebook cell?
//!
//! evcxr, the Rust kernel, calls `evcxr_display` on the last expression of a cell and reads its output: one
//! `EVCXR_BEGIN_CONTENT <mime>` … `EVCXR_END_CONTENT` block per MIME type; of two with the same type the last wins,
//! so an answer prints exactly one of each. What has no such method, the kernel prints by `{:?}`.
//!
//! Nouns have it as a method of their own; the trait [`Show`] provides it for foreign types: data frames, columns,
//! lists of numbers and texts. A table in a cell is for reading: [`Table::save`] keeps the values.

use polars::prelude::*;

use super::{Block, Show, Table};

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
                $crate::show::Show::evcxr_display(self);
            }
        }

        impl $crate::show::Show for [$noun] {
            fn block(&self) -> $crate::show::Block {
                $crate::show::Block::Group(self.iter().map($crate::show::Show::block).collect())
            }
        }
    )+};
}
pub(crate) use noun;

/// What [`Show::evcxr_display`] does.
pub(super) fn display(block: &Block) {
    println!("EVCXR_BEGIN_CONTENT text/html\n{}\nEVCXR_END_CONTENT", block.to_html());
    println!("EVCXR_BEGIN_CONTENT text/plain\n{}\nEVCXR_END_CONTENT", block.to_text().trim_end());
}

impl Show for DataFrame {
    fn block(&self) -> Block {
        Block::Table(Table::new(self))
    }
}

impl Show for Column {
    fn block(&self) -> Block {
        self.clone().into_frame().block()
    }
}

impl Show for Series {
    fn block(&self) -> Block {
        self.clone().into_frame().block()
    }
}

/// A list is a table of one column.
fn listed(values: impl IntoColumn) -> Block {
    let mut column = values.into_column();
    column.rename("value".into());
    column.block()
}

macro_rules! lists {
    ($($value:ty => $chunked:ty),+ $(,)?) => {$(
        impl Show for [$value] {
            fn block(&self) -> Block {
                listed(<$chunked>::from_slice("value".into(), self).into_series())
            }
        }
    )+};
}
lists!(f64 => Float64Chunked, f32 => Float32Chunked, i64 => Int64Chunked, i32 => Int32Chunked, u64 => UInt64Chunked, u32 => UInt32Chunked);
lists!(String => StringChunked, &str => StringChunked);

impl Show for [Option<f64>] {
    fn block(&self) -> Block {
        listed(Float64Chunked::from_slice_options("value".into(), self).into_series())
    }
}

impl Show for [usize] {
    fn block(&self) -> Block {
        self.iter().map(|value| *value as u64).collect::<Vec<u64>>().block()
    }
}

/// Lists of one length or of several are rows, a column for each place: sample paths, windows.
impl Show for [Vec<f64>] {
    fn block(&self) -> Block {
        let width = self.iter().map(Vec::len).max().unwrap_or(0);
        let column = |place: usize| {
            let values: Vec<Option<f64>> = self.iter().map(|row| row.get(place).copied()).collect();
            Column::new((place + 1).to_string().into(), values)
        };
        DataFrame::new(self.len(), (0..width).map(column).collect())
            .map_or_else(|error| Block::Note(error.to_string()), |frame| frame.block())
    }
}

impl<T> Show for Vec<T>
where
    [T]: Show,
{
    fn block(&self) -> Block {
        self.as_slice().block()
    }
}

impl<T: Show> Show for Option<T> {
    fn block(&self) -> Block {
        self.as_ref().map_or_else(|| Block::Text("None".into()), Show::block)
    }
}

/// A forgotten `?` shows the answer all the same, or says what went wrong.
impl<T: Show, E: std::fmt::Display> Show for Result<T, E> {
    fn block(&self) -> Block {
        match self {
            Ok(answer) => answer.block(),
            Err(error) => Block::Note(format!("error: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(answer: &(impl Show + ?Sized)) -> String {
        answer.block().to_text()
    }

    #[test]
    fn what_is_not_ours_is_a_table_too() {
        let frame = df!("shop" => ["a", "b"], "sold" => [1.5, 2.0]).unwrap();
        assert!(frame.block().to_html().contains("<table"));
        assert_eq!(text(&frame), text(&Table::new(&frame)));
        assert!(text(frame.column("sold").unwrap()).contains("sold"));
        assert!(text(&vec![1.5, 2.0]).contains("value") && text(&vec!["x".to_string()]).contains('x'));
        assert!(text(&vec![3_usize]).contains('3') && text(&Vec::<f64>::new()).contains("(no rows)"));
        assert!(text(&vec![vec![1.0, 2.0], vec![3.0]]).contains('–'));
        assert!(text(&vec![Table::new(&frame), Table::new(&frame)]).matches("shop").count() == 2);
    }

    #[test]
    fn an_option_and_a_result_show_what_is_in_them() {
        assert_eq!(text(&None::<Vec<f64>>), "None\n");
        assert!(text(&Some(vec![1.0])).contains("value"));
        assert!(text(&Err::<Vec<f64>, _>("no such file")).contains("error: no such file"));
    }
}
