//! Which model is really better: tests agree with R and scipy, see the headers of `comparison.csv` and
//! `studentized_range.csv`; every verb answers whatever the backtest, and says when a test has no meaning.

use tradewind::statistics::*;

use crate::oracles::{number, rows};

fn near(ours: f64, theirs: f64) -> bool {
    (ours - theirs).abs() <= 1e-9 * theirs.abs() + 1e-13
}

#[test]
fn tests_of_better_agree_with_r() {
    let mut compared = 0;
    for row in rows("comparison.csv") {
        let (h, columns) = (row[1].parse::<usize>().unwrap(), row[2].parse::<usize>().unwrap());
        let values: Vec<f64> = row[3].split(';').map(number).collect();
        let blocks = || values.chunks(columns).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let (statistic, p) = match row[0].as_str() {
            "dm" | "dm_negative" => {
                let test = diebold_mariano(&values, h).unwrap();
                assert_eq!(test.fell_back, row[0] == "dm_negative", "{row:?}");
                (test.statistic, test.p_value)
            }
            "friedman" => friedman(&blocks()).map(|test| (test.statistic, test.p_value)).unwrap(),
            "iman_davenport" => friedman(&blocks()).map(|test| (test.f, test.f_p_value)).unwrap(),
            _ => wilcoxon(&values).unwrap(),
        };
        assert!(near(statistic, number(&row[4])) && near(p, number(&row[5])), "{row:?}: {statistic} {p}");
        compared += 1;
    }
    assert!(compared > 40);
}

#[test]
fn the_studentised_range_agrees_with_scipy_and_the_table_of_the_paper() {
    for row in rows("studentized_range.csv") {
        let k = row[0].parse().unwrap();
        let quantile = studentised_range_quantile(number(&row[1]), k).unwrap();
        let tail = studentised_range(number(&row[3]), k);
        assert!((quantile - number(&row[2])).abs() < 1e-6 && (tail - number(&row[4])).abs() < 1e-6, "{row:?}");
    }
    for (k, printed) in (2..).zip([1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]) {
        let ours = studentised_range_quantile(0.95, k).unwrap() / 2_f64.sqrt();
        // The paper prints 2.343 where 2.3437 is.
        assert!((ours - printed).abs() < 1e-3, "{k}: {ours}");
    }
}

#[test]
fn tests_of_better_are_fair() {
    let d = [0.4, -0.1, 0.3, 0.8, 0.2, -0.3, 0.5];
    let turned: Vec<f64> = d.iter().map(|d| -d).collect();
    let (one, other) = (diebold_mariano(&d, 2).unwrap(), diebold_mariano(&turned, 2).unwrap());
    assert!(near(one.statistic, -other.statistic) && near(one.p_value, other.p_value));
    let larger: Vec<f64> = d.iter().map(|d| d * 1e300).collect();
    assert!(near(diebold_mariano(&larger, 2).unwrap().p_value, one.p_value));
    // The interval and the p-value say the same.
    assert_eq!(one.p_value < 0.05, one.mean.abs() > one.margin);

    assert_eq!(diebold_mariano(&[0.0; 5], 1).unwrap().p_value, 1.0);
    assert!(diebold_mariano(&[0.5; 5], 1).is_err(), "no variance to compare with");
    assert!(diebold_mariano(&[0.5], 1).is_err() && diebold_mariano(&[], 1).is_err());
    assert!(diebold_mariano(&[1.0, 2.0, f64::NAN], 1).is_err());
    assert!(diebold_mariano(&[1.0, 2.0, 4.0], 3).is_err(), "the correction leaves nothing");
    assert!(diebold_mariano(&[1.0, 2.0, 4.0], 50).is_err());

    let same = friedman(&[vec![1.0, 1.0, 1.0], vec![2.0, 2.0, 2.0]]).unwrap();
    assert_eq!((same.mean_ranks, same.statistic, same.p_value), (vec![2.0; 3], 0.0, 1.0));
    let clear = friedman(&vec![vec![1.0, 2.0, 3.0]; 9]).unwrap();
    assert_eq!((clear.f_p_value, clear.mean_ranks.iter().sum::<f64>()), (0.0, 6.0));
    assert!(friedman(&[]).is_err() && friedman(&[vec![1.0, 2.0]]).is_err());
    assert!(friedman(&[vec![1.0, 2.0], vec![1.0]]).is_err());
    assert!(wilcoxon(&[0.0, 0.0]).is_err());
    assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
    assert_eq!(alike(&[1.0, 1.5, 2.0, 3.5, 3.6], 1.0), [(0, 2), (3, 4)]);
    assert_eq!(alike(&[1.0, 2.0, 3.0], 1.0), [(0, 1), (1, 2)]);
    assert!(alike(&[1.0, 3.0], 1.0).is_empty() && alike(&[], 1.0).is_empty());
    assert!(critical_difference(1, 5).is_err() && critical_difference(3, 0).is_err());
}
