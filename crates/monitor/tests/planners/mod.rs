//! A world of planners: demand as shops see it, a model that knows nothing of promotions, and thirty people who change
//! its forecasts for better or worse.
//!
//! Each planner has ten items of their own over two years of weeks. Demand is level × season × promotion × shocks: one
//! of the week for all, one of the week and class, one of the item that lasts for weeks (what the model gets wrong
//! again and again), and noise with heavy tails. Planners mix motives: news of a promotion (estimated well or
//! exaggerated), wishes (upward), restlessness (either way), tinkering (a few per cent), and chasing of recent errors.
//! Reasons given are true at best in most cases: wishes are called promotions or judgement too.
#![allow(dead_code)] // the bench and the test each use a part

use chrono::{Days, NaiveDate, NaiveDateTime};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, LogNormal, StandardNormal, StandardUniform, StudentT};
use tradewind_monitor::overrides::{Made, Past, Row};

pub const PLANNERS: usize = 30;
const ITEMS: usize = 10;
pub const WEEKS: usize = 104;
const CLASSES: usize = 4;

pub struct Dice(ChaCha8Rng);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }

    fn uniform(&mut self) -> f64 {
        StandardUniform.sample(&mut self.0)
    }

    fn happens(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    fn heavy(&mut self) -> f64 {
        StudentT::new(4.0_f64).map_or(0.0_f64, |student| student.sample(&mut self.0)).clamp(-8.0, 8.0)
    }

    fn lognormal(&mut self, median: f64, spread: f64) -> f64 {
        LogNormal::new(median.ln(), spread).map_or(median, |lognormal| lognormal.sample(&mut self.0))
    }
}

/// Why a forecast was changed in truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Motive {
    Promotion,
    Wish,
    Restless,
    Tinker,
    Chase,
}

struct Planner {
    /// How often a promotion is acted on, how far its lift is exaggerated, and how uncertain the estimate is.
    acts: f64,
    exaggerates: f64,
    uncertain: f64,
    /// How often a forecast is changed without a promotion, and the weights of the motives then.
    changes: f64,
    motives: [(Motive, f64); 4],
    /// How far up wishes go.
    wishes: f64,
}

struct Item {
    level: f64,
    season: f64,
    phase: f64,
    lift: f64,
}

pub struct World {
    planners: Vec<Planner>,
    items: Vec<Item>,
}

/// An override in the world, with its motive.
pub struct Seen {
    pub past: Past,
    pub row: Row,
    pub motive: Motive,
    pub planner: usize,
}

impl World {
    pub fn new(dice: &mut Dice) -> Self {
        let planners = (0..PLANNERS)
            .map(|planner| {
                let (promotion, wish, restless, tinker, chase) = match planner % 5 {
                    // Informed, and so in two of five.
                    0 | 1 => (0.9, 0.05, 0.05, 0.5, 0.4),
                    2 => (0.5, 0.7, 0.05, 0.25, 0.0),
                    3 => (0.3, 0.1, 0.7, 0.2, 0.0),
                    _ => (0.4, 0.05, 0.05, 0.8, 0.1),
                };
                let informed = planner % 5 < 2;
                Planner {
                    acts: promotion * (0.7 + 0.3 * dice.uniform()),
                    exaggerates: if informed { 0.9 + 0.3 * dice.uniform() } else { 1.1 + 0.6 * dice.uniform() },
                    uncertain: if informed { 0.1 + 0.15 * dice.uniform() } else { 0.3 },
                    changes: 0.05 + 0.5 * dice.uniform().powi(2) + if informed { 0.0 } else { 0.15 },
                    motives: [
                        (Motive::Wish, wish),
                        (Motive::Restless, restless),
                        (Motive::Tinker, tinker),
                        (Motive::Chase, chase),
                    ],
                    wishes: 0.15 + 0.35 * dice.uniform(),
                }
            })
            .collect();
        let items = (0..PLANNERS * ITEMS)
            .map(|_| Item {
                level: dice.lognormal(40.0, 1.0),
                season: 0.1 + 0.2 * dice.uniform(),
                phase: dice.uniform() * std::f64::consts::TAU,
                lift: dice.lognormal(1.8, 0.25),
            })
            .collect();
        Self { planners, items }
    }

