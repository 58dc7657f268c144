//! Which of many possible promotions make the best calendar under a budget and rules?
//!
//! **The programme** has a yes or no for each candidate (an item, a first step, a length) and maximises the sum of
//! their expected gains, with
//! - the sum of their costs within the budget;
//! - at most so many of each item, and a gap between two of them;
//! - at most so many items at each step, and one of each group.
//!
//! **The bound.** With a price on each shared resource (the budget, the places of a step, the place of a group at a
//! step) the items part, and the best promotions of each are weighted interval scheduling: a dynamic programme over
//! candidates by their ends. The sum of these and of the resources at their prices is never below the best calendar
//! (Lagrangian relaxation; Fisher 1981, *Management Science* 27). Because the schedules of an item are integral, the
//! best prices give the bound of the linear relaxation; a subgradient method finds them.
//!
//! **The search** is branch and bound, best bound first: a candidate is taken or left. It ends with the proven optimum
//! or after a number of nodes, never by the clock: the same candidates give the same calendar, and how far it can be
//! from the best is known.
//!
//! **When it fails.** Gains are added up. What promotions do to one another is left to the rules: the gap keeps those
//! of an item apart, groups keep siblings apart.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use crate::error::Result;
use crate::progress;

/// Nodes of the search at most.
const NODES: usize = 3000;
/// After so many, a calendar that is proven to be within this share of the best is good enough.
const MANY: usize = 300;
const CLOSE: f64 = 1e-4;
/// Steps of the subgradient method at the first node and at the others.
const FIRST: usize = 400;
const OTHERS: usize = 30;
/// Steps without a better bound before the step length is halved.
const PATIENCE: usize = 8;
/// Gains closer than this share of the greatest one are equal.
const EQUAL: f64 = 1e-9;

/// A promotion that is possible.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub item: usize,
    /// Of the group, one at a time.
    pub group: Option<usize>,
    pub start: usize,
    pub length: usize,
    /// The expected gain, its cost included.
    pub gain: f64,
    /// What it takes of the budget.
    pub cost: f64,
}

impl Candidate {
    fn end(&self) -> usize {
        self.start + self.length
    }

    /// Are fewer than `gap` steps between the two?
    fn meets(&self, other: &Self, gap: usize) -> bool {
        self.start < other.end() + gap && other.start < self.end() + gap
    }
}

/// What a calendar has to keep to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rules {
    pub budget: Option<f64>,
    /// Promotions of an item at most.
    pub most: Option<usize>,
    /// Steps without a promotion between two of an item.
    pub gap: usize,
    /// Items at a step at most.
    pub at_once: Option<usize>,
}

/// The best calendar.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Chosen {
    /// Places of the candidates, ascending.
    pub places: Vec<usize>,
    /// By what share of its gain it is below the best possible one at most; zero if it is proven to be that.
    pub below: f64,
}

/// The calendar with the greatest gain.
///
/// # Errors
/// When the work is interrupted.
pub(crate) fn best(candidates: &[Candidate], rules: &Rules) -> Result<Chosen> {
    let affordable = |cost: f64| rules.budget.is_none_or(|budget| cost <= budget);
    let kept = |c: &usize| candidates[*c].gain > 0.0 && affordable(candidates[*c].cost);
    let places: Vec<usize> = (0..candidates.len()).filter(kept).collect();
    let worth: Vec<&Candidate> = places.iter().map(|c| &candidates[*c]).collect();
    if rules.most == Some(0) || rules.at_once == Some(0) || worth.is_empty() {
        return Ok(Chosen { places: Vec::new(), below: 0.0 });
    }
    let programme = Programme::of(&worth, rules);
    let (taken, bound) = programme.solved()?;
    let gain = programme.gain(&taken);
    let below = if bound > gain + programme.equal() { (bound - gain) / gain } else { 0.0 };
    Ok(Chosen { places: taken.into_iter().map(|at| places[at]).collect(), below })
}

