//! What matters in these data, and how often is such a tour wrong? Every question that the panel can answer is asked; of the
//! hypotheses that were tested, those are kept that survive the control of false discoveries over all of them and are found
//! again in parts of the data that did not suggest them; of these the dearest come first.
//!
//! **Control.** Every question counts, also those without an answer, and every hypothesis that was tested for it. Questions are
//! families (Benjamini and Bogomolov 2014): their p-values, and those of their hypotheses within them, are adjusted after
//! Benjamini and Yekutieli (2001), which holds however they depend on one another; kept is what is below 5 %.
//! A finding about the panel is then asked for again in two halves of the series, large and small in each (of a single
//! series: of its weeks), and kept only if both have it with the same sign and at least one at the level of a single
//! question, 5 %. Descriptions (shares, classes, clusters) claim nothing that could be otherwise: they are not findings.

use std::collections::BTreeSet;
use std::sync::Arc;

use polars::prelude::*;

use super::QUESTIONS;
use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::progress;
use crate::show::words::counted;
use crate::show::{Block, Claim, Finding, Show, Table, number};
use crate::statistics::in_families;

/// The share of false findings among those that are kept.
pub(crate) const RATE: f64 = 0.05;
/// How often a tour was wrong where there was nothing to find, and how often it found what there was (`benches/explore.rs`).
const MEASURED: &str = "Measured in benches/explore.rs: of the findings stated on 200 panels with planted effects 0.6 % were \
                        false (at most 3.6 % with those that such a panel cannot decide), and 84 % of the effects were found; on panels without effects something was stated of 1 % (white \
                        noise), 2 % (shuffled weekly sales) and none (shuffled daily sales) of 200.";
/// The most findings of a tour.
const MOST: usize = 12;
/// The level at which a finding is found again in a half of the data.
const AGAIN: f64 = 0.05;

/// The findings of a panel that matter, the dearest first, and what was asked for them.
///
/// ```
/// use tradewind::prelude::*;
/// let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales").known(["IsHoliday"]).observed(["Temperature"]);
/// let tour = Panel::read("data/walmart_sales_weekly.csv", columns)?.tour()?;
/// assert!(tour.findings().len() <= 12);
/// # Ok::<(), tradewind::Error>(())
/// ```
#[derive(Clone)]
pub struct Tour(Arc<Inner>);

struct Inner {
    target: String,
    kept: Vec<Kept>,
    /// Every claim that was kept, with its question and its adjusted p-value.
    stated: Vec<(String, Claim, f64)>,
    /// Questions that were asked, and hypotheses that were tested for them.
    asked: usize,
    tested: usize,
    /// Hypotheses that survived the control, and those of them that were not found again.
    survived: usize,
    lost: usize,
    /// Answers that claim nothing.
    described: Vec<Finding>,
    /// Questions without an answer, and why.
    unanswered: Vec<(String, String)>,
}

/// A finding that was kept.
struct Kept {
    question: String,
    finding: Finding,
    /// Its dearest claim.
    claim: Claim,
    /// The adjusted p-value of that.
    p: f64,
    /// Further claims of the same question that were kept.
    others: usize,
    /// Where it was found again.
    again: Option<String>,
}

/// A claim that survived: its question's place, its own place there, its adjusted p-value.
type Survivor = (usize, usize, f64);

