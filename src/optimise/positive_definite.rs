//! Symmetric positive definite systems of equations, as in least squares.

/// Solves `system` x = `right` in place by Cholesky's decomposition, the system given row after row; false where it is not
/// positive definite.
pub(crate) fn solve(system: &mut [f64], right: &mut [f64]) -> bool {
    let size = right.len();
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
        let dot: f64 = row[..i].iter().zip(right.iter()).map(|(a, b)| a * b).sum();
        right[i] = (right[i] - dot) / row[i];
    }
    for i in (0..size).rev() {
        right[i] /= system[i * size + i];
        let value = right[i];
        for j in 0..i {
            right[j] -= system[i * size + j] * value;
        }
    }
    true
}