/// The programme in terms of resources that items share.
struct Programme<'a> {
    candidates: &'a [&'a Candidate],
    rules: &'a Rules,
    /// By item: its candidates by their ends, and for each how many of them end early enough before it starts.
    items: Vec<Vec<(usize, usize)>>,
    /// The item of each candidate.
    item: Vec<usize>,
    /// What each candidate uses of which resource.
    uses: Vec<Vec<(usize, f64)>>,
    /// How much there is of each.
    capacity: Vec<f64>,
    greatest: f64,
}

/// A part of the calendars: some candidates are taken, some left.
struct Node {
    bound: f64,
    number: usize,
    fixed: Vec<(usize, bool)>,
    prices: Vec<f64>,
    /// The candidate to branch on.
    branch: Option<usize>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound).then(other.number.cmp(&self.number))
    }
}

/// What can still be decided at a node.
struct Open {
    free: Vec<bool>,
    taken: Vec<usize>,
    /// What is left of each resource.
    capacity: Vec<f64>,
    /// Promotions of each item that may still be taken.
    most: Vec<usize>,
    gain: f64,
}

impl<'a> Programme<'a> {
    fn of(candidates: &'a [&'a Candidate], rules: &'a Rules) -> Self {
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        candidates.iter().for_each(|candidate| {
            let next = numbers.len();
            numbers.entry(candidate.item).or_insert(next);
        });
        let item: Vec<usize> = candidates.iter().map(|candidate| numbers[&candidate.item]).collect();
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); numbers.len()];
        item.iter().enumerate().for_each(|(at, item)| members[*item].push(at));
        let scheduled = |mut members: Vec<usize>| -> Vec<(usize, usize)> {
            members.sort_by_key(|at| (candidates[*at].end(), *at));
            let ends: Vec<usize> = members.iter().map(|at| candidates[*at].end() + rules.gap).collect();
            members.iter().map(|at| (*at, ends.partition_point(|end| *end <= candidates[*at].start))).collect()
        };
        let items = members.into_iter().map(scheduled).collect();
        // The budget as one, then places at steps, then places of groups at steps.
        let (mut capacity, mut uses) = (Vec::new(), vec![Vec::new(); candidates.len()]);
        if let Some(budget) = rules.budget.filter(|budget| *budget > 0.0) {
            capacity.push(1.0);
            for (uses, candidate) in uses.iter_mut().zip(candidates).filter(|(_, candidate)| candidate.cost > 0.0) {
                uses.push((0, candidate.cost / budget));
            }
        }
        let mut shared: BTreeMap<(Option<usize>, usize), usize> = BTreeMap::new();
        for (uses, candidate) in uses.iter_mut().zip(candidates) {
            let mut place = |group: Option<usize>, step: usize, most: usize| {
                let resource = *shared.entry((group, step)).or_insert_with(|| {
                    capacity.push(most as f64);
                    capacity.len() - 1
                });
                uses.push((resource, 1.0));
            };
            for step in candidate.start..candidate.end() {
                if let Some(most) = rules.at_once {
                    place(None, step, most);
                }
                if candidate.group.is_some() {
                    place(candidate.group, step, 1);
                }
            }
        }
        let greatest = candidates.iter().map(|candidate| candidate.gain).fold(0.0, f64::max);
        Self { candidates, rules, items, item, uses, capacity, greatest }
    }

    fn equal(&self) -> f64 {
        EQUAL * self.greatest
    }

    fn gain(&self, taken: &[usize]) -> f64 {
        taken.iter().map(|at| self.candidates[*at].gain).sum()
    }

    /// The best calendar, and what no calendar exceeds.
    fn solved(&self) -> Result<(Vec<usize>, f64)> {
        let mut best: Vec<usize> = Vec::new();
        let mut heap = BinaryHeap::new();
        let mut number = 0;
        let root = self.node(Vec::new(), vec![0.0; self.capacity.len()], FIRST, number, &mut best);
        heap.extend(root);
        while let Some(node) = heap.pop() {
            if node.bound <= self.gain(&best) + self.equal() {
                break;
            }
            let close = node.bound - self.gain(&best) <= CLOSE * self.gain(&best);
            if number / 2 >= NODES || (number / 2 >= MANY && close) {
                best.sort_unstable();
                return Ok((best, node.bound));
            }
            progress::check()?;
            let Some(branch) = node.branch else { continue };
            for take in [true, false] {
                number += 1;
                let mut fixed = node.fixed.clone();
                fixed.push((branch, take));
                let child = self.node(fixed, node.prices.clone(), OTHERS, number, &mut best);
                let above = |child: &Node| child.bound > self.gain(&best) + self.equal();
                heap.extend(child.map(|child| Node { bound: child.bound.min(node.bound), ..child }).filter(above));
            }
        }
        best.sort_unstable();
        let bound = self.gain(&best);
        Ok((best, bound))
    }

    /// What is left to decide once these are taken or left; nothing if they do not go together.
    fn open(&self, fixed: &[(usize, bool)]) -> Option<Open> {
        let n = self.candidates.len();
        let mut open = Open {
            free: vec![true; n],
            taken: Vec::new(),
            capacity: self.capacity.clone(),
            most: vec![self.rules.most.unwrap_or(usize::MAX); self.items.len()],
            gain: 0.0,
        };
        for (at, take) in fixed {
            open.free[*at] = false;
            if *take && !self.take(&mut open, *at) {
                return None;
            }
        }
        for at in 0..n {
            open.free[at] = open.free[at] && self.fits(&open, at);
        }
        Some(open)
    }

    fn fits(&self, open: &Open, at: usize) -> bool {
        let one = self.candidates[at];
        let meets =
            |other: &&usize| self.item[**other] == self.item[at] && self.candidates[**other].meets(one, self.rules.gap);
        open.most[self.item[at]] > 0
            && self.uses[at].iter().all(|(resource, amount)| *amount <= open.capacity[*resource] + EQUAL)
            && !open.taken.iter().any(|other| meets(&other))
    }

    fn take(&self, open: &mut Open, at: usize) -> bool {
        if !self.fits(open, at) {
            return false;
        }
        self.uses[at].iter().for_each(|(resource, amount)| open.capacity[*resource] -= amount);
        open.most[self.item[at]] -= 1;
        open.gain += self.candidates[at].gain;
        open.taken.push(at);
        true
    }

    /// A node with its bound; `best` is replaced where a better calendar is found. Nothing where there is none.
    fn node(
        &self,
        fixed: Vec<(usize, bool)>,
        prices: Vec<f64>,
        steps: usize,
        number: usize,
        best: &mut Vec<usize>,
    ) -> Option<Node> {
        let open = self.open(&fixed)?;
        let (mut now, mut found) = (prices.clone(), Node { bound: f64::INFINITY, number, fixed, prices, branch: None });
        let mut share = vec![0.0_f64; self.candidates.len()];
        let (mut length, mut waited) = (1.0, 0);
        for step in 0..steps {
            let (bound, chosen) = self.relaxed(&open, &now);
            if bound < found.bound - self.equal() {
                (found.bound, found.prices, waited) = (bound, now.clone(), 0);
            } else {
                waited += 1;
                if waited >= PATIENCE {
                    (length, waited) = (0.5 * length, 0);
                    now.clone_from(&found.prices);
                }
            }
            if step % 10 == 0 || step + 1 == steps {
                let calendar = self.completed(&open, &now);
                if self.gain(&calendar) > self.gain(best) + self.equal() {
                    *best = calendar;
                }
            }
            share.iter_mut().for_each(|share| *share *= 0.85);
            let mut over: Vec<f64> = open.capacity.iter().map(|capacity| -capacity).collect();
            for at in &chosen {
                share[*at] += 0.15;
                self.uses[*at].iter().for_each(|(resource, amount)| over[*resource] += amount);
            }
            // The relaxed calendar keeps to the rules and leaves nothing that has a price: it is the best.
            let settled =
                over.iter().zip(&now).all(|(over, price)| *over <= EQUAL && (*over >= -EQUAL || *price <= 0.0));
            if settled {
                let calendar: Vec<usize> = open.taken.iter().chain(&chosen).copied().collect();
                if self.gain(&calendar) > self.gain(best) {
                    *best = calendar;
                }
                found.bound = found.bound.min(bound);
                return Some(found);
            }
            let gap = found.bound - self.gain(best);
            if gap <= self.equal() {
                return None;
            }
            // A resource that nobody wants more of and that has no price stays as it is.
            let moved = |over: f64, price: f64| if over < 0.0 && price <= 0.0 { 0.0 } else { over };
            let size: f64 = over.iter().zip(&now).map(|(over, price)| moved(*over, *price).powi(2)).sum();
            if size <= 0.0 || length < 1e-6 {
                break;
            }
            let factor = length * (bound - self.gain(best)).max(self.equal()) / size;
            now.iter_mut().zip(&over).for_each(|(price, over)| *price = (*price + factor * over).max(0.0));
        }
        let doubt = |at: &usize| self.candidates[*at].gain * (share[*at].min(1.0 - share[*at]).max(0.0) + 1e-6);
        let free = (0..open.free.len()).filter(|at| open.free[*at]);
        found.branch = free.max_by(|a, b| doubt(a).total_cmp(&doubt(b)).then(b.cmp(a)));
        Some(found)
    }

    /// The bound at these prices of the resources, and the candidates that are chosen at them.
    fn relaxed(&self, open: &Open, prices: &[f64]) -> (f64, Vec<usize>) {
        let worth = |at: usize| {
            let paid: f64 = self.uses[at].iter().map(|(resource, amount)| prices[*resource] * amount).sum();
            self.candidates[at].gain - paid
        };
        let resources: f64 = open.capacity.iter().zip(prices).map(|(capacity, price)| capacity * price).sum();
        let (mut bound, mut chosen) = (open.gain + resources, Vec::new());
        for (item, members) in self.items.iter().enumerate() {
            let most = open.most[item].min(members.len());
            if most == 0 {
                continue;
            }
            // The best of the first candidates with at most m of them: row by row.
            let width = most + 1;
            let mut values = vec![0.0; (members.len() + 1) * width];
            for (row, (at, before)) in members.iter().enumerate() {
                let gain = if open.free[*at] { worth(*at) } else { 0.0 };
                for m in 0..width {
                    let without = values[row * width + m];
                    let with = if gain > 0.0 && m > 0 { gain + values[before * width + m - 1] } else { 0.0 };
                    values[(row + 1) * width + m] = with.max(without);
                }
            }
            bound += values[members.len() * width + most];
            let (mut row, mut m) = (members.len(), most);
            while row > 0 && m > 0 {
                if values[row * width + m] > values[(row - 1) * width + m] {
                    let (at, before) = members[row - 1];
                    chosen.push(at);
                    (row, m) = (before, m - 1);
                } else {
                    row -= 1;
                }
            }
        }
        (bound, chosen)
    }

    /// A calendar that keeps to the rules: one after the other by what each gains at these prices.
    fn completed(&self, open: &Open, prices: &[f64]) -> Vec<usize> {
        let worth = |at: usize| {
            let paid: f64 = self.uses[at].iter().map(|(resource, amount)| prices[*resource] * amount).sum();
            self.candidates[at].gain - paid
        };
        let mut order: Vec<(usize, f64)> =
            (0..open.free.len()).filter(|at| open.free[*at]).map(|at| (at, worth(at))).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut now = Open {
            free: Vec::new(),
            taken: open.taken.clone(),
            capacity: open.capacity.clone(),
            most: open.most.clone(),
            gain: open.gain,
        };
        for (at, _) in order {
            self.take(&mut now, at);
        }
        now.taken
    }
}

