//! One tree on gradients: the leaf that gains most is split next.

use rayon::prelude::*;

use super::bins::{Binned, Column};
use super::tree::{Node, Rule, Split, Tree};

pub(super) struct Limits {
    pub leaves: usize,
    pub depth: usize,
    pub least: usize,
    pub l2: f64,
    /// What a split gains at least: less is rounding.
    pub noise: f64,
}

/// Sums of first and second derivatives over rows.
pub(super) trait Sums: Copy + Default + PartialEq + Send + Sync {
    /// The derivatives of one row.
    type Row: Copy + Send + Sync;

    fn add(&mut self, row: Self::Row);
    fn join(&mut self, other: Self);
    fn take(&mut self, other: Self);
    /// Both sums as numbers, where first derivatives are counted in `unit`.
    fn read(self, unit: f64) -> [f64; 2];
}

/// Any derivatives.
impl Sums for [f64; 2] {
    type Row = [f32; 2];

    fn add(&mut self, [g, h]: [f32; 2]) {
        self[0] += f64::from(g);
        self[1] += f64::from(h);
    }

    fn join(&mut self, other: Self) {
        self[0] += other[0];
        self[1] += other[1];
    }

    fn take(&mut self, other: Self) {
        self[0] -= other[0];
        self[1] -= other[1];
    }

    fn read(self, _: f64) -> [f64; 2] {
        self
    }
}

/// Where every second derivative is 1: a whole number of units of the first derivative above [`ROWS`] bits for the number of
/// rows. One addition for both, and exact.
impl Sums for i64 {
    type Row = i64;

    fn add(&mut self, row: i64) {
        *self += row;
    }

    fn join(&mut self, other: i64) {
        *self += other;
    }

    fn take(&mut self, other: i64) {
        *self -= other;
    }

    fn read(self, unit: f64) -> [f64; 2] {
        [(self >> ROWS) as f64 * unit, (self & ((1 << ROWS) - 1)) as f64]
    }
}

/// Bits for the number of rows: 16 million.
const ROWS: u32 = 24;

/// Rows that [`packed`] derivatives can be of.
pub(super) const MOST_PACKED: usize = 1 << ROWS;

/// First derivatives in whole units, and the unit, where `rows` of them are summed. A row that is left out has none.
pub(super) fn packed(gradients: &[[f32; 2]], rows: usize) -> (Vec<i64>, f64) {
    let most = gradients.iter().fold(0.0_f32, |most, [g, _]| most.max(g.abs()));
    // So small that the sum of all fits beside the number of rows.
    let levels = (1_i64 << (62 - ROWS)) as f64 / rows as f64;
    let unit = f64::from(most).max(f64::MIN_POSITIVE * levels) / levels;
    let per_unit = 1.0 / unit;
    let row = |[g, _]: &[f32; 2]| {
        let units = f64::from(*g) * per_unit;
        (((units + 0.5_f64.copysign(units)) as i64) << ROWS) + 1
    };
    (gradients.iter().map(row).collect(), unit)
}

/// By column, the sums of each bin.
type Histogram<S> = Vec<Vec<S>>;

/// What may still be split.
struct Leaf<S> {
    node: usize,
    depth: usize,
    rows: Vec<u32>,
    /// Rows that come here too and have no say.
    others: Vec<u32>,
    total: S,
    sums: [f64; 2],
    histogram: Option<Histogram<S>>,
    best: Option<Split>,
}

/// A finished leaf.
pub(super) struct Finished {
    pub node: usize,
    /// The rows that it was grown on, and others that come to it.
    pub rows: Vec<u32>,
    pub others: Vec<u32>,
    /// The sums of the gradients of the former.
    pub sums: [f64; 2],
}

pub(super) struct Grower<'a, S> {
    binned: &'a Binned,
    limits: Limits,
    /// Histograms to be used again.
    spare: Vec<Histogram<S>>,
    /// What first derivatives are counted in.
    unit: f64,
}

/// Second derivatives added to those of a category, so that rare ones do not decide the order.
const SMOOTH: f64 = 10.0;
/// Gains that differ by a smaller share of themselves differ by rounding.
const SAME: f64 = 1e-9;
/// Rows for each bin from which it pays to add them up apart.
const MANY: usize = 8;
/// The most bins of any column, and of one of few, that of missing values included.
const BINS: usize = 256;
const FEW: usize = 16;
/// As many cells of work are worth a thread.
const WORTH: usize = 1 << 16;

