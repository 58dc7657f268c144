//! Decisions of a plan: its fields as policies, the models and the forecast that they rest on.

use super::{List, Plan};
use crate::decide::{
    Choice, Decision, LEVELS, MarkdownPolicy, MarketingBudget, PricePolicy, PromotionPolicy, State, StockPolicy, Unmet,
    latest, only_model,
};
use crate::error::{Error, Result};
use crate::evaluate::{Backtest, Folds};
use crate::explore::is_price;
use crate::forecast::Forecast;
use crate::models::Model;
use crate::panel::{Panel, Role, Stated, available_column};

impl Plan {
    /// How stock is replenished.
    ///
    /// # Errors
    /// When a number of it cannot be, or two contradict each other.
    pub fn stock_policy(&self) -> Result<StockPolicy> {
        if self.lost_sales && self.backorders {
            return Err(Error::usage(
                "demand that finds no stock is lost or waits: state lost sales or backorders, not both",
            ));
        }
        let policy = StockPolicy {
            lead_time: self.lead_time,
            review: self.review,
            holding: self.holding,
            shortage: self.shortage,
            unmet: if self.backorders { Unmet::Backordered } else { Unmet::Lost },
            cycle_service: self.cycle_service,
            fill_rate: self.fill_rate,
            cover: self.cover,
            order_cost: self.order_cost,
            lead_time_sd: self.lead_time_sd,
            classes: self.classes.clone(),
            lots: self.lots,
            lot: self.lot,
            budget: self.budget,
            space: self.space,
            belief: self.belief,
            seed: self.seed,
            ..StockPolicy::default()
        };
        policy.check().map(|()| policy)
    }

    /// How much to order of each item now, given the plan's [`stock`](Self::stock): by the model that it names, `auto` if none. Of
    /// several models the one is taken whose orders cost least in simulated past reviews, and with
    /// [`choose_level`](Self::choose_level) the level too. Where the data say when items could be sold, sales of other steps count as
    /// no demand (`stockouts=censored`), unless the plan's policy says otherwise.
    ///
    /// # Errors
    /// As [`Forecast::decide_stock`] and [`Backtest::choose_policy`], and when the plan names no file with the stock.
    pub fn decide_stock(&self) -> Result<Decision> {
        self.decide_stock_over(0, None)
    }

    /// The same, of the plan's data, which were read and cleaned already.
    pub(crate) fn decide_stock_of(&self, panel: Panel) -> Result<Decision> {
        self.decide_stock_over(0, Some(panel))
    }

    /// The same with a forecast of so many steps more than the decision needs; with the plan's data if they are given.
    fn decide_stock_over(&self, more: usize, panel: Option<Panel>) -> Result<Decision> {
        self.check()?;
        let censored = self.with_censored_demand()?;
        let policy = self.stock_policy()?;
        let Some(stock) = &self.stock else {
            return Err(Error::usage(
                "nothing says what is on the shelf: name the file with the stock, such as --stock state.csv",
            ));
        };
        let models = self.models_to_decide()?;
        let panel = match panel {
            Some(panel) if *self == censored => panel,
            _ => censored.panel()?,
        };
        let state = State::read(stock, &panel, &policy)?;
        let plan = Self { horizon: state.reach() + more, gap: 0, ..self.clone() };
        let decide = |model: &Model, policy: &StockPolicy| {
            plan.forecast_of(&plan.fits_of(&panel, std::slice::from_ref(model))?)?.decide(&state, policy)
        };
        match models.as_slice() {
            [model] if !self.choose_level => decide(model, &policy),
            models => {
                let trial = self.past_reviews(&panel, models, state.reach())?;
                let levels = if self.choose_level { LEVELS } else { &[] };
                let choice = Choice::of(&trial, Some(&state), &policy, levels)?;
                let (label, chosen) = choice.chosen();
                let model = models.iter().find(|model| model.label() == label);
                let model = model.ok_or_else(|| Error::model(format!("{label} is no model of the plan")))?;
                Ok(decide(model, &chosen)?.chosen_by(choice))
            }
        }
    }

    /// What the orders of each model would have cost in past reviews, with the rules of the plan's [`stock`](Self::stock) if it names
    /// one; with [`choose_level`](Self::choose_level) each level of the service target.
    ///
    /// # Errors
    /// As [`Backtest::simulate`].
    pub fn simulate_stock(&self) -> Result<Decision> {
        self.check()?;
        let policy = self.stock_policy()?;
        let models = self.models_to_decide()?;
        let panel = self.with_censored_demand()?.panel()?;
        let state = self.stock.as_ref().map(|stock| State::read(stock, &panel, &policy)).transpose()?;
        let reach = match &state {
            Some(state) => state.reach(),
            None => policy.reach()?,
        };
        let trial = self.past_reviews(&panel, &models, reach)?;
        match self.choose_level {
            true => Ok(Decision::of(Choice::of(&trial, state.as_ref(), &policy, LEVELS)?)),
            false => trial.simulate_with(state.as_ref(), &policy),
        }
    }

