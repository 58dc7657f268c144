//! Prices, markdowns and promotions of a plan: its fields as policies, and the forecast that they rest on.

use super::{List, Plan};
use crate::decide::{Decision, MarkdownPolicy, PricePolicy, PromotionPolicy, only_model};
use crate::error::{Error, Result};
use crate::explore::is_price;
use crate::forecast::Forecast;
use crate::models::Model;
use crate::panel::{Panel, Role, Stated};

impl Plan {
    /// How prices are chosen.
    ///
    /// # Errors
    /// When a number of it cannot be, or two contradict each other.
    pub fn price_policy(&self) -> Result<PricePolicy> {
        let policy = PricePolicy {
            price_column: self.price_column.clone().unwrap_or_default(),
            cost: self.cost,
            cost_column: self.cost_column.clone().unwrap_or_default(),
            by: self.elasticity_by.clone().unwrap_or_default(),
            lowest: self.lowest_price,
            highest: self.highest_price,
            change: self.change,
            prices: numbers(&self.prices, "a price")?,
            endings: numbers(&self.endings, "an ending")?,
            stock: self.on_hand.clone(),
            turnover: self.turnover,
            seed: self.seed,
            ..PricePolicy::default()
        };
        policy.check()?;
        policy.check_cost().map(|()| policy)
    }

    /// How a stock is cleared.
    ///
    /// # Errors
    /// When a number of it cannot be, or two contradict each other.
    pub fn markdown_policy(&self) -> Result<MarkdownPolicy> {
        let policy = MarkdownPolicy {
            price_column: self.price_column.clone().unwrap_or_default(),
            by: self.elasticity_by.clone().unwrap_or_default(),
            until: self.until.clone().unwrap_or_default(),
            salvage: self.salvage.unwrap_or(0.0),
            changes: self.changes,
            rises: self.rises,
            lowest: self.lowest_price,
            prices: numbers(&self.prices, "a price")?,
            endings: numbers(&self.endings, "an ending")?,
            turnover: self.turnover,
            seed: self.seed,
            ..MarkdownPolicy::default()
        };
        policy.check().map(|()| policy)
    }

    /// What is promoted how, and the rules of a calendar.
    ///
    /// # Errors
    /// When a number of it cannot be, or two contradict each other.
    pub fn promotion_policy(&self) -> Result<PromotionPolicy> {
        let policy = PromotionPolicy {
            promotion: self.promotion.clone().unwrap_or_default(),
            calendar: self.calendar.clone(),
            choose: self.choose,
            length: self.promotion_length,
            discount: self.discount,
            spend: self.promotion_cost,
            price_column: self.price_column.clone().unwrap_or_default(),
            price: self.price,
            cost: self.cost,
            cost_column: self.cost_column.clone().unwrap_or_default(),
            turnover: self.turnover,
            budget: self.budget,
            most: self.most,
            gap: self.apart,
            at_once: self.at_once,
            group: self.one_per.clone().unwrap_or_default(),
            blocked: self.blocked.names().into_iter().map(String::from).collect(),
            seed: self.seed,
            ..PromotionPolicy::default()
        };
        policy.check().map(|()| policy)
    }

    /// The price of each item that is expected to earn most over the plan's horizon.
    ///
    /// # Errors
    /// As [`Forecast::decide_price`].
    pub fn decide_price(&self) -> Result<Decision> {
        self.check()?;
        let policy = self.price_policy()?;
        let plan = self.seeing([&self.price_named(), &policy.cost_column]);
        plan.forecast_to_decide(&plan.panel()?, "")?.decide_price(&policy)
    }

    /// The path of prices that clears the plan's stock, [`on_hand`](Self::on_hand).
    ///
    /// # Errors
    /// As [`Forecast::decide_markdown`], and when the plan names no file with the stock.
    pub fn decide_markdown(&self) -> Result<Decision> {
        self.check()?;
        let policy = self.markdown_policy()?;
        let Some(stock) = &self.on_hand else {
            return Err(Error::usage(
                "nothing says what is to be sold: name the file with the stock, such as --on-hand stock.csv",
            ));
        };
        let plan = self.seeing([&self.price_named()]);
        let panel = plan.panel()?;
        let plan = match policy.steps(&panel)? {
            Some(horizon) => Self { horizon, ..plan },
            None => plan,
        };
        plan.forecast_to_decide(&panel, "")?.decide_markdown(stock, &policy)
    }

