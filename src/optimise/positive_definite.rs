//! Symmetric positive definite systems of equations, as in least squares.

/// Solves `system` x = `right` in place by Cholesky's decomposition, the system given row after row; false where it is not
/// positive definite.
pub(crate) fn solve(system: &mut [f64], right: &mut [f64]) -> bool {
    let is_definite = factor(system, right.len());
    if is_definite {
        substitute(system, right);
    }
    is_definite
}

/// The lower triangle of a system of that size, given row after row, becomes its Cholesky factor; false where it is not positive
/// definite.
pub(crate) fn factor(system: &mut [f64], size: usize) -> bool {
    for i in 0..size {
        let (above, rest) = system.split_at_mut(i * size);
        let row = &mut rest[..size];
        for j in 0..i {
            let other = &above[j * size..(j + 1) * size];
            let dot: f64 = row[..j].iter().zip(&other[..j]).map(|(a, b)| a * b).sum();
            row[j] = (row[j] - dot) / other[j];
        }
        let left = row[i] - row[..i].iter().map(|v| v * v).sum::<f64>();
        // What is left of the diagonal is rounding where the columns depend on each other.
        if left.is_nan() || left.is_infinite() || left <= 1e-14 * row[i] {
            return false;
        }
        row[i] = left.sqrt();
    }
    true
}

/// Solves a system in place, given its [`factor`].
pub(crate) fn substitute(factor: &[f64], right: &mut [f64]) {
    let size = right.len();
    for i in 0..size {
        let row = &factor[i * size..i * size + size];
        let dot: f64 = row[..i].iter().zip(right.iter()).map(|(a, b)| a * b).sum();
        right[i] = (right[i] - dot) / row[i];
    }
    for i in (0..size).rev() {
        right[i] /= factor[i * size + i];
        let value = right[i];
        for j in 0..i {
            right[j] -= factor[i * size + j] * value;
        }
    }
}
