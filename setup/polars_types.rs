//! The signatures of polars that a notebook needs so that its variables can be kept without writing
//! their types. Only rust-analyzer reads them (see facade.py); what a cell runs is polars itself.
//! Everything here must say what polars says: where it does not, the cell does not compile.
#![cfg(rust_analyzer)]

pub mod error {
    pub struct PolarsError;
    pub type PolarsResult<T> = Result<T, PolarsError>;
}

pub mod frame {
    pub use crate::prelude::DataFrame;
}

pub mod prelude {
    pub use crate::df;
    pub use crate::error::{PolarsError, PolarsResult};

    #[derive(Clone)]
    pub struct DataFrame;
    #[derive(Clone)]
    pub struct LazyFrame;
    #[derive(Clone)]
    pub struct LazyGroupBy;
    #[derive(Clone)]
    pub struct Column;
    #[derive(Clone)]
    pub struct Series;
    #[derive(Clone)]
    pub struct Expr;
    #[derive(Clone)]
    pub struct DataType;
    #[derive(Clone)]
    pub struct Schema;

    impl DataFrame {
        pub fn height(&self) -> usize {
            0
        }
        pub fn width(&self) -> usize {
            0
        }
        pub fn shape(&self) -> (usize, usize) {
            (0, 0)
        }
        pub fn head(&self, _length: Option<usize>) -> DataFrame {
            DataFrame
        }
        pub fn tail(&self, _length: Option<usize>) -> DataFrame {
            DataFrame
        }
        pub fn slice(&self, _offset: i64, _length: usize) -> DataFrame {
            DataFrame
        }
        pub fn column(&self, _name: &str) -> PolarsResult<&Column> {
            loop {}
        }
        pub fn drop(&self, _name: &str) -> PolarsResult<DataFrame> {
            loop {}
        }
        pub fn vstack(&self, _other: &DataFrame) -> PolarsResult<DataFrame> {
            loop {}
        }
    }

    pub trait IntoLazy {
        fn lazy(self) -> LazyFrame;
    }
    impl IntoLazy for DataFrame {
        fn lazy(self) -> LazyFrame {
            LazyFrame
        }
    }

    impl LazyFrame {
        pub fn collect(self) -> PolarsResult<DataFrame> {
            loop {}
        }
        pub fn filter(self, _predicate: Expr) -> LazyFrame {
            self
        }
        pub fn select<E: AsRef<[Expr]>>(self, _exprs: E) -> LazyFrame {
            self
        }
        pub fn with_column(self, _expr: Expr) -> LazyFrame {
            self
        }
        pub fn with_columns<E: AsRef<[Expr]>>(self, _exprs: E) -> LazyFrame {
            self
        }
        pub fn limit(self, _n: u32) -> LazyFrame {
            self
        }
        pub fn group_by<E, X>(self, _by: E) -> LazyGroupBy {
            LazyGroupBy
        }
    }

    impl LazyGroupBy {
        pub fn agg<E: AsRef<[Expr]>>(self, _aggs: E) -> LazyFrame {
            LazyFrame
        }
    }

    pub fn col(_name: &str) -> Expr {
        Expr
    }
    pub fn lit<L>(_value: L) -> Expr {
        Expr
    }

    impl Expr {
        pub fn alias(self, _name: &str) -> Expr {
            self
        }
        pub fn sum(self) -> Expr {
            self
        }
        pub fn mean(self) -> Expr {
            self
        }
        pub fn eq<E>(self, _other: E) -> Expr {
            self
        }
        pub fn gt<E>(self, _other: E) -> Expr {
            self
        }
        pub fn lt<E>(self, _other: E) -> Expr {
            self
        }
    }
}

#[macro_export]
macro_rules! df {
    ($($anything:tt)*) => {
        $crate::error::PolarsResult::Ok($crate::prelude::DataFrame)
    };
}