    /// What the plan's promotions are expected to earn, or the best calendar under its rules.
    ///
    /// # Errors
    /// As [`Forecast::decide_promotion`].
    pub fn decide_promotion(&self) -> Result<Decision> {
        self.check()?;
        let policy = self.promotion_policy()?;
        let needed = !policy.turnover && policy.price.is_none();
        let price = if needed { self.price_named() } else { String::new() };
        let plan = self.seeing([&policy.promotion, &price, &policy.cost_column]);
        plan.forecast_to_decide(&plan.panel()?, &policy.promotion)?.decide_promotion(&policy)
    }

    /// The column that holds the price: the one that is stated, else the only column of the data that is named like a price.
    fn price_named(&self) -> String {
        if let Some(stated) = self.price_column.as_ref().filter(|stated| !stated.is_empty()) {
            return stated.clone();
        }
        let roles = [&self.known, &self.observed, &self.fixed];
        let declared: Vec<String> = roles.iter().flat_map(|role| role.names()).map(String::from).collect();
        if declared.iter().any(|name| is_price(name)) || Panel::is_saved(&self.data) {
            return String::new();
        }
        let stated = Stated {
            id: Some(self.id.names().into_iter().map(String::from).collect()),
            time: Some(self.time.clone()),
            target: Some(self.target.clone()),
            others: declared.into_iter().chain(self.available.clone()).collect(),
            time_format: self.time_format.clone(),
        };
        // What cannot be read is told by whoever reads the data.
        let guess = self.reading().and_then(|reading| stated.guess(&self.data, &reading));
        let names: Vec<String> = guess.map_or_else(
            |_| Vec::new(),
            |guess| guess.covariates.into_iter().map(|(name, _)| name).filter(|name| is_price(name)).collect(),
        );
        match names.as_slice() {
            [only] => only.clone(),
            _ => String::new(),
        }
    }

    /// The plan that also sees these columns, in the past where they have no role yet.
    fn seeing<'a>(&self, columns: impl IntoIterator<Item = &'a String>) -> Self {
        let mut plan = self.clone();
        for column in columns {
            let roles = [&plan.id, &plan.known, &plan.observed, &plan.fixed];
            let made =
                column.contains('=') || plan.features.names().iter().any(|label| label.contains(column.as_str()));
            if !column.is_empty() && !made && !roles.iter().any(|role| role.names().contains(&column.as_str())) {
                plan.observed.0.push(column.clone());
            }
        }
        plan
    }

    /// The forecast of the one model that the plan names, or `auto`, with this covariate off in the future where it is known there.
    fn forecast_to_decide(&self, panel: &Panel, off: &str) -> Result<Forecast> {
        let fits = self.fits_of(panel, &[self.one_model()?])?;
        let plan = Self { gap: 0, ..self.clone() };
        let future = plan.future_of(panel)?;
        let future = match &self.future {
            Some(path) => future.given_file(path)?,
            None => future,
        };
        let matrix = panel.matrix()?;
        let place = matrix.names.iter().position(|name| name == off);
        let future = match place.filter(|place| matrix.sources[*place].1 == Role::Known) {
            Some(_) => future.what_if(off, &[0.0])?,
            None => future,
        };
        fits.forecast(future)?.levels(self.levels()?)
    }

    /// The one model that a decision rests on.
    fn one_model(&self) -> Result<Model> {
        only_model(self.ordering_models()?, ", such as --models ets")
    }
}

/// A list of numbers.
fn numbers(list: &List, what: &str) -> Result<Vec<f64>> {
    let number = |text: &str| text.parse().map_err(|_| Error::usage(format!("`{text}` is not {what}")));
    list.names().into_iter().map(number).collect()
}