impl Panel {
    /// The findings that matter: every question is asked, false findings are kept below 5 %, the dearest come first.
    ///
    /// # Errors
    /// When the work is interrupted.
    pub fn tour(&self) -> Result<Tour> {
        // A panel of its own, whose numbers of the covariates are gone before those of its halves are made.
        let whole = self.with_covariates(self.inner().frame.clone(), self.columns().clone());
        let asked = asked(&whole, None)?;
        let (mut answers, mut unanswered) = (Vec::new(), Vec::new());
        for (label, answer) in asked {
            match answer {
                Ok(finding) => answers.push((label, finding)),
                Err(why) => unanswered.push((label, why.to_string())),
            }
        }
        let families: Vec<Vec<f64>> = answers
            .iter()
            .map(|(_, finding)| finding.claims().iter().map(|claim| claim.p).collect::<Vec<f64>>())
            .filter(|family| !family.is_empty())
            .chain(unanswered.iter().map(|_| Vec::new()))
            .collect();
        let tested: usize = families.iter().map(Vec::len).sum();
        let mut adjusted = in_families(&families, RATE).into_iter();
        let mut survivors: Vec<Survivor> = Vec::new();
        for (at, _) in answers.iter().enumerate().filter(|(_, (_, finding))| !finding.claims().is_empty()) {
            let family = adjusted.next().unwrap_or_default();
            survivors
                .extend(family.into_iter().enumerate().filter(|(_, p)| *p <= RATE).map(|(claim, p)| (at, claim, p)));
        }
        let second = if self.len() > 1 { second_half(&whole)? } else { Vec::new() };
        drop(whole);
        let again = Again::of(self, &second, &answers, &survivors)?;
        let (mut kept, mut lost): (Vec<Kept>, usize) = (Vec::new(), 0);
        let mut stated = Vec::new();
        for (at, (label, finding)) in answers.iter().enumerate() {
            let mut found: Vec<(&Claim, f64, Option<String>)> = Vec::new();
            for (_, place, p) in survivors.iter().filter(|(of, ..)| *of == at) {
                let claim = &finding.claims()[*place];
                match again.find(label, claim) {
                    Found::Again(words) => found.push((claim, *p, Some(words))),
                    Found::NotAsked => found.push((claim, *p, None)),
                    Found::Lost => lost += 1,
                }
            }
            found.sort_by(|a, b| worth(b.0).total_cmp(&worth(a.0)).then(a.1.total_cmp(&b.1)));
            stated.extend(found.iter().map(|(claim, p, _)| (label.clone(), (*claim).clone(), *p)));
            let others = found.len().saturating_sub(1);
            if let Some((claim, p, again)) = found.into_iter().next() {
                let (question, finding, claim) = (label.clone(), finding.clone(), claim.clone());
                kept.push(Kept { question, finding, claim, p, others, again });
            }
        }
        kept.sort_by(|a, b| worth(&b.claim).total_cmp(&worth(&a.claim)).then(a.p.total_cmp(&b.p)));
        kept.truncate(MOST);
        let asked = answers.len() + unanswered.len();
        let described =
            answers.iter().map(|(_, finding)| finding).filter(|finding| finding.claims().is_empty()).cloned().collect();
        let survived = survivors.len();
        let target = self.columns().target().to_string();
        Ok(Tour(Arc::new(Inner { target, kept, stated, asked, tested, survived, lost, described, unanswered })))
    }
}

/// What a claim is worth, for the order.
fn worth(claim: &Claim) -> f64 {
    if claim.money.is_nan() { 0.0 } else { claim.money.abs() }
}

/// The answers of a panel to the questions of a tour; only to those labels if they are stated.
fn asked(panel: &Panel, only: Option<&BTreeSet<&str>>) -> Result<Vec<(String, Result<Finding>)>> {
    let mut answers = Vec::new();
    for question in QUESTIONS.iter() {
        progress::check()?;
        for (label, answer) in (question.tour)(panel, &|label| only.is_none_or(|only| only.contains(label))) {
            if answer.as_ref().is_err_and(Error::is_interrupted) {
                return Err(Error::interrupted());
            }
            answers.push((label, answer));
        }
    }
    Ok(answers)
}

/// The answers of two halves of the data.
struct Again {
    halves: Vec<Vec<(String, Result<Finding>)>>,
    /// What the halves are made of.
    of: &'static str,
}

enum Found {
    Again(String),
    NotAsked,
    Lost,
}

impl Again {
    fn of(panel: &Panel, second: &[bool], answers: &[(String, Finding)], survivors: &[Survivor]) -> Result<Self> {
        let labels: BTreeSet<&str> = survivors
            .iter()
            .filter(|(at, claim, _)| answers[*at].1.claims()[*claim].again)
            .map(|(at, ..)| answers[*at].0.as_str())
            .collect();
        if labels.is_empty() {
            return Ok(Self { halves: Vec::new(), of: "" });
        }
        let of = if panel.len() > 1 { "series" } else { "history" };
        // One after the other: a half of a large panel is large.
        let half = |last: bool| {
            let kept: Vec<bool> = second.iter().map(|second| *second == last).collect();
            let part = if kept.is_empty() { by_time(panel, last)? } else { panel.with_series(&kept)? };
            asked(&part, Some(&labels))
        };
        Ok(Self { halves: vec![half(false)?, half(true)?], of })
    }

