//! What is on the shelf from step to step: deliveries, sales, what is short, what spoils.
//!
//! At the start of a step a delivery comes in; customers who wait are served first, then those of the step; what is short is
//! lost or owed, and at the end of the step what has reached its shelf life is thrown away. The oldest is sold first.

use std::collections::VecDeque;

use super::policy::Unmet;

/// The stock of one item at the start of a step, before its delivery.
#[derive(Clone, Debug)]
pub(super) struct Shelf {
    stock: Stock,
    /// Units owed to customers who wait.
    owed: f64,
}

#[derive(Clone, Debug)]
enum Stock {
    /// Nothing spoils.
    Lasting(f64),
    /// Units by how long they can still be sold: the first for this step alone.
    Spoiling(VecDeque<f64>),
}

/// What happened in a step.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Played {
    /// On the shelf after the delivery; below zero what is owed even then.
    pub start: f64,
    /// Units of the step's demand that did not find stock.
    pub missed: f64,
    /// On the shelf at the end.
    pub left: f64,
    /// Owed at the end.
    pub owed: f64,
    /// Thrown away at the end.
    pub wasted: f64,
}

impl Shelf {
    /// With so many units, fresh ones if they spoil after `life` steps.
    pub fn new(units: f64, life: Option<usize>) -> Self {
        let stock = match life {
            None => Stock::Lasting(units),
            Some(life) => {
                let mut lots = VecDeque::from(vec![0.0; life.max(1)]);
                lots[life.max(1) - 1] = units;
                Stock::Spoiling(lots)
            }
        };
        Self { stock, owed: 0.0 }
    }

    /// Units on hand, less those owed.
    pub fn net(&self) -> f64 {
        let units = match &self.stock {
            Stock::Lasting(units) => *units,
            Stock::Spoiling(lots) => lots.iter().sum(),
        };
        units - self.owed
    }

    /// Does it spoil, and after how many steps?
    pub fn life(&self) -> Option<usize> {
        match &self.stock {
            Stock::Lasting(_) => None,
            Stock::Spoiling(lots) => Some(lots.len()),
        }
    }

    /// Takes units away that customers of before have been promised: below zero, more than there are.
    pub fn promise(&mut self, units: f64) {
        self.owed += units;
    }

    /// Plays one step.
    pub fn step(&mut self, delivery: f64, demand: f64, unmet: Unmet) -> Played {
        let start = self.net() + delivery;
        let served = self.owed.min(start + self.owed);
        let sold = demand.min(start.max(0.0)).max(0.0);
        let missed = (demand - sold).max(0.0);
        let wasted = match &mut self.stock {
            Stock::Lasting(units) => {
                *units = (*units + delivery - served - sold).max(0.0);
                0.0
            }
            Stock::Spoiling(lots) => {
                if let Some(fresh) = lots.back_mut() {
                    *fresh += delivery;
                }
                let mut taken = served + sold;
                for lot in lots.iter_mut() {
                    let part = lot.min(taken);
                    *lot -= part;
                    taken -= part;
                }
                let wasted = lots.pop_front().unwrap_or(0.0);
                lots.push_back(0.0);
                wasted
            }
        };
        self.owed -= served;
        if unmet == Unmet::Backordered {
            self.owed += missed;
        }
        let left = self.net() + self.owed;
        Played { start, missed, left, owed: self.owed, wasted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_lost_or_owed() {
        let mut lost = Shelf::new(3.0, None);
        let played = lost.step(1.0, 6.0, Unmet::Lost);
        assert_eq!((played.start, played.missed, played.left, played.owed, lost.net()), (4.0, 2.0, 0.0, 0.0, 0.0));
        let mut owed = Shelf::new(3.0, None);
        owed.step(1.0, 6.0, Unmet::Backordered);
        assert_eq!(owed.net(), -2.0);
        // What is owed is served first.
        let played = owed.step(5.0, 4.0, Unmet::Backordered);
        assert_eq!((played.start, played.missed, played.left, played.owed, owed.net()), (3.0, 1.0, 0.0, 1.0, -1.0));
        let played = owed.step(0.0, 2.0, Unmet::Backordered);
        assert_eq!((played.start, played.missed, played.owed), (-1.0, 2.0, 3.0));
    }

    /// stockpyl 1.0.2: `single_stage_system(holding_cost=0.2, stockout_cost=1, demand_type="D", demand_list=…, shipment_lead_time=3,
    /// policy_type="BS", base_stock_level=18, initial_inventory_level=18)`, `simulation(network, 20)`: inventory levels, and a cost of
    /// 62. It orders after the demand of a period, which is before that of the next: its lead time of 3 is one of 2 here.
    #[test]
    fn base_stock_levels_are_those_of_stockpyl() {
        let demand = [5, 9, 0, 3, 12, 7, 5, 1, 0, 8, 14, 2, 6, 6, 5, 20, 0, 0, 4, 9].map(f64::from);
        let levels = [13, 4, 4, 6, 3, -4, -6, 5, 12, 9, -4, -6, -4, 4, 1, -13, -7, -2, 14, 5].map(f64::from);
        let (mut shelf, mut transit, mut cost) = (Shelf::new(18.0, None), VecDeque::from([0.0; 2]), 0.0);
        for (asked, level) in demand.iter().zip(levels) {
            let position = shelf.net() + transit.iter().sum::<f64>();
            transit.push_back(18.0 - position);
            let arrives = transit.pop_front().unwrap();
            let played = shelf.step(arrives, *asked, Unmet::Backordered);
            assert_eq!(shelf.net(), level);
            cost += 0.2 * played.left + played.owed;
        }
        assert!((cost - 62.0).abs() < 1e-9, "{cost}");
    }

    #[test]
    fn the_oldest_is_sold_first_and_spoils_first() {
        let mut shelf = Shelf::new(4.0, Some(2));
        assert_eq!(shelf.step(0.0, 1.0, Unmet::Lost).wasted, 0.0);
        // Three of the first step are in their last one, five are fresh.
        let played = shelf.step(5.0, 2.0, Unmet::Lost);
        assert_eq!((played.start, played.wasted, played.left), (8.0, 1.0, 5.0));
        let played = shelf.step(0.0, 1.0, Unmet::Lost);
        assert_eq!((played.wasted, played.left, shelf.net()), (4.0, 0.0, 0.0));
    }
}
