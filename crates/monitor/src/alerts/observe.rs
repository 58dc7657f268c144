//! What does the store say about the things that rules watch?

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::rule::{Level, Measure, Rule, Rules, What};
use crate::error::Result;
use crate::scores::Sums;
use crate::store::database::Value;
use crate::store::{Kind, Store, Track, row_of, seconds, stamp};

/// What a unit costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Costs {
    /// Of a unit forecast too much: left over, marked down.
    pub over: f64,
    /// Of a unit forecast too little: the lost margin.
    pub under: f64,
}

/// What was found about a portfolio, a group or a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The rule that it was measured for; every rule about the same thing if not stated.
    pub rule: Option<String>,
    pub what: What,
    pub level: Level,
    /// Of the group or series; empty for the portfolio.
    pub key: Vec<String>,
    /// Empty where it is about none in particular.
    pub model: String,
    /// Of the forecast, where it is about one.
    pub kind: Option<Kind>,
    /// The newest date of the data behind it.
    pub at: NaiveDateTime,
    /// Since which date it is so, where a detector knows.
    pub since: Option<NaiveDateTime>,
    /// How large it is: in %, periods or as a share, as [`What`] says.
    pub value: f64,
    /// How likely it is by chance in one period, between 0 and 1, where a detector knows.
    pub odds: Option<f64>,
    /// What it costs.
    pub money: f64,
    /// What it is, in words, where the rule's own would say too little: which input drifted, why a fit failed.
    pub detail: String,
}

impl Observation {
    /// The model, with its kind where that is not the usual one.
    pub(super) fn by(&self) -> String {
        by(&self.model, self.kind)
    }
}

/// A model in messages, with its kind where that is not the usual one.
pub(crate) fn by(model: &str, kind: Option<Kind>) -> String {
    match kind {
        None | Some(Kind::Statistical) => model.to_string(),
        Some(kind) => format!("{model} ({})", kind.name()),
    }
}

impl Store {
    /// Measures what the rules watch and the store knows: errors, bias, coverage, missing data, and whether actuals and
    /// forecasts keep coming. `costs` gives what a unit of a series costs.
    ///
    /// # Errors
    /// A rule contradicts itself, or the store cannot be read.
    pub fn observe(
        &mut self,
        rules: &Rules,
        costs: impl Fn(&[String]) -> Costs,
        now: DateTime<Utc>,
    ) -> Result<Vec<Observation>> {
        rules.check()?;
        let mut keys: HashMap<i64, Vec<String>> = HashMap::new();
        if rules
            .rules
            .iter()
            .any(|rule| matches!(rule.what, What::Error | What::Bias | What::Coverage | What::MissingData))
        {
            self.series(|series, key| {
                keys.insert(series, key);
                Ok(())
            })?;
        }
        let mut seen = Vec::new();
        for track in self.tracks()? {
            // What detectors are asked for they alone can say.
            let watches = |rule: &&Rule| rule.is_for(&track.model, track.kind) && !rule.detects();
            for rule in rules.rules.iter().filter(watches) {
                let columns = rules.columns(rule)?;
                let group = |key: &[String]| -> Vec<String> {
                    match rule.level {
                        Level::Portfolio => Vec::new(),
                        Level::Series => key.to_vec(),
                        Level::Group => columns.iter().filter_map(|column| key.get(*column).cloned()).collect(),
                    }
                };
                match rule.what {
                    What::Error | What::Bias | What::Coverage => {
                        self.measured(rule, &track, &keys, &group, &costs, &mut seen)?;
                    }
                    What::MissingData => self.missing(rule, &track, &keys, &group, &mut seen)?,
                    What::NoActuals | What::NoForecast => self.late(rule, &track, now, &mut seen)?,
                    What::Drift | What::RetrainFailed => {}
                }
            }
        }
        Ok(seen)
    }

    fn measured(
        &mut self,
        rule: &Rule,
        track: &Track,
        keys: &HashMap<i64, Vec<String>>,
        group: &dyn Fn(&[String]) -> Vec<String>,
        costs: &dyn Fn(&[String]) -> Costs,
        seen: &mut Vec<Observation>,
    ) -> Result<()> {
        let Some(at) = track.newest else { return Ok(()) };
        let size = |sums: &Sums| match (rule.what, rule.measure) {
            (What::Bias, _) => sums.bias(),
            (What::Coverage, _) => sums.coverage(),
            (_, Measure::Mase) => sums.mase(),
            (_, Measure::Wape) => sums.wape(),
        };
        let mut groups: BTreeMap<Vec<String>, (Sums, f64)> = BTreeMap::new();
        let mut keep = |key: Vec<String>, sums: &Sums, money: f64| {
            let Some(value) = size(sums) else { return };
            seen.push(Observation {
                rule: Some(rule.name.clone()),
                what: rule.what,
                level: rule.level,
                key,
                model: track.model.clone(),
                kind: Some(track.kind),
                at,
                since: None,
                value,
                odds: None,
                money,
                detail: String::new(),
            });
        };
        self.by_series(track.id, rule.window, |series, steps| {
            let Some(key) = keys.get(&series) else { return Ok(()) };
            let mut sums = Sums::default();
            match rule.step {
                Some(step) => sums.merge(steps.get(step - 1).unwrap_or(&Sums::default())),
                None => steps.iter().for_each(|step| sums.merge(step)),
            }
            let Costs { over, under } = costs(key);
            let money = sums.money(over, under);
            if rule.level == Level::Series {
                keep(key.clone(), &sums, money);
            } else {
                let (all, all_money) = groups.entry(group(key)).or_default();
                all.merge(&sums);
                *all_money += money;
            }
            Ok(())
        })?;
        for (key, (sums, money)) in groups {
            keep(key, &sums, money);
        }
        Ok(())
    }