impl<'a, S: Sums> Grower<'a, S> {
    pub fn new(binned: &'a Binned, limits: Limits) -> Self {
        Self { binned, limits, spare: Vec::new(), unit: 1.0 }
    }

    /// A tree on some rows and the columns that are marked; its leaves have no values yet, and know which `others` come to
    /// them. First derivatives are counted in `unit`.
    pub fn grow(
        &mut self,
        [rows, others]: [Vec<u32>; 2],
        (gradients, unit): (&[S::Row], f64),
        columns: &[bool],
    ) -> (Tree, Vec<Finished>) {
        self.unit = unit;
        let mut open = vec![self.root([rows, others], gradients, columns)];
        let mut tree = Tree { nodes: vec![Node { cover: open[0].sums[1], value: 0.0, split: None }] };
        while open.len() < self.limits.leaves {
            let mut places: Vec<usize> = (0..open.len()).filter(|at| open[*at].best.is_some()).collect();
            places.sort_unstable_by_key(|at| open[*at].node);
            let gain = |at: usize| open[at].best.map_or(0.0, |split| split.gain);
            let first = places.into_iter().reduce(|best, at| if gain(at) > more_than(gain(best)) { at } else { best });
            let Some((next, mut split)) = first.and_then(|next| Some((next, open[next].best?))) else { break };
            split.left = tree.nodes.len();
            let leaf = open.swap_remove(next);
            tree.nodes[leaf.node].split = Some(split);
            for child in self.divide(leaf, &split, gradients, columns) {
                tree.nodes.push(Node { cover: child.sums[1], value: 0.0, split: None });
                open.push(child);
            }
        }
        open.sort_by_key(|leaf| leaf.node);
        let finished = open.into_iter().map(|mut leaf| {
            self.spare.extend(leaf.histogram.take());
            Finished { node: leaf.node, rows: leaf.rows, others: leaf.others, sums: leaf.sums }
        });
        (tree, finished.collect())
    }

    fn leaf(&self, node: usize, depth: usize, rows: Vec<u32>, others: Vec<u32>, total: S) -> Leaf<S> {
        Leaf { node, depth, rows, others, total, sums: total.read(self.unit), histogram: None, best: None }
    }

    fn can_split(&self, leaf: &Leaf<S>) -> bool {
        leaf.depth < self.limits.depth && leaf.rows.len() >= 2 * self.limits.least
    }

    fn histogram(&mut self) -> Histogram<S> {
        self.spare.pop().unwrap_or_else(|| {
            self.binned.columns.iter().map(|column| vec![S::default(); column.filled() + 1]).collect()
        })
    }

    fn root(&mut self, [rows, others]: [Vec<u32>; 2], gradients: &[S::Row], columns: &[bool]) -> Leaf<S> {
        let seen = gathered(&rows, gradients);
        let mut leaf = self.leaf(0, 0, rows, others, summed(&seen));
        if self.can_split(&leaf) {
            let mut histogram = self.histogram();
            let of = |(c, cells): (usize, &mut Vec<S>)| {
                let column = &self.binned.columns[c];
                accumulate(column, &leaf.rows, &seen, cells);
                self.best(c, column, cells, &leaf)
            };
            let found: Vec<Option<Split>> = histogram
                .par_iter_mut()
                .enumerate()
                .with_min_len(least_columns(leaf.rows.len()))
                .filter(|(c, _)| columns[*c])
                .map(of)
                .collect();
            leaf.best = better(found.into_iter());
            leaf.histogram = Some(histogram);
        }
        leaf
    }

