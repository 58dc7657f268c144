//! What does Prometheus hear? Counts and times of requests and jobs as they happen; what the engine knows when it is asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use chrono::Utc;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::engine::{Gauges, ModelCard};

type Labels = Vec<(&'static str, String)>;
type Number = Gauge<f64, AtomicU64>;

/// A text as a label, by reference where it lives as long as the program.
#[derive(Clone, Debug, Hash, PartialEq, Eq)]
struct Word(std::borrow::Cow<'static, str>);

impl EncodeLabelValue for Word {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        EncodeLabelValue::encode(&&*self.0, encoder)
    }
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: Word,
    route: Word,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: Word,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Work {
    kind: String,
    outcome: &'static str,
}

/// The measurements of a server.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    requests: Family<Request, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge<i64, AtomicI64>,
    issued: Family<Labels, Counter>,
    jobs: Family<Work, Counter>,
    job_seconds: Family<Labels, Histogram, fn() -> Histogram>,
}

fn latencies() -> Histogram {
    Histogram::new([0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0])
}

fn durations() -> Histogram {
    Histogram::new([0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0])
}

/// What is asked for when somebody looks.
pub(crate) struct Now {
    pub version: String,
    pub started: f64,
    pub models: Vec<ModelCard>,
    pub gauges: Option<Gauges>,
    pub jobs: Option<(usize, usize)>,
}

impl Metrics {
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            seconds: Family::new_with_constructor(latencies),
            job_seconds: Family::new_with_constructor(durations),
            requests: Family::default(),
            in_flight: Gauge::default(),
            issued: Family::default(),
            jobs: Family::default(),
        }))
    }

    /// A request begins; it is in flight until what this answers is dropped.
    pub fn begin(&self) -> Begun {
        self.0.in_flight.inc();
        Begun(self.clone())
    }

    pub fn request(&self, method: &'static str, route: std::borrow::Cow<'static, str>, status: u16, seconds: f64) {
        let route = Word(route);
        self.0.seconds.get_or_create(&Route { route: route.clone() }).observe(seconds);
        self.0.requests.get_or_create(&Request { method: Word(method.into()), route, status }).inc();
    }

    pub fn forecasts(&self, model: Option<&str>, count: u64) {
        // A history that a request brings along has no name of a model.
        self.0.issued.get_or_create(&vec![("model", model.unwrap_or("none").to_string())]).inc_by(count);
    }

    pub fn job(&self, kind: &str, outcome: &'static str, seconds: f64) {
        self.0.jobs.get_or_create(&Work { kind: kind.into(), outcome }).inc();
        self.0.job_seconds.get_or_create(&vec![("kind", kind.to_string())]).observe(seconds);
    }

    /// All of it in the format of OpenMetrics.
    pub fn text(&self, now: Now) -> Result<String, std::fmt::Error> {
        let inner = &self.0;
        let mut all = Registry::default();
        let registry = all.sub_registry_with_prefix("tradewind");
        registry.register("http_requests", "Requests answered", inner.requests.clone());
        registry.register("http_request_duration_seconds", "Time to answer a request", inner.seconds.clone());
        registry.register("http_requests_in_flight", "Requests being answered", inner.in_flight.clone());
        registry.register("forecasts_issued", "Forecasts of series answered", inner.issued.clone());
        registry.register("jobs_finished", "Jobs that came to an end", inner.jobs.clone());
        registry.register("job_duration_seconds", "Time of jobs", inner.job_seconds.clone());
        registry.register("build", "The program", Info::new(vec![("version", now.version)]));
        let set = |family: &Family<Labels, Number>, labels: Labels, value: f64| {
            family.get_or_create(&labels).set(value);
        };
        let (up, made) = (Family::<Labels, Number>::default(), Family::<Labels, Number>::default());
        for model in &now.models {
            let label = || vec![("model", model.name.clone())];
            set(&up, label(), f64::from(u8::from(model.problem.is_none())));
            if let Some(at) = model.made_at {
                set(&made, label(), at.timestamp() as f64);
            }
        }
        registry.register("model_up", "Can the model forecast? 1 or 0", up);
        registry.register("model_made_timestamp_seconds", "When the model was made", made);
        let jobs = Family::<Labels, Number>::default();
        if let Some((waiting, going)) = now.jobs {
            set(&jobs, vec![("state", "queued".into())], waiting as f64);
            set(&jobs, vec![("state", "running".into())], going as f64);
        }
        registry.register("jobs", "Jobs that wait or go on", jobs);
        let store = Number::default();
        store.set(f64::from(u8::from(now.jobs.is_some())));
        registry.register("store_up", "Can the store be asked? 1 or 0", store);
        let families: [Family<Labels, Number>; 5] = Default::default();
        let [mase, coverage, psi, drift, alerts] = &families;
        if let Some(gauges) = now.gauges {
            for (model, window, value) in gauges.mase {
                set(mase, vec![("model", model), ("window", window.to_string())], value);
            }
            for (model, level, window, value) in gauges.coverage {
                let labels = vec![("model", model), ("level", level.to_string()), ("window", window.to_string())];
                set(coverage, labels, value);
            }
            for (column, index, verdict) in gauges.drift {
                set(psi, vec![("column", column.clone())], index);
                set(drift, vec![("column", column)], f64::from(verdict));
            }
            for (rule, severity, count) in gauges.alerts {
                set(alerts, vec![("rule", rule), ("severity", severity)], count as f64);
            }
            if let Some(until) = gauges.actuals_until {
                let known = Number::default();
                known.set(until.timestamp() as f64);
                registry.register("actuals_timestamp_seconds", "The last date of which actuals are known", known);
            }
        }
        registry.register("forecast_mase", "Mean absolute scaled error over a window of periods", mase.clone());
        registry.register("forecast_coverage_ratio", "Share of actuals within the interval", coverage.clone());
        registry.register("input_drift_psi", "Population stability index of a column", psi.clone());
        let words = "Has a column drifted beyond chance? 0 no, 1 a little, 2 so much that models should be fitted anew";
        registry.register("input_drift_verdict", words, drift.clone());
        registry.register("alerts_active", "Alerts that go on", alerts.clone());
        let (memory, started) = (Number::default(), Number::default());
        memory.set(memory_stats::memory_stats().map_or(0.0, |now| now.physical_mem as f64));
        started.set(now.started);
        all.register("process_resident_memory_bytes", "Memory of the process", memory);
        all.register("process_start_time_seconds", "When the process began", started);
        let mut text = String::new();
        encode(&mut text, &all)?;
        Ok(text)
    }
}

/// A request that is being answered.
pub(crate) struct Begun(Metrics);

impl Drop for Begun {
    fn drop(&mut self) {
        self.0.0.in_flight.dec();
    }
}

/// Seconds since 1970.
pub(crate) fn seconds_now() -> f64 {
    Utc::now().timestamp_millis() as f64 / 1000.0
}