    fn find(&self, label: &str, claim: &Claim) -> Found {
        if !claim.again {
            return Found::NotAsked;
        }
        let mut values = Vec::new();
        let mut least: f64 = 1.0;
        for half in &self.halves {
            let answer = half.iter().find(|(known, _)| known == label);
            let same = answer
                .and_then(|(_, answer)| answer.as_ref().ok())
                .and_then(|finding| finding.claims().iter().find(|other| other.about == claim.about));
            match same {
                Some(same) if same.estimate.value * claim.estimate.value > 0.0 => {
                    least = least.min(same.p);
                    values.push(same.size());
                }
                _ => return Found::Lost,
            }
        }
        if least <= AGAIN {
            Found::Again(format!("found again in each half of the {} ({})", self.of, values.join(" and ")))
        } else {
            Found::Lost
        }
    }
}

/// Which series are in the second half: by size, one here, one there.
fn second_half(panel: &Panel) -> Result<Vec<bool>> {
    let mut order: Vec<usize> = crate::panel::order::by_content(panel)?;
    let sum = |i: usize| panel.target(i).iter().filter(|y| !y.is_nan()).sum::<f64>();
    let sums: Vec<f64> = (0..panel.len()).map(sum).collect();
    order.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]));
    let mut second = vec![false; panel.len()];
    // 0, 3, 4, 7, 8 … and 1, 2, 5, 6 …: neither half has the larger of every pair.
    order.iter().enumerate().for_each(|(place, i)| second[*i] = matches!(place % 4, 1 | 2));
    Ok(second)
}

/// The first or the last half of the history.
fn by_time(panel: &Panel, second: bool) -> Result<Panel> {
    let (first, last) = panel.extent().unwrap_or((0, 0));
    let middle = first + (last - first) / 2;
    panel.within(&|_, at| (at > middle) == second)
}

impl Tour {
    /// The findings, the dearest first.
    pub fn findings(&self) -> Vec<Finding> {
        self.0.kept.iter().map(Kept::told).collect()
    }

    /// Answers that describe the data and claim nothing that was tested: shares, classes, groups.
    pub fn described(&self) -> Vec<Finding> {
        self.0.described.clone()
    }

    /// What was asked, tested and kept, in a sentence.
    pub fn sentence(&self) -> String {
        let inner = &*self.0;
        let kept: usize = inner.kept.iter().map(|kept| kept.others + 1).sum();
        let head = match inner.kept.len() {
            0 => "Nothing was found that stands".to_string(),
            1 => "1 finding that stands".to_string(),
            n => format!("{} findings that stand", number(n as f64)),
        };
        let lost = match inner.lost {
            0 => String::new(),
            n => format!(", {} of them not found again in both halves of the data and left out", number(n as f64)),
        };
        let more = match kept.saturating_sub(inner.kept.len()) {
            0 => String::new(),
            n => format!("; {} of the same kinds are in their tables", number(n as f64)),
        };
        format!(
            "{head}{more}: {} asked, {} tested, {} below a false discovery rate of {} %{lost}.",
            counted(inner.asked, "question", "questions"),
            counted(inner.tested, "hypothesis", "hypotheses"),
            number(inner.survived as f64),
            number(100.0 * RATE),
        )
    }

    /// What it is about.
    pub fn title(&self) -> String {
        format!("What moves {}", self.0.target)
    }

    /// What the findings but growth are worth in a year, the dearest first, by what each is about.
    pub(crate) fn worth(&self) -> Vec<(String, f64)> {
        let kept = self.0.kept.iter().filter(|kept| kept.finding.title() != "Growth" && kept.claim.money.is_finite());
        kept.map(|kept| (kept.claim.about.clone(), kept.claim.money)).collect()
    }

    /// The finding but growth that is worth most in a year, and what it says in one sentence.
    pub(crate) fn dearest(&self) -> Option<(Finding, String)> {
        let valued = |kept: &&Kept| kept.finding.title() != "Growth" && kept.claim.money.is_finite();
        let first = self.0.kept.iter().find(|kept| valued(kept) && kept.finding.number().is_some())?;
        Some((first.finding.clone(), first.claim.sentence.clone()))
    }

    /// How findings are told from chance.
    pub fn method(&self) -> String {
        format!(
            "Every question counts, also those without an answer. Questions, and in them the hypotheses that were tested, are \
             kept below a false discovery rate of {} % (Benjamini and Yekutieli 2001, which holds however they depend on one \
             another; families after Benjamini and Bogomolov 2014). A finding about the panel is kept only if each half of the data has it as well, with the same sign. {MEASURED} What is \
             told is an association, not proof of cause.",
            number(100.0 * RATE)
        )
    }

