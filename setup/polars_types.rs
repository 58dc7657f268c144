//! What a notebook needs of polars' signatures, so that its variables can be kept without writing their types.
//!
//! Only rust-analyzer reads this file, as the crate `polars` (see facade.py); what a cell runs is polars itself.
//! So functions have no bodies, and each stands on one line: setup/polars_check.py calls every one of them in the
//! real polars, with these arguments and for this result, and what does not compile fails there, by name. Only what
//! the library's polars features give is here: a method that is missing needs its type written in the cell.
#![cfg(rust_analyzer)]

pub mod error {
    pub struct PolarsError;
    pub type PolarsResult<T> = Result<T, PolarsError>;
}

pub mod frame {
    pub use crate::prelude::DataFrame;
}

pub mod series {
    pub use crate::prelude::Series;
}

pub mod datatypes {
    pub use crate::prelude::{AnyValue, DataType, TimeUnit};
}

pub mod prelude {
    pub use crate::df;
    pub use crate::error::{PolarsError, PolarsResult};
    use std::ops::{Add, Div, Mul, Neg, Rem, Sub};
    use std::sync::Arc;

    // -- a frame ------------------------------------------------------------------------------------------------

    #[derive(Clone, Default)]
    pub struct DataFrame;
    impl DataFrame {
        pub fn new(height: usize, columns: Vec<Column>) -> PolarsResult<DataFrame>;
        pub fn new_infer_height(columns: Vec<Column>) -> PolarsResult<DataFrame>;
        pub fn empty() -> DataFrame;
        pub fn empty_with_schema(schema: &Schema) -> DataFrame;
        pub fn height(&self) -> usize;
        pub fn width(&self) -> usize;
        pub fn shape(&self) -> (usize, usize);
        pub fn shape_has_zero(&self) -> bool;
        pub fn schema(&self) -> &Arc<Schema>;
        pub fn dtypes(&self) -> Vec<DataType>;
        pub fn get_column_names(&self) -> Vec<&PlSmallStr>;
        pub fn get_column_names_owned(&self) -> Vec<PlSmallStr>;
        pub fn get_column_index(&self, name: &str) -> Option<usize>;
        pub fn column(&self, name: &str) -> PolarsResult<&Column>;
        pub fn columns(&self) -> &[Column];
        pub fn into_columns(self) -> Vec<Column>;
        pub fn select_at_idx(&self, index: usize) -> Option<&Column>;
        pub fn select<I: IntoIterator<Item = S>, S: AsRef<str>>(&self, names: I) -> PolarsResult<DataFrame>;
        pub fn get(&self, index: usize) -> Option<Vec<AnyValue<'_>>>;
        pub fn head(&self, length: Option<usize>) -> DataFrame;
        pub fn tail(&self, length: Option<usize>) -> DataFrame;
        pub fn slice(&self, offset: i64, length: usize) -> DataFrame;
        pub fn split_at(&self, offset: i64) -> (DataFrame, DataFrame);
        pub fn reverse(&self) -> DataFrame;
        pub fn shift(&self, periods: i64) -> DataFrame;
        pub fn clear(&self) -> DataFrame;
        pub fn sort<I: IntoIterator<Item = S>, S: AsRef<str>>(&self, by: I, options: SortMultipleOptions) -> PolarsResult<DataFrame>;
        pub fn filter(&self, mask: &BooleanChunked) -> PolarsResult<DataFrame>;
        pub fn drop(&self, name: &str) -> PolarsResult<DataFrame>;
        pub fn drop_many<I: IntoIterator<Item = S>, S: Into<PlSmallStr>>(&self, names: I) -> DataFrame;
        pub fn drop_in_place(&mut self, name: &str) -> PolarsResult<Column>;
        pub fn hstack(&self, columns: &[Column]) -> PolarsResult<DataFrame>;
        pub fn vstack(&self, other: &DataFrame) -> PolarsResult<DataFrame>;
        pub fn with_column(&mut self, column: Column) -> PolarsResult<&mut DataFrame>;
        pub fn with_row_index(&self, name: PlSmallStr, offset: Option<u32>) -> PolarsResult<DataFrame>;
        pub fn rename(&mut self, column: &str, name: PlSmallStr) -> PolarsResult<&mut DataFrame>;
        pub fn fill_null(&self, strategy: FillNullStrategy) -> PolarsResult<DataFrame>;
        pub fn null_count(&self) -> DataFrame;
        pub fn estimated_size(&self) -> usize;
        pub fn equals(&self, other: &DataFrame) -> bool;
        pub fn equals_missing(&self, other: &DataFrame) -> bool;
        pub fn unique_stable(&self, subset: Option<&[String]>, keep: UniqueKeepStrategy, slice: Option<(i64, usize)>) -> PolarsResult<DataFrame>;
        pub fn partition_by<I: IntoIterator<Item = S>, S: Into<PlSmallStr>>(&self, columns: I, include_key: bool) -> PolarsResult<Vec<DataFrame>>;
    }