    /// The two children of a leaf.
    fn divide(&mut self, leaf: Leaf<S>, split: &Split, gradients: &[S::Row], columns: &[bool]) -> [Leaf<S>; 2] {
        let column = &self.binned.columns[split.column];
        let missing = column.filled();
        let goes_left: [bool; 256] = std::array::from_fn(|bin| split.is_left_binned(bin as u8, missing));
        let goes = |row: u32| goes_left[usize::from(column.bins[row as usize])];
        let [left, right] = parted(&leaf.rows, goes);
        let [others_left, others_right] = parted(&leaf.others, goes);
        let small = usize::from(right.len() < left.len());
        // The sums of the larger child are what the smaller one leaves of those of the parent.
        let seen = gathered(if small == 0 { &left } else { &right }, gradients);
        let own = summed::<S>(&seen);
        let mut rest = leaf.total;
        rest.take(own);
        let totals = if small == 0 { [own, rest] } else { [rest, own] };
        let mut children = [
            self.leaf(split.left, leaf.depth + 1, left, others_left, totals[0]),
            self.leaf(split.left + 1, leaf.depth + 1, right, others_right, totals[1]),
        ];
        let Some(mut rest) = leaf.histogram else { return children };
        let splits = [self.can_split(&children[0]), self.can_split(&children[1])];
        if splits == [false; 2] {
            self.spare.push(rest);
            return children;
        }
        let mut own = self.histogram();
        let of = |(c, (own, rest)): (usize, (&mut Vec<S>, &mut Vec<S>))| {
            let column = &self.binned.columns[c];
            accumulate(column, &children[small].rows, &seen, own);
            rest.iter_mut().zip(&*own).for_each(|(rest, own)| rest.take(*own));
            let best = |child: usize, cells: &[S]| {
                splits[child].then(|| self.best(c, column, cells, &children[child])).flatten()
            };
            (best(small, own), best(1 - small, rest))
        };
        let found: Vec<(Option<Split>, Option<Split>)> = own
            .par_iter_mut()
            .zip(rest.par_iter_mut())
            .enumerate()
            .with_min_len(least_columns(seen.len()))
            .filter(|(c, _)| columns[*c])
            .map(of)
            .collect();
        let best = [better(found.iter().map(|(best, _)| *best)), better(found.iter().map(|(_, best)| *best))];
        for ((child, best), histogram) in [small, 1 - small].into_iter().zip(best).zip([own, rest]) {
            children[child].best = best;
            match best {
                Some(_) => children[child].histogram = Some(histogram),
                None => self.spare.push(histogram),
            }
        }
        children
    }

    /// The split of a leaf on one column that gains most, if any gains.
    fn best(&self, c: usize, column: &Column, cells: &[S], leaf: &Leaf<S>) -> Option<Split> {
        let [g, h] = leaf.sums;
        let l2 = self.limits.l2;
        let whole = if h + l2 > 0.0 { g * g / (h + l2) } else { 0.0 };
        // Second derivatives stand for rows: a histogram does not count them.
        let each = if h > 0.0 { leaf.rows.len() as f64 / h } else { 1.0 };
        let least = (self.limits.least as f64 - 0.5) / each;
        let gain = |left: S| {
            let [left_g, left_h] = left.read(self.unit);
            let (right_g, right_h) = (g - left_g, h - left_h);
            if left_h < least || right_h < least {
                return f64::NEG_INFINITY;
            }
            // Both scores over their common denominator: divisions are what takes time here.
            let (left_l2, right_l2) = (left_h + l2, right_h + l2);
            (left_g * left_g * right_l2 + right_g * right_g * left_l2) / (left_l2 * right_l2) - whole
        };
        let mut best: Option<Split> = None;
        let mut beaten = (SAME * whole).max(self.limits.noise);
        let mut offer = |gain: f64, rule: &dyn Fn() -> Rule, bin: usize, missing_left: bool| {
            if gain > beaten {
                beaten = more_than(gain);
                best = Some(Split { column: c, rule: rule(), missing_left, bin: bin as u8, gain, left: 0 });
            }
        };
        if column.categories > 0 {
            let cell = |bin: usize| cells[bin].read(self.unit);
            let mut order: Vec<usize> = (0..column.categories).filter(|k| cell(*k)[1] > 0.0).collect();
            let slope = |k: &usize| cell(*k)[0] / (cell(*k)[1] + SMOOTH);
            order.sort_by(|a, b| slope(a).total_cmp(&slope(b)));
            let mut left = S::default();
            for taken in 1..order.len() {
                left.join(cells[order[taken - 1]]);
                let set = || {
                    let mut set = [0; 4];
                    order[..taken].iter().for_each(|k| set[k / 64] |= 1 << (k % 64));
                    Rule::In(set)
                };
                offer(gain(left), &set, 0, false);
            }
            return best;
        }
        let missing = cells[column.filled()];
        let some_missing = missing != S::default();
        let mut left = S::default();
        for (bin, edge) in column.edges.iter().enumerate() {
            if cells[bin] == S::default() {
                continue;
            }
            left.join(cells[bin]);
            let rule = || Rule::Below(*edge);
            // Where none is missing here, those to come go with the larger part.
            offer(gain(left), &rule, bin, !some_missing && left.read(self.unit)[1] > h / 2.0);
            if some_missing {
                let mut both = left;
                both.join(missing);
                offer(gain(both), &rule, bin, true);
            }
        }
        if some_missing {
            // What is there against what is missing.
            let mut there = left;
            there.join(cells[column.edges.len()]);
            offer(gain(there), &|| Rule::Below(f64::INFINITY), column.edges.len(), false);
        }
        best
    }
}

