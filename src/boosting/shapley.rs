//! What does each column add to a prediction? Exact Shapley values of one tree, for columns of which nothing is known
//! weighed by how many training rows went each way (Lundberg et al. 2020, algorithm 2 of the supplement).

use super::Rows;
use super::tree::Tree;

/// One column on the path: the share of rows that would come this way without knowing it, and whether this row does.
#[derive(Clone, Copy)]
struct Step {
    column: usize,
    unknown: f64,
    known: f64,
    /// The weight of subsets with as many known columns as this step's place says.
    weight: f64,
}

/// Adds what a tree gives to each column of a row, and to the last place what it gives without any.
pub(super) fn add(tree: &Tree, rows: Rows, row: usize, sums: &mut [f64]) {
    let last = sums.len() - 1;
    sums[last] += expected(tree, 0);
    walk(tree, 0, rows, row, Vec::new(), Step { column: usize::MAX, unknown: 1.0, known: 1.0, weight: 0.0 }, sums);
}

fn expected(tree: &Tree, node: usize) -> f64 {
    let here = &tree.nodes[node];
    match here.split {
        None => here.value,
        Some(split) => {
            let [left, right] =
                [split.left, split.left + 1].map(|child| (tree.nodes[child].cover, expected(tree, child)));
            let total = left.0 + right.0;
            if total > 0.0 { (left.0 * left.1 + right.0 * right.1) / total } else { (left.1 + right.1) / 2.0 }
        }
    }
}

fn extend(path: &mut Vec<Step>, step: Step) {
    let length = path.len();
    path.push(Step { weight: if length == 0 { 1.0 } else { 0.0 }, ..step });
    for i in (0..length).rev() {
        path[i + 1].weight += step.known * path[i].weight * (i + 1) as f64 / (length + 1) as f64;
        path[i].weight *= step.unknown * (length - i) as f64 / (length + 1) as f64;
    }
}

/// The weights of a path without one of its steps.
fn unwound(path: &[Step], at: usize) -> Vec<f64> {
    let length = path.len() - 1;
    let Step { unknown, known, .. } = path[at];
    let mut next = path[length].weight;
    let mut weights = vec![0.0; length];
    for i in (0..length).rev() {
        if known != 0.0 {
            weights[i] = next * (length + 1) as f64 / ((i + 1) as f64 * known);
            next = path[i].weight - weights[i] * unknown * (length - i) as f64 / (length + 1) as f64;
        } else {
            weights[i] = path[i].weight * (length + 1) as f64 / (unknown * (length - i) as f64);
        }
    }
    weights
}

fn walk(tree: &Tree, node: usize, rows: Rows, row: usize, mut path: Vec<Step>, step: Step, sums: &mut [f64]) {
    extend(&mut path, step);
    let here = &tree.nodes[node];
    let Some(split) = here.split else {
        for at in 1..path.len() {
            let weight: f64 = unwound(&path, at).iter().sum();
            let Some(sum) = sums.get_mut(path[at].column) else { continue };
            *sum += weight * (path[at].known - path[at].unknown) * here.value;
        }
        return;
    };
    let goes_left = split.is_left(rows.columns.get(split.column).map_or(f64::NAN, |column| column[row]));
    // A column that the path has met already is taken out and met anew.
    let (mut unknown, mut known) = (1.0, 1.0);
    if let Some(at) = path.iter().position(|step| step.column == split.column) {
        (unknown, known) = (path[at].unknown, path[at].known);
        let weights = unwound(&path, at);
        path.remove(at);
        path.iter_mut().zip(weights).for_each(|(step, weight)| step.weight = weight);
    }
    let total = tree.nodes[split.left].cover + tree.nodes[split.left + 1].cover;
    for (child, taken) in [(split.left, goes_left), (split.left + 1, !goes_left)] {
        let share = if total > 0.0 { tree.nodes[child].cover / total } else { 0.5 };
        let unknown = unknown * share;
        let known = if taken { known } else { 0.0 };
        // A way that nobody can come gives nothing.
        if unknown > 0.0 || known > 0.0 {
            let step = Step { column: split.column, unknown, known, weight: 0.0 };
            walk(tree, child, rows, row, path.clone(), step, sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::{Node, Rule, Split};
    use super::*;

    /// By definition: the mean over all orders of what a column changes when it becomes known.
    fn by_definition(tree: &Tree, row: &[f64]) -> Vec<f64> {
        fn value(tree: &Tree, node: usize, row: &[f64], known: usize) -> f64 {
            let here = &tree.nodes[node];
            let Some(split) = here.split else { return here.value };
            let of = |child: usize| value(tree, child, row, known);
            if known >> split.column & 1 == 1 {
                return of(split.left + usize::from(!split.is_left(row[split.column])));
            }
            let (a, b) = (tree.nodes[split.left].cover, tree.nodes[split.left + 1].cover);
            (a * of(split.left) + b * of(split.left + 1)) / (a + b)
        }
        let m = row.len();
        let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
        (0..m)
            .map(|column| {
                (0..1_usize << m)
                    .filter(|set| set >> column & 1 == 0)
                    .map(|set| {
                        let size = set.count_ones() as usize;
                        let weight = factorial(size) * factorial(m - size - 1) / factorial(m);
                        weight * (value(tree, 0, row, set | 1 << column) - value(tree, 0, row, set))
                    })
                    .sum()
            })
            .collect()
    }

    #[test]
    fn shapley_values_are_those_of_the_definition() {
        let split = |column: usize, edge: f64, left: usize| {
            Some(Split { column, rule: Rule::Below(edge), missing_left: true, bin: 0, gain: 1.0, left })
        };
        let node = |cover: f64, value: f64, split: Option<Split>| Node { cover, value, split };
        // Columns 0 and 1 are met twice on one path.
        let tree = Tree {
            nodes: vec![
                node(100.0, 0.0, split(0, 0.5, 1)),
                node(30.0, 0.0, split(1, 0.3, 3)),
                node(70.0, 0.0, split(2, 0.7, 5)),
                node(10.0, 1.0, None),
                node(20.0, 0.0, split(0, 0.2, 7)),
                node(45.0, 0.0, split(1, 0.9, 9)),
                node(25.0, -4.0, None),
                node(12.0, 0.0, split(1, 0.6, 11)),
                node(8.0, 7.0, None),
                node(40.0, 2.0, None),
                node(5.0, 11.0, None),
                node(9.0, 3.0, None),
                node(3.0, -2.0, None),
            ],
        };
        for k in 0..64 {
            let row: Vec<f64> = (0..3).map(|c| f64::from(k * 37 % (64 - c * 5)) / 64.0).collect();
            let columns: Vec<Vec<f64>> = row.iter().map(|v| vec![*v]).collect();
            let rows = Rows { columns: &columns, categorical: &[] };
            let mut sums = vec![0.0; 4];
            add(&tree, rows, 0, &mut sums);
            for (fast, slow) in sums.iter().zip(by_definition(&tree, &row)) {
                assert!((fast - slow).abs() < 1e-12, "{sums:?}");
            }
            assert!((sums.iter().sum::<f64>() - tree.read(rows, 0)).abs() < 1e-12);
        }
    }
}