    // -- a column -----------------------------------------------------------------------------------------------

    #[derive(Clone)]
    pub struct Column;
    impl Column {
        pub fn new<T, P: ?Sized>(name: PlSmallStr, values: T) -> Column where Series: NamedFrom<T, P>;
        pub fn name(&self) -> &PlSmallStr;
        pub fn dtype(&self) -> &DataType;
        pub fn len(&self) -> usize;
        pub fn is_empty(&self) -> bool;
        pub fn null_count(&self) -> usize;
        pub fn has_nulls(&self) -> bool;
        pub fn n_unique(&self) -> PolarsResult<usize>;
        pub fn get(&self, index: usize) -> PolarsResult<AnyValue<'_>>;
        pub fn cast(&self, dtype: &DataType) -> PolarsResult<Column>;
        pub fn strict_cast(&self, dtype: &DataType) -> PolarsResult<Column>;
        pub fn with_name(self, name: PlSmallStr) -> Column;
        pub fn head(&self, length: Option<usize>) -> Column;
        pub fn tail(&self, length: Option<usize>) -> Column;
        pub fn slice(&self, offset: i64, length: usize) -> Column;
        pub fn reverse(&self) -> Column;
        pub fn shift(&self, periods: i64) -> Column;
        pub fn sort(&self, options: SortOptions) -> PolarsResult<Column>;
        pub fn unique(&self) -> PolarsResult<Column>;
        pub fn unique_stable(&self) -> PolarsResult<Column>;
        pub fn filter(&self, mask: &BooleanChunked) -> PolarsResult<Column>;
        pub fn drop_nulls(&self) -> Column;
        pub fn fill_null(&self, strategy: FillNullStrategy) -> PolarsResult<Column>;
        pub fn is_null(&self) -> BooleanChunked;
        pub fn is_not_null(&self) -> BooleanChunked;
        pub fn equals(&self, other: &Column) -> bool;
        pub fn into_frame(self) -> DataFrame;
        pub fn as_materialized_series(&self) -> &Series;
        pub fn take_materialized_series(self) -> Series;
        pub fn bool(&self) -> PolarsResult<&BooleanChunked>;
        pub fn i32(&self) -> PolarsResult<&Int32Chunked>;
        pub fn i64(&self) -> PolarsResult<&Int64Chunked>;
        pub fn u32(&self) -> PolarsResult<&UInt32Chunked>;
        pub fn f32(&self) -> PolarsResult<&Float32Chunked>;
        pub fn f64(&self) -> PolarsResult<&Float64Chunked>;
        pub fn str(&self) -> PolarsResult<&StringChunked>;
    }

