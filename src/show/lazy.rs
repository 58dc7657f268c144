//! polars' query engine, for notebooks and programs that ask a data frame further questions. It is a feature (`frames`):
//! nothing else in the crate needs it, and it takes as long to compile as a third of our own code.

use polars::prelude::*;

use super::{Block, Show};

/// The start of a polars query, without giving the data frame away.
///
/// polars' own `IntoLazy` takes the frame; in a notebook the variable would be gone from the next cell on. This one
/// leaves it, and costs no copy of the values.
///
/// ```
/// use tradewind::prelude::*;
/// let sales = df!("shop" => [1, 1, 2], "sold" => [3.0, 4.0, 5.0])?;
/// let first = sales.lazy().filter(col("shop").eq(lit(1))).collect()?;
/// assert_eq!((first.height(), sales.height()), (2, 3));
/// # Ok::<(), tradewind::Error>(())
/// ```
pub trait Lazy {
    /// A query that has not run: `filter`, `group_by`, `with_columns` add to it, `collect()?` answers it.
    fn lazy(&self) -> LazyFrame;
}

impl Lazy for DataFrame {
    fn lazy(&self) -> LazyFrame {
        IntoLazy::lazy(self.clone())
    }
}

/// A query says what it would do.
impl Show for LazyFrame {
    fn block(&self) -> Block {
        let plan = self.describe_plan().unwrap_or_else(|error| error.to_string());
        Block::Group(vec![
            Block::Text("A query that has not run: `.collect()?` answers it.".into()),
            Block::Code { language: "text".into(), text: plan },
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_leaves_the_frame_and_says_what_it_would_do() {
        let frame = df!("sold" => [1.0, 2.0]).unwrap();
        let query = Lazy::lazy(&frame).filter(col("sold").gt(lit(1)));
        assert!(query.block().to_text().contains("collect"));
        assert_eq!((query.collect().unwrap().height(), frame.height()), (1, 2));
    }
}