/// Does a calendar keep to the rules?
#[cfg(test)]
fn keeps(chosen: &[&Candidate], rules: &Rules) -> bool {
    let spent: f64 = chosen.iter().map(|candidate| candidate.cost).sum();
    if rules.budget.is_some_and(|budget| spent > budget * (1.0 + 1e-9)) {
        return false;
    }
    let mut each: BTreeMap<usize, usize> = BTreeMap::new();
    chosen.iter().for_each(|candidate| *each.entry(candidate.item).or_default() += 1);
    if rules.most.is_some_and(|most| each.values().any(|count| *count > most)) {
        return false;
    }
    for (at, a) in chosen.iter().enumerate() {
        for b in &chosen[..at] {
            let group = a.group.is_some() && a.group == b.group;
            if (a.item == b.item && a.meets(b, rules.gap)) || (group && a.meets(b, 0)) {
                return false;
            }
        }
    }
    let Some(most) = rules.at_once else { return true };
    let at = |step: usize| chosen.iter().filter(|one| (one.start..one.start + one.length).contains(&step)).count();
    chosen.iter().all(|candidate| at(candidate.start) <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers that look random, the same each time.
    fn numbers(seed: u64) -> impl FnMut() -> f64 {
        let mut state = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        }
    }

    fn whole(number: f64, below: usize) -> usize {
        (number * below as f64) as usize
    }

    #[test]
    fn the_best_calendar_is_that_of_trying_all() {
        for seed in 0..200 {
            let mut next = numbers(seed);
            let candidates: Vec<Candidate> = (0..12)
                .map(|_| Candidate {
                    item: whole(next(), 4),
                    group: None,
                    start: whole(next(), 8),
                    length: 1 + whole(next(), 3),
                    gain: 100.0 * next() - 15.0,
                    cost: 5.0 + 20.0 * next(),
                })
                .map(|c| Candidate { group: (seed % 2 == 0).then_some(c.item / 2), ..c })
                .collect();
            let rules = Rules {
                budget: (seed % 3 != 0).then(|| 30.0 + 40.0 * next()),
                most: (seed % 4 != 0).then(|| 1 + whole(next(), 2)),
                gap: whole(next(), 3),
                at_once: (seed % 5 != 0).then(|| 1 + whole(next(), 2)),
            };
            let mut most: f64 = 0.0;
            for mask in 0_u32..1 << candidates.len() {
                let some = (0..candidates.len()).filter(|at| mask >> at & 1 == 1);
                let some: Vec<&Candidate> = some.map(|at| &candidates[at]).collect();
                let gain: f64 = some.iter().map(|candidate| candidate.gain).sum();
                if gain > most && keeps(&some, &rules) {
                    most = gain;
                }
            }
            let found = best(&candidates, &rules).unwrap();
            let chosen: Vec<&Candidate> = found.places.iter().map(|at| &candidates[*at]).collect();
            let gain: f64 = chosen.iter().map(|candidate| candidate.gain).sum();
            assert!(keeps(&chosen, &rules) && (gain - most).abs() < 1e-6, "{seed}: {gain}, not {most}");
            assert_eq!(found.below, 0.0);
        }
    }

    /// 26 items over 12 steps; the optimum is that of microlp 0.7.0 (mixed-integer programme, gap 0) on the same
    /// numbers.
    #[test]
    fn a_larger_calendar_has_the_optimum_of_a_solver() {
        let mut state = 12_345_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        let places = (0..26).flat_map(|item| (0..12).map(move |start| (item, start)));
        let mut candidates: Vec<Candidate> = places
            .map(|(item, start)| Candidate { item, group: None, start, length: 1, gain: 100.0 * next(), cost: 0.0 })
            .collect();
        candidates.iter_mut().for_each(|candidate| candidate.cost = 10.0 + 20.0 * next());
        let rules = Rules { budget: Some(260.0), most: Some(2), gap: 2, at_once: Some(6) };
        let found = best(&candidates, &rules).unwrap();
        let chosen: Vec<&Candidate> = found.places.iter().map(|at| &candidates[*at]).collect();
        let gain: f64 = chosen.iter().map(|candidate| candidate.gain).sum();
        assert!(keeps(&chosen, &rules) && (gain - 1_793.499_445_749_926_4).abs() < 1e-6, "{gain}");
    }

    #[test]
    fn nothing_that_loses_is_chosen() {
        let losing = Candidate { item: 0, group: None, start: 0, length: 1, gain: -1.0, cost: 0.0 };
        assert!(best(&[losing], &Rules::default()).unwrap().places.is_empty());
    }
}