    #[derive(Clone)]
    pub struct Series;
    impl Series {
        pub fn name(&self) -> &PlSmallStr;
        pub fn dtype(&self) -> &DataType;
        pub fn len(&self) -> usize;
        pub fn is_empty(&self) -> bool;
        pub fn null_count(&self) -> usize;
        pub fn n_unique(&self) -> PolarsResult<usize>;
        pub fn mean(&self) -> Option<f64>;
        pub fn median(&self) -> Option<f64>;
        pub fn std(&self, ddof: u8) -> Option<f64>;
        pub fn var(&self, ddof: u8) -> Option<f64>;
        pub fn cast(&self, dtype: &DataType) -> PolarsResult<Series>;
        pub fn with_name(self, name: PlSmallStr) -> Series;
        pub fn head(&self, length: Option<usize>) -> Series;
        pub fn tail(&self, length: Option<usize>) -> Series;
        pub fn slice(&self, offset: i64, length: usize) -> Series;
        pub fn reverse(&self) -> Series;
        pub fn shift(&self, periods: i64) -> Series;
        pub fn sort(&self, options: SortOptions) -> PolarsResult<Series>;
        pub fn unique(&self) -> PolarsResult<Series>;
        pub fn drop_nulls(&self) -> Series;
        pub fn is_null(&self) -> BooleanChunked;
        pub fn is_not_null(&self) -> BooleanChunked;
        pub fn equals(&self, other: &Series) -> bool;
        pub fn into_frame(self) -> DataFrame;
        pub fn into_column(self) -> Column;
        pub fn bool(&self) -> PolarsResult<&BooleanChunked>;
        pub fn i32(&self) -> PolarsResult<&Int32Chunked>;
        pub fn i64(&self) -> PolarsResult<&Int64Chunked>;
        pub fn u32(&self) -> PolarsResult<&UInt32Chunked>;
        pub fn f32(&self) -> PolarsResult<&Float32Chunked>;
        pub fn f64(&self) -> PolarsResult<&Float64Chunked>;
        pub fn str(&self) -> PolarsResult<&StringChunked>;
    }
    pub trait NamedFrom<T, Phantom: ?Sized> {
        fn new(name: PlSmallStr, values: T) -> Self;
    }
    impl<T> NamedFrom<T, T> for Series {
        fn new(name: PlSmallStr, values: T) -> Series;
    }
    pub trait IntoColumn {
        fn into_column(self) -> Column;
    }
    impl IntoColumn for Series {
        fn into_column(self) -> Column;
    }

    // -- the numbers of a column, typed -------------------------------------------------------------------------