    /// A row per finding: what it is about, the finding, its worth in a year, its adjusted p-value, where it was found again.
    ///
    /// # Errors
    /// When the table cannot be made.
    pub fn table(&self) -> Result<Table> {
        let kept = &self.0.kept;
        let texts = |name: &str, pick: &dyn Fn(&Kept) -> String| {
            Column::new(name.into(), kept.iter().map(pick).collect::<Vec<_>>())
        };
        let numbers = |name: &str, pick: &dyn Fn(&Kept) -> f64| {
            Column::new(name.into(), kept.iter().map(pick).collect::<Vec<_>>())
        };
        let columns = vec![
            texts("question", &|kept| kept.question.clone()),
            texts("finding", &|kept| kept.claim.sentence.clone()),
            numbers("a year", &|kept| kept.claim.money.round()),
            numbers("adjusted p", &|kept| kept.p),
            texts("again", &|kept| kept.again.clone().unwrap_or_default()),
        ];
        Ok(Table::new(DataFrame::new(kept.len(), columns)?).titled("Findings, the dearest first"))
    }

    /// Every claim that was kept: its question, what it is about, its size with the interval at this level, its p-value, its
    /// adjusted p-value, its worth in a year. [`table`](Self::table) has the dearest of each question.
    ///
    /// # Errors
    /// When the level is no probability.
    pub fn effects(&self, level: f64) -> Result<Table> {
        crate::statistics::check_level(level)?;
        let rows = &self.0.stated;
        let numbers = |name: &str, pick: &dyn Fn(&Claim) -> f64| {
            Column::new(name.into(), rows.iter().map(|row| pick(&row.1)).collect::<Vec<_>>())
        };
        let columns = vec![
            Column::new("question".into(), rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>()),
            Column::new("about".into(), rows.iter().map(|row| row.1.about.as_str()).collect::<Vec<_>>()),
            numbers("estimate", &|claim| claim.estimate.value),
            numbers("from", &|claim| claim.estimate.interval(level).0),
            numbers("to", &|claim| claim.estimate.interval(level).1),
            numbers("p", &|claim| claim.p),
            Column::new("adjusted p".into(), rows.iter().map(|row| row.2).collect::<Vec<_>>()),
            numbers("a year", &|claim| claim.money),
        ];
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).titled("Effects that stand"))
    }

    /// Questions that the data cannot answer, and why.
    ///
    /// # Errors
    /// When the table cannot be made.
    pub fn unanswered(&self) -> Result<Table> {
        let rows = &self.0.unanswered;
        let columns = vec![
            Column::new("question".into(), rows.iter().map(|row| row.0.as_str()).collect::<Vec<_>>()),
            Column::new("why".into(), rows.iter().map(|row| row.1.as_str()).collect::<Vec<_>>()),
        ];
        Ok(Table::new(DataFrame::new(rows.len(), columns)?).titled("Questions without an answer"))
    }
}

impl Kept {
    /// The finding with its claim as the sentence, and how sure it is.
    fn told(&self) -> Finding {
        let mut sure = format!("p = {} over all questions and series", crate::show::words::about(self.p));
        if self.p < 0.001 {
            sure = "p < 0.001 over all questions and series".into();
        }
        if let Some(again) = &self.again {
            sure.push_str(&format!("; {again}"));
        }
        let others = match self.others {
            0 => String::new(),
            1 => " Another of this kind stands as well.".to_string(),
            n => format!(" {} more of this kind stand.", number(n as f64)),
        };
        let finding = match self.finding.number() {
            Some(_) => self.finding.clone(),
            None => self.finding.clone().headed(self.claim.size(), self.finding.title()),
        };
        finding.saying(format!("{}{others}", self.claim.sentence)).sure_by(format!("{sure}."))
    }
}

impl Show for Tour {
    fn block(&self) -> Block {
        let mut blocks = vec![Block::Text(self.sentence())];
        for finding in self.findings() {
            blocks.push(Block::Heading { level: 3, text: finding.title() });
            blocks.push(finding.block());
        }
        for finding in &self.0.described {
            blocks.push(Block::Heading { level: 3, text: finding.title() });
            blocks.push(finding.block());
        }
        if let Some(table) = self.unanswered().ok().filter(|table| table.rows() > 0) {
            blocks.push(Block::Table(table));
        }
        Block::Group(blocks)
    }
}

crate::show::noun!(Tour);