    /// Two years of this world, in order of dates: about ten thousand overrides.
    pub fn run(&self, dice: &mut Dice) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut lasting: Vec<f64> = self.items.iter().map(|_| 0.12 * dice.normal()).collect();
        let mut errors: Vec<Vec<f64>> = vec![Vec::new(); self.items.len()];
        let mut last: Vec<f64> = self.items.iter().map(|item| item.level).collect();
        for week in 0..WEEKS {
            let of_week = 0.08 * dice.normal();
            let of_class: Vec<f64> = (0..CLASSES).map(|_| 0.06 * dice.normal()).collect();
            for (number, item) in self.items.iter().enumerate() {
                let planner = number / ITEMS;
                lasting[number] = 0.85 * lasting[number] + 0.12 * (1.0f64 - 0.85 * 0.85).sqrt() * dice.normal();
                let class = number % CLASSES;
                let turn = week as f64 * std::f64::consts::TAU / 52.0 + item.phase;
                let statistical = item.level * (1.0 + item.season * turn.sin());
                let promoted = dice.happens(0.12);
                let lift = if promoted { item.lift * (0.15 * dice.normal()).exp() } else { 1.0 };
                let shocks = of_week + of_class[class] + lasting[number] + 0.14 * dice.heavy();
                let actual = (statistical * lift * shocks.exp()).round();
                let age = 1 + (4.0 * dice.uniform()) as usize;
                let known = &errors[number][..errors[number].len().saturating_sub(age - 1)];
                let recent: Vec<f64> = known.iter().rev().take(6).copied().collect();
                let bias = (recent.len() == 6).then(|| recent.iter().sum::<f64>() / 6.0);
                let change = self.change(planner, item, promoted, statistical, bias, dice);
                if let Some((motive, planned)) = change.filter(|(_, planned)| *planned != statistical) {
                    let made = Made {
                        planner: format!("p{planner:02}"),
                        reason: reason(motive, dice).to_string(),
                        class: format!("c{class}"),
                        date: date(week),
                        age: age as u32,
                        statistical,
                        planned,
                        recent_bias: bias,
                    };
                    let row = Row {
                        planner: made.planner.clone(),
                        class: made.class.clone(),
                        series: number as i64,
                        date: made.date,
                        naive: last[number],
                        statistical,
                        planned,
                        released: planned,
                        actual,
                        over: 1.0,
                        under: 3.0,
                        scale: Some(item.level * 0.3),
                    };
                    seen.push(Seen { past: Past { made, actual }, row, motive, planner });
                }
                // Promotions are known afterwards, and their errors no lesson for ordinary weeks.
                if !promoted {
                    errors[number].push(actual - statistical);
                }
                last[number] = actual;
            }
        }
        seen
    }

    fn change(
        &self,
        planner: usize,
        item: &Item,
        promoted: bool,
        statistical: f64,
        bias: Option<f64>,
        dice: &mut Dice,
    ) -> Option<(Motive, f64)> {
        let planner = &self.planners[planner];
        if promoted && dice.happens(planner.acts) {
            let lift = 1.0 + (item.lift * (planner.uncertain * dice.normal()).exp() - 1.0) * planner.exaggerates;
            return Some((Motive::Promotion, (statistical * lift.max(0.2)).round()));
        }
        if !dice.happens(planner.changes) {
            return None;
        }
        let whole: f64 = planner.motives.iter().map(|motive| motive.1).sum();
        let mut at = dice.uniform() * whole;
        let motive = planner.motives.iter().find(|motive| {
            at -= motive.1;
            at < 0.0
        })?;
        let planned = match motive.0 {
            Motive::Wish => statistical * (1.0 + planner.wishes * (0.3 * dice.normal()).exp()),
            Motive::Restless => statistical * (1.0 + 0.25 * dice.normal()).max(0.1),
            Motive::Chase => (statistical + 0.8 * bias?).max(0.0),
            Motive::Tinker | Motive::Promotion => statistical * (1.0 + 0.03 * dice.normal()),
        };
        Some((motive.0, if motive.0 == Motive::Tinker { planned } else { planned.round() }))
    }
}

fn reason(motive: Motive, dice: &mut Dice) -> &'static str {
    let luck = dice.uniform();
    match motive {
        Motive::Promotion if luck < 0.8 => "promotion",
        Motive::Wish if luck < 0.3 => "target",
        Motive::Wish if luck < 0.5 => "promotion",
        Motive::Chase if luck < 0.6 => "trend",
        _ => "judgement",
    }
}

pub fn date(week: usize) -> NaiveDateTime {
    (NaiveDate::from_ymd_opt(2024, 1, 1).unwrap_or_default() + Days::new(7 * week as u64)).into()
}

/// How much of the gain of good overrides a rule keeps, and how much of the harm of bad ones it takes away.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sieve {
    pub good: f64,
    pub kept: f64,
    pub bad: f64,
    pub left: f64,
}

impl Sieve {
    /// Adds an override: what it gained whole, and what as released.
    pub fn add(&mut self, good: bool, whole: f64, released: f64) {
        if good {
            self.good += whole;
            self.kept += released;
        } else {
            self.bad -= whole;
            self.left -= released;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.good += other.good;
        self.kept += other.kept;
        self.bad += other.bad;
        self.left += other.left;
    }

    pub fn keeps(&self) -> f64 {
        self.kept / self.good
    }

    pub fn removes(&self) -> f64 {
        1.0 - self.left / self.bad
    }
}