    /// What if? Forecast, and where the plan names a file with the [`stock`](Self::stock) orders, under each of its scenarios
    /// ([`what_if`](Self::what_if)) beside those as they are.
    ///
    /// # Errors
    /// As [`Decision::what_if`] and [`decide_stock`](Self::decide_stock), and when the plan names no scenario.
    pub fn scenarios(&self) -> Result<Decision> {
        let names = self.what_if.names();
        if self.stock.is_some() {
            return self.decide_stock_over(latest(&names)?, None)?.what_if(names);
        }
        self.check()?;
        let models = self.models_to_decide()?;
        let panel = self.panel()?;
        self.forecast_of(&self.fits_of(&panel, &models)?)?.what_if(names)
    }

    /// What shares the marketing budget.
    ///
    /// # Errors
    /// When an option or a number of it cannot be, or two contradict each other.
    pub fn marketing_budget(&self) -> Result<MarketingBudget> {
        let mut stated = crate::options::parse(&self.mix)?;
        let names = |list: &List| list.names().into_iter().map(serde_json::Value::from).collect::<Vec<_>>();
        for (name, list) in [("channels", &self.channels), ("lift", &self.lift)] {
            if !list.names().is_empty() {
                stated.insert(name.into(), names(list).into());
            }
        }
        if !self.bounds.trim().is_empty() {
            stated.insert("bounds".into(), crate::options::parse(&self.bounds)?.into());
        }
        if let Some(budget) = self.budget {
            stated.insert("budget".into(), budget.into());
        }
        stated.entry("seed").or_insert_with(|| self.seed.into());
        let asked: MarketingBudget = crate::options::read("the marketing budget", stated)?;
        asked.check().map(|()| asked)
    }

    /// How the marketing budget is best split over this plan's channels, which are known covariates unless it says otherwise.
    ///
    /// # Errors
    /// As [`Panel::decide_budget`].
    pub fn decide_budget(&self) -> Result<Decision> {
        self.check()?;
        let asked = self.marketing_budget()?;
        let declared = [self.known.names(), self.observed.names()].concat();
        let more = asked.channels.iter().filter(|name| !declared.contains(&name.as_str())).cloned();
        let known = List(self.known.0.iter().cloned().chain(more).collect());
        Self { known, ..self.clone() }.panel()?.decide_budget(&asked)
    }

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

    /// The forecasts of past reviews.
    fn past_reviews(&self, panel: &Panel, models: &[Model], reach: usize) -> Result<Backtest> {
        let folds = Folds::new(self.reviews, reach).step(self.review).scenario(self.scenario);
        panel.backtest(models.iter().cloned(), folds)
    }

    /// The plan whose policy takes demand as unknown where an item could not be sold, unless it says what to do with stock-outs.
    fn with_censored_demand(&self) -> Result<Self> {
        let stated = crate::options::parse(&self.policy)?.contains_key("stockouts");
        let available = self.available.as_deref().is_some_and(|name| !name.is_empty());
        let policy = match (available && !stated, self.policy.trim()) {
            (false, _) => self.policy.clone(),
            (true, "") => "stockouts=censored".into(),
            (true, stated) => format!("{stated}, stockouts=censored"),
        };
        Ok(Self { policy, ..self.clone() })
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
        let available = self.available.as_deref().map(|stated| available_column(stated).0);
        let stated = Stated {
            id: Some(self.id.names().into_iter().map(String::from).collect()),
            time: Some(self.time.clone()),
            target: Some(self.target.clone()),
            others: declared.into_iter().chain(available.map(String::from)).collect(),
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
        let model = only_model(self.models_to_decide()?, ", such as --models ets")?;
        let fits = self.fits_of(panel, &[model])?;
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

    /// The models that a decision can rest on: those that the plan names, else `auto`, without the benchmark.
    fn models_to_decide(&self) -> Result<Vec<Model>> {
        let models = self.models()?;
        let benchmarks = if self.models.names().is_empty() { models.len().saturating_sub(1) } else { 0 };
        Ok(models.into_iter().skip(benchmarks).collect())
    }
}

/// A list of numbers.
fn numbers(list: &List, what: &str) -> Result<Vec<f64>> {
    let number = |text: &str| text.parse().map_err(|_| Error::usage(format!("`{text}` is not {what}")));
    list.names().into_iter().map(number).collect()
}