/// Rows by whether something holds of them, in their order. Each is written to both sides and kept on one: which one is not
/// to be guessed.
pub(super) fn parted(rows: &[u32], mut holds: impl FnMut(u32) -> bool) -> [Vec<u32>; 2] {
    let (mut yes, mut no) = (vec![0; rows.len()], vec![0; rows.len()]);
    let (mut a, mut b) = (0, 0);
    for row in rows {
        let holds = usize::from(holds(*row));
        yes[a] = *row;
        no[b] = *row;
        a += holds;
        b += 1 - holds;
    }
    yes.truncate(a);
    no.truncate(b);
    [yes, no]
}

/// Columns that a thread should have at least.
fn least_columns(rows: usize) -> usize {
    WORTH.div_ceil(rows + 256)
}

/// The greatest gain; of equals, the first.
fn better(found: impl Iterator<Item = Option<Split>>) -> Option<Split> {
    found.flatten().reduce(|best, split| if split.gain > more_than(best.gain) { split } else { best })
}

/// What is greater than a gain by more than rounding lies above this. Columns that part the rows alike gain the same, and in
/// whatever unit the values come the first of them is to be taken.
fn more_than(gain: f64) -> f64 {
    gain * (1.0 + SAME)
}

fn gathered<R: Copy>(rows: &[u32], gradients: &[R]) -> Vec<R> {
    rows.iter().map(|row| gradients[*row as usize]).collect()
}

fn summed<S: Sums>(seen: &[S::Row]) -> S {
    let mut sum = S::default();
    seen.iter().for_each(|row| sum.add(*row));
    sum
}

/// The sums of `seen`, the derivatives of `rows`, by bin. Rows that follow one another are added up apart where there are
/// enough of them: those of one bin would wait for each other.
fn accumulate<S: Sums>(column: &Column, rows: &[u32], seen: &[S::Row], cells: &mut [S]) {
    match cells.len() {
        _ if rows.len() < MANY * cells.len() => {
            cells.fill(S::default());
            for (row, seen) in rows.iter().zip(seen) {
                cells[usize::from(column.bins[*row as usize])].add(*seen);
            }
        }
        ..=FEW => accumulate_apart::<S, FEW>(column, rows, seen, cells),
        _ => accumulate_apart::<S, BINS>(column, rows, seen, cells),
    }
}

/// The same for at most `N` bins, a power of two.
fn accumulate_apart<S: Sums, const N: usize>(column: &Column, rows: &[u32], seen: &[S::Row], cells: &mut [S]) {
    const APART: usize = 4;
    let mut sums = [[S::default(); N]; APART];
    let mut add =
        |lane: usize, row: u32, seen: S::Row| sums[lane][usize::from(column.bins[row as usize]) % N].add(seen);
    let (rows, last_rows) = rows.as_chunks::<APART>();
    let (seen, last_seen) = seen.as_chunks::<APART>();
    for (rows, seen) in rows.iter().zip(seen) {
        (0..APART).for_each(|lane| add(lane, rows[lane], seen[lane]));
    }
    last_rows.iter().zip(last_seen).for_each(|(row, seen)| add(0, *row, *seen));
    for (bin, cell) in cells.iter_mut().enumerate() {
        *cell = sums[0][bin];
        sums[1..].iter().for_each(|lane| cell.join(lane[bin]));
    }
}