    /// Which series of the newest issue for the newest date with actuals have none?
    fn missing(
        &mut self,
        rule: &Rule,
        track: &Track,
        keys: &HashMap<i64, Vec<String>>,
        group: &dyn Fn(&[String]) -> Vec<String>,
        seen: &mut Vec<Observation>,
    ) -> Result<()> {
        let Some(at) = track.newest else { return Ok(()) };
        let Some(issue) = self.newest_issue(track.id, seconds(at))? else { return Ok(()) };
        let there: HashSet<i64> = self
            .database
            .rows("select series from actual where at = $1", &[Value::Int(seconds(at))], |row| row.int(0))?
            .into_iter()
            .collect();
        let mut groups: BTreeMap<Vec<String>, (usize, usize)> = BTreeMap::new();
        self.database.query(
            "select id from forecast where id between $1 and $2",
            &[Value::Int(row_of(issue, 0)), Value::Int(row_of(issue + 1, 0) - 1)],
            |row| {
                let series = row.int(0)? - row_of(issue, 0);
                if let Some(key) = keys.get(&series) {
                    let (missing, expected) = groups.entry(group(key)).or_default();
                    *missing += usize::from(!there.contains(&series));
                    *expected += 1;
                }
                Ok(())
            },
        )?;
        for (key, (missing, expected)) in groups {
            seen.push(Observation {
                rule: Some(rule.name.clone()),
                what: rule.what,
                level: rule.level,
                key,
                model: track.model.clone(),
                kind: Some(track.kind),
                at,
                since: None,
                value: 100.0 * missing as f64 / expected.max(1) as f64,
                odds: None,
                money: 0.0,
                detail: format!("{missing} of {expected} are missing at {at}"),
            });
        }
        Ok(())
    }

    /// Of the series that the newest issue has for the newest date with actuals: how many have none, of how many?
    pub(crate) fn gaps(&mut self, track: &Track) -> Result<(usize, usize)> {
        let Some(at) = track.newest.map(seconds) else { return Ok((0, 0)) };
        let Some(issue) = self.newest_issue(track.id, at)? else { return Ok((0, 0)) };
        let range = [Value::Int(row_of(issue, 0)), Value::Int(row_of(issue + 1, 0) - 1)];
        let mut count = |sql, values: &[Value<'_>]| -> Result<usize> {
            let count = self.database.first(sql, values, |row| row.int(0))?.unwrap_or_default();
            Ok(usize::try_from(count).unwrap_or_default())
        };
        let expected = count("select count(*) from forecast where id between $1 and $2", &range)?;
        let there = count("select count(*) from actual where at = $1", &[Value::Int(at)])?;
        Ok((expected.saturating_sub(there), expected))
    }

    fn newest_issue(&mut self, track: i64, at: i64) -> Result<Option<i64>> {
        self.database.first(
            "select issue from step where track = $1 and at = $2 order by issued_at desc, issue desc limit 1",
            &[Value::Int(track), Value::Int(at)],
            |row| row.int(0),
        )
    }

    /// How many periods ago did the newest actual or forecast come?
    fn late(&mut self, rule: &Rule, track: &Track, now: DateTime<Utc>, seen: &mut Vec<Observation>) -> Result<()> {
        let (what, since) = if rule.what == What::NoActuals {
            ("actual", track.newest.map_or(i64::MIN, seconds))
        } else {
            let newest = self.database.first(
                "select max(issued_at) from issue where track = $1",
                &[Value::Int(track.id)],
                |row| row.maybe_int(0),
            )?;
            ("forecast", newest.flatten().unwrap_or_default().div_euclid(1_000_000))
        };
        let passed = self
            .database
            .first(
                "select count(distinct at) from step where track = $1 and at > $2 and at <= $3",
                &[Value::Int(track.id), Value::Int(since), Value::Int(now.timestamp())],
                |row| row.int(0),
            )?
            .unwrap_or_default();
        let detail = match since {
            i64::MIN => format!("no {what} came yet"),
            since => format!("the newest {what} is of {}", stamp(since)),
        };
        seen.push(Observation {
            rule: Some(rule.name.clone()),
            what: rule.what,
            level: rule.level,
            key: Vec::new(),
            model: track.model.clone(),
            kind: Some(track.kind),
            at: now.naive_utc(),
            since: None,
            value: passed as f64,
            odds: None,
            money: 0.0,
            detail,
        });
        Ok(())
    }
}