    #[derive(Clone)]
    pub struct BooleanChunked;
    impl BooleanChunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<bool>;
        pub fn any(&self) -> bool;
        pub fn all(&self) -> bool;
        pub fn sum(&self) -> Option<u32>;
    }
    #[derive(Clone)]
    pub struct Int32Chunked;
    impl Int32Chunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<i32>;
        pub fn sum(&self) -> Option<i32>;
        pub fn min(&self) -> Option<i32>;
        pub fn max(&self) -> Option<i32>;
        pub fn mean(&self) -> Option<f64>;
        pub fn to_vec(&self) -> Vec<Option<i32>>;
    }
    #[derive(Clone)]
    pub struct Int64Chunked;
    impl Int64Chunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<i64>;
        pub fn sum(&self) -> Option<i64>;
        pub fn min(&self) -> Option<i64>;
        pub fn max(&self) -> Option<i64>;
        pub fn mean(&self) -> Option<f64>;
        pub fn to_vec(&self) -> Vec<Option<i64>>;
    }
    #[derive(Clone)]
    pub struct UInt32Chunked;
    impl UInt32Chunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<u32>;
        pub fn sum(&self) -> Option<u32>;
        pub fn min(&self) -> Option<u32>;
        pub fn max(&self) -> Option<u32>;
        pub fn mean(&self) -> Option<f64>;
        pub fn to_vec(&self) -> Vec<Option<u32>>;
    }
    #[derive(Clone)]
    pub struct Float32Chunked;
    impl Float32Chunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<f32>;
        pub fn sum(&self) -> Option<f32>;
        pub fn mean(&self) -> Option<f64>;
        pub fn to_vec(&self) -> Vec<Option<f32>>;
    }
    #[derive(Clone)]
    pub struct Float64Chunked;
    impl Float64Chunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<f64>;
        pub fn null_count(&self) -> usize;
        pub fn sum(&self) -> Option<f64>;
        pub fn min(&self) -> Option<f64>;
        pub fn max(&self) -> Option<f64>;
        pub fn mean(&self) -> Option<f64>;
        pub fn median(&self) -> Option<f64>;
        pub fn std(&self, ddof: u8) -> Option<f64>;
        pub fn var(&self, ddof: u8) -> Option<f64>;
        pub fn quantile(&self, quantile: f64, method: QuantileMethod) -> PolarsResult<Option<f64>>;
        pub fn to_vec(&self) -> Vec<Option<f64>>;
        pub fn into_no_null_iter(&self) -> impl Iterator<Item = f64>;
        pub fn is_nan(&self) -> BooleanChunked;
        pub fn gt(&self, value: f64) -> BooleanChunked;
        pub fn gt_eq(&self, value: f64) -> BooleanChunked;
        pub fn lt(&self, value: f64) -> BooleanChunked;
        pub fn lt_eq(&self, value: f64) -> BooleanChunked;
        pub fn equal(&self, value: f64) -> BooleanChunked;
        pub fn not_equal(&self, value: f64) -> BooleanChunked;
    }
    #[derive(Clone)]
    pub struct StringChunked;
    impl StringChunked {
        pub fn len(&self) -> usize;
        pub fn get(&self, index: usize) -> Option<&str>;
    }

    // -- a query ------------------------------------------------------------------------------------------------

    pub trait IntoLazy {
        fn lazy(self) -> LazyFrame;
    }
    impl IntoLazy for DataFrame {
        fn lazy(self) -> LazyFrame;
    }

    #[derive(Clone)]
    pub struct LazyFrame;
    impl LazyFrame {
        pub fn collect(self) -> PolarsResult<DataFrame>;
        pub fn explain(&self, optimized: bool) -> PolarsResult<String>;
        pub fn filter(self, predicate: Expr) -> LazyFrame;
        pub fn remove(self, predicate: Expr) -> LazyFrame;
        pub fn select<E: AsRef<[Expr]>>(self, exprs: E) -> LazyFrame;
        pub fn with_column(self, expr: Expr) -> LazyFrame;
        pub fn with_columns<E: AsRef<[Expr]>>(self, exprs: E) -> LazyFrame;
        pub fn with_row_index<S: Into<PlSmallStr>>(self, name: S, offset: Option<u32>) -> LazyFrame;
        pub fn group_by<E: AsRef<[I]>, I: Into<Expr> + Clone>(self, by: E) -> LazyGroupBy;
        pub fn group_by_stable<E: AsRef<[I]>, I: Into<Expr> + Clone>(self, by: E) -> LazyGroupBy;
        pub fn sort<S: IntoVec<PlSmallStr>>(self, by: S, options: SortMultipleOptions) -> LazyFrame;
        pub fn sort_by_exprs<E: AsRef<[Expr]>>(self, by: E, options: SortMultipleOptions) -> LazyFrame;
        pub fn top_k<E: AsRef<[Expr]>>(self, k: u32, by: E, options: SortMultipleOptions) -> LazyFrame;
        pub fn bottom_k<E: AsRef<[Expr]>>(self, k: u32, by: E, options: SortMultipleOptions) -> LazyFrame;
        pub fn join<E: AsRef<[Expr]>>(self, other: LazyFrame, left_on: E, right_on: E, args: JoinArgs) -> LazyFrame;
        pub fn left_join<E: Into<Expr>>(self, other: LazyFrame, left_on: E, right_on: E) -> LazyFrame;
        pub fn inner_join<E: Into<Expr>>(self, other: LazyFrame, left_on: E, right_on: E) -> LazyFrame;
        pub fn full_join<E: Into<Expr>>(self, other: LazyFrame, left_on: E, right_on: E) -> LazyFrame;
        pub fn rename<I: IntoIterator<Item = T>, J: IntoIterator<Item = S>, T: AsRef<str>, S: AsRef<str>>(self, existing: I, new: J, strict: bool) -> LazyFrame;
        pub fn drop(self, columns: Selector) -> LazyFrame;
        pub fn unique(self, subset: Option<Selector>, keep: UniqueKeepStrategy) -> LazyFrame;
        pub fn unique_stable(self, subset: Option<Selector>, keep: UniqueKeepStrategy) -> LazyFrame;
        pub fn drop_nulls(self, subset: Option<Selector>) -> LazyFrame;
        pub fn drop_nans(self, subset: Option<Selector>) -> LazyFrame;
        pub fn fill_null<E: Into<Expr>>(self, value: E) -> LazyFrame;
        pub fn fill_nan<E: Into<Expr>>(self, value: E) -> LazyFrame;
        pub fn cast_all<D: Into<DataTypeExpr>>(self, dtype: D, strict: bool) -> LazyFrame;
        pub fn shift<E: Into<Expr>>(self, n: E) -> LazyFrame;
        pub fn reverse(self) -> LazyFrame;
        pub fn limit(self, n: u32) -> LazyFrame;
        pub fn tail(self, n: u32) -> LazyFrame;
        pub fn slice(self, offset: i64, length: u32) -> LazyFrame;
        pub fn first(self) -> LazyFrame;
        pub fn last(self) -> LazyFrame;
        pub fn sum(self) -> LazyFrame;
        pub fn mean(self) -> LazyFrame;
        pub fn median(self) -> LazyFrame;
        pub fn min(self) -> LazyFrame;
        pub fn max(self) -> LazyFrame;
        pub fn std(self, ddof: u8) -> LazyFrame;
        pub fn var(self, ddof: u8) -> LazyFrame;
        pub fn quantile(self, quantile: Expr, method: QuantileMethod) -> LazyFrame;
        pub fn count(self) -> LazyFrame;
        pub fn null_count(self) -> LazyFrame;
    }

    #[derive(Clone)]
    pub struct LazyGroupBy;
    impl LazyGroupBy {
        pub fn agg<E: AsRef<[Expr]>>(self, aggs: E) -> LazyFrame;
        pub fn having(self, predicate: Expr) -> LazyGroupBy;
        pub fn head(self, n: Option<usize>) -> LazyFrame;
        pub fn tail(self, n: Option<usize>) -> LazyFrame;
    }

    pub fn concat<L: AsRef<[LazyFrame]>>(inputs: L, args: UnionArgs) -> PolarsResult<LazyFrame>;

    // -- an expression ------------------------------------------------------------------------------------------

    pub fn col<S: Into<PlSmallStr>>(name: S) -> Expr;
    pub fn cols<I: IntoIterator<Item = S>, S: Into<PlSmallStr>>(names: I) -> Selector;
    pub fn by_name<S: Into<PlSmallStr>, I: IntoIterator<Item = S>>(names: I, strict: bool, expand: bool) -> Selector;
    pub fn all() -> Selector;
    pub fn lit<L: Literal>(value: L) -> Expr;
    pub fn len() -> Expr;
    pub fn when<E: Into<Expr>>(condition: E) -> When;
    pub fn coalesce(exprs: &[Expr]) -> Expr;

    #[derive(Clone)]
    pub struct Expr;
    impl Expr {
        pub fn alias<S: Into<PlSmallStr>>(self, name: S) -> Expr;
        pub fn eq<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn eq_missing<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn neq<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn gt<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn gt_eq<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn lt<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn lt_eq<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn and<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn or<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn xor<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn not(self) -> Expr;
        pub fn is_null(self) -> Expr;
        pub fn is_not_null(self) -> Expr;
        pub fn is_nan(self) -> Expr;
        pub fn is_not_nan(self) -> Expr;
        pub fn is_finite(self) -> Expr;
        pub fn is_infinite(self) -> Expr;
        pub fn fill_null<E: Into<Expr>>(self, value: E) -> Expr;
        pub fn fill_nan<E: Into<Expr>>(self, value: E) -> Expr;
        pub fn drop_nulls(self) -> Expr;
        pub fn drop_nans(self) -> Expr;
        pub fn sum(self) -> Expr;
        pub fn product(self) -> Expr;
        pub fn mean(self) -> Expr;
        pub fn median(self) -> Expr;
        pub fn min(self) -> Expr;
        pub fn max(self) -> Expr;
        pub fn std(self, ddof: u8) -> Expr;
        pub fn var(self, ddof: u8) -> Expr;
        pub fn quantile(self, quantile: Expr, method: QuantileMethod) -> Expr;
        pub fn first(self) -> Expr;
        pub fn last(self) -> Expr;
        pub fn count(self) -> Expr;
        pub fn len(self) -> Expr;
        pub fn n_unique(self) -> Expr;
        pub fn null_count(self) -> Expr;
        pub fn any(self, ignore_nulls: bool) -> Expr;
        pub fn all(self, ignore_nulls: bool) -> Expr;
        pub fn arg_min(self) -> Expr;
        pub fn arg_max(self) -> Expr;
        pub fn unique(self) -> Expr;
        pub fn unique_stable(self) -> Expr;
        pub fn head(self, length: Option<usize>) -> Expr;
        pub fn tail(self, length: Option<usize>) -> Expr;
        pub fn slice<E: Into<Expr>, F: Into<Expr>>(self, offset: E, length: F) -> Expr;
        pub fn filter<E: Into<Expr>>(self, predicate: E) -> Expr;
        pub fn sort(self, options: SortOptions) -> Expr;
        pub fn sort_by<E: AsRef<[I]>, I: Into<Expr> + Clone>(self, by: E, options: SortMultipleOptions) -> Expr;
        pub fn reverse(self) -> Expr;
        pub fn shift(self, n: Expr) -> Expr;
        pub fn over<E: AsRef<[I]>, I: Into<Expr> + Clone>(self, partition_by: E) -> PolarsResult<Expr>;
        pub fn cast<D: Into<DataTypeExpr>>(self, dtype: D) -> Expr;
        pub fn strict_cast<D: Into<DataTypeExpr>>(self, dtype: D) -> Expr;
        pub fn pow<E: Into<Expr>>(self, exponent: E) -> Expr;
        pub fn sqrt(self) -> Expr;
        pub fn floor_div(self, other: Expr) -> Expr;
        pub fn dot<E: Into<Expr>>(self, other: E) -> Expr;
        pub fn implode(self, maintain_order: bool) -> Expr;
        pub fn dt(self) -> dt::DateLikeNameSpace;
        pub fn name(self) -> ExprNameNameSpace;
    }
    impl Add for Expr {
        type Output = Expr;
        fn add(self, other: Expr) -> Expr;
    }
    impl Sub for Expr {
        type Output = Expr;
        fn sub(self, other: Expr) -> Expr;
    }
    impl Mul for Expr {
        type Output = Expr;
        fn mul(self, other: Expr) -> Expr;
    }
    impl Div for Expr {
        type Output = Expr;
        fn div(self, other: Expr) -> Expr;
    }
    impl Rem for Expr {
        type Output = Expr;
        fn rem(self, other: Expr) -> Expr;
    }
    impl Neg for Expr {
        type Output = Expr;
        fn neg(self) -> Expr;
    }

    #[derive(Clone)]
    pub struct When;
    impl When {
        pub fn then<E: Into<Expr>>(self, expr: E) -> Then;
    }
    #[derive(Clone)]
    pub struct Then;
    impl Then {
        pub fn when<E: Into<Expr>>(self, condition: E) -> ChainedWhen;
        pub fn otherwise<E: Into<Expr>>(self, expr: E) -> Expr;
    }
    #[derive(Clone)]
    pub struct ChainedWhen;
    impl ChainedWhen {
        pub fn then<E: Into<Expr>>(self, expr: E) -> ChainedThen;
    }
    #[derive(Clone)]
    pub struct ChainedThen;
    impl ChainedThen {
        pub fn when<E: Into<Expr>>(self, condition: E) -> ChainedWhen;
        pub fn otherwise<E: Into<Expr>>(self, expr: E) -> Expr;
    }

    pub struct ExprNameNameSpace;
    impl ExprNameNameSpace {
        pub fn keep(self) -> Expr;
        pub fn prefix(self, prefix: &str) -> Expr;
        pub fn suffix(self, suffix: &str) -> Expr;
    }

    pub mod dt {
        use super::{Expr, TimeUnit};
        pub struct DateLikeNameSpace;
        impl DateLikeNameSpace {
            pub fn year(self) -> Expr;
            pub fn iso_year(self) -> Expr;
            pub fn is_leap_year(self) -> Expr;
            pub fn quarter(self) -> Expr;
            pub fn month(self) -> Expr;
            pub fn week(self) -> Expr;
            pub fn weekday(self) -> Expr;
            pub fn day(self) -> Expr;
            pub fn ordinal_day(self) -> Expr;
            pub fn hour(self) -> Expr;
            pub fn minute(self) -> Expr;
            pub fn second(self) -> Expr;
            pub fn date(self) -> Expr;
            pub fn truncate(self, every: Expr) -> Expr;
            pub fn round(self, every: Expr) -> Expr;
            pub fn timestamp(self, unit: TimeUnit) -> Expr;
            pub fn to_string(self, format: &str) -> Expr;
            pub fn strftime(self, format: &str) -> Expr;
        }
    }

    #[derive(Clone)]
    pub struct Selector;
    impl Selector {
        pub fn as_expr(self) -> Expr;
    }
    impl From<Selector> for Expr {
        fn from(selector: Selector) -> Expr;
    }
    impl From<f64> for Expr {
        fn from(value: f64) -> Expr;
    }
    impl From<i64> for Expr {
        fn from(value: i64) -> Expr;
    }
    impl From<i32> for Expr {
        fn from(value: i32) -> Expr;
    }
    impl From<&str> for Expr {
        fn from(value: &str) -> Expr;
    }
    pub trait Literal {
        fn lit(self) -> Expr;
    }

    // -- options and types --------------------------------------------------------------------------------------

    #[derive(Clone, Default)]
    pub struct SortOptions;
    impl SortOptions {
        pub fn new() -> SortOptions;
        pub fn with_order_descending(self, descending: bool) -> SortOptions;
        pub fn with_nulls_last(self, last: bool) -> SortOptions;
        pub fn with_maintain_order(self, keep: bool) -> SortOptions;
    }
    #[derive(Clone, Default)]
    pub struct SortMultipleOptions;
    impl SortMultipleOptions {
        pub fn new() -> SortMultipleOptions;
        pub fn with_order_descending(self, descending: bool) -> SortMultipleOptions;
        pub fn with_order_descending_multi<I: IntoIterator<Item = bool>>(self, descending: I) -> SortMultipleOptions;
        pub fn with_nulls_last(self, last: bool) -> SortMultipleOptions;
        pub fn with_maintain_order(self, keep: bool) -> SortMultipleOptions;
        pub fn with_order_reversed(self) -> SortMultipleOptions;
    }
    #[derive(Clone, Default)]
    pub struct UnionArgs;
    #[derive(Clone)]
    pub struct JoinArgs;
    impl JoinArgs {
        pub fn new(how: JoinType) -> JoinArgs;
        pub fn with_suffix(self, suffix: Option<PlSmallStr>) -> JoinArgs;
        pub fn with_coalesce(self, coalesce: JoinCoalesce) -> JoinArgs;
    }
    #[derive(Clone)]
    pub enum JoinType { Inner, Left, Right, Full, Cross }
    #[derive(Clone)]
    pub enum JoinCoalesce { JoinSpecific, CoalesceColumns, KeepColumns }
    #[derive(Clone)]
    pub enum UniqueKeepStrategy { First, Last, None, Any }
    #[derive(Clone)]
    pub enum QuantileMethod { Nearest, Lower, Higher, Midpoint, Linear, Equiprobable }
    #[derive(Clone)]
    pub enum TimeUnit { Nanoseconds, Microseconds, Milliseconds }
    #[derive(Clone)]
    pub enum FillNullStrategy { Mean, Min, Max, Zero, One }
    #[derive(Clone)]
    pub enum DataType { Boolean, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64, Float32, Float64, String, Date, Time, Null }

    #[derive(Clone)]
    pub struct Schema;
    impl Schema {
        pub fn len(&self) -> usize;
        pub fn contains(&self, name: &str) -> bool;
        pub fn get(&self, name: &str) -> Option<&DataType>;
    }
    pub struct AnyValue<'a>(std::marker::PhantomData<&'a ()>);
    #[derive(Clone)]
    pub struct PlSmallStr;
    impl PlSmallStr {
        pub fn as_str(&self) -> &str;
        pub fn to_string(&self) -> String;
    }
    impl From<&str> for PlSmallStr {
        fn from(text: &str) -> PlSmallStr;
    }
    impl From<String> for PlSmallStr {
        fn from(text: String) -> PlSmallStr;
    }
    #[derive(Clone)]
    pub struct DataTypeExpr;
    impl From<DataType> for DataTypeExpr {
        fn from(dtype: DataType) -> DataTypeExpr;
    }
    pub trait IntoVec<T> {
        fn into_vec(self) -> Vec<T>;
    }
}

#[macro_export]
macro_rules! df {
    ($($anything:tt)*) => {
        $crate::error::PolarsResult::<$crate::prelude::DataFrame>::Ok($crate::prelude::DataFrame)
    };
}
