//! When is nothing sold because a shop is closed? Flags that are known ahead imply it, if they always have.

use crate::error::Result;
use crate::panel::{Future, Panel, Role};

/// The smallest number of steps without sales that the rule is inferred from.
const SEEN: usize = 20;

/// Which flags imply, at which value, that nothing is sold, as columns of the matrix of covariates: over all series at least
/// [`SEEN`] steps, all but one in a thousand of them without sales, while most other steps have some.
pub(crate) fn closures(panel: &Panel, flags: &[usize]) -> Result<Vec<(usize, f64)>> {
    let matrix = panel.matrix()?;
    let mut found = Vec::new();
    for flag in flags {
        let column = &matrix.columns[*flag];
        let (mut rows, mut zeros) = ([0_usize; 2], [0_usize; 2]);
        for i in 0..panel.len() {
            for (flag, y) in panel.column_of(i, column).iter().zip(panel.target(i)) {
                if !flag.is_nan() && !y.is_nan() {
                    let at = usize::from(*flag == 1.0);
                    rows[at] += 1;
                    zeros[at] += usize::from(*y == 0.0);
                }
            }
        }
        let rule =
            |at: usize| rows[at] >= SEEN && 1000 * zeros[at] >= 999 * rows[at] && 2 * zeros[1 - at] < rows[1 - at];
        found.extend([0, 1].into_iter().filter(|at| rule(*at)).map(|at| (*flag, at as f64)));
    }
    Ok(found)
}

/// Is a column of covariates a flag: nothing but 0 and 1, and both?
pub(crate) fn is_flag(column: &[f64]) -> bool {
    let mut values = column.iter().filter(|v| !v.is_nan());
    values.clone().any(|v| *v == 0.0) && values.clone().any(|v| *v == 1.0) && values.all(|v| *v == 0.0 || *v == 1.0)
}

/// As [`closures`], of all known columns that are flags.
pub(crate) fn closed_columns(panel: &Panel) -> Result<Vec<(usize, f64)>> {
    let matrix = panel.matrix()?;
    let known = (0..matrix.columns.len()).filter(|c| matrix.sources[*c].1 == Role::Known);
    closures(panel, &known.filter(|c| is_flag(&matrix.columns[*c])).collect::<Vec<_>>())
}

/// The steps of a future at which a series is closed.
pub(crate) fn closed_steps(closed: &[(usize, f64)], future: &Future, series: usize) -> Vec<bool> {
    if closed.is_empty() {
        return vec![false; future.horizon()];
    }
    let columns = future.columns(series);
    (0..future.horizon()).map(|step| closed.iter().any(|(c, value)| columns[*c][step] == *value)).collect()
}
