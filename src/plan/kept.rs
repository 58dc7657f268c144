//! What of a plan's runs is kept, and where?

use std::path::Path;
use std::time::SystemTime;

use super::Plan;
use crate::error::Result;
use crate::panel::{Panel, Role};
use crate::track::{Data, Runs, Told};

/// The fields that are told of every run, also at their default.
const SETTINGS: [&str; 5] = ["horizon", "folds", "gap", "metric", "seed"];

impl Plan {
    /// The same plan, whose runs are kept at the usual place where it says nothing of it and the program can keep them.
    #[must_use]
    pub fn tracked(self) -> Self {
        let usual = crate::track::ready().is_ok().then(String::new);
        Self { track: self.track.or(usual), ..self }
    }

    /// Where the runs of this plan are kept; none where it says nothing of it or `off`.
    ///
    /// # Errors
    /// When the place is neither a folder nor the address of a server.
    pub fn runs(&self) -> Result<Option<Runs>> {
        match self.track.as_deref().map(str::trim) {
            None | Some("off") => Ok(None),
            Some("") => Runs::at(None).map(Some),
            place => Runs::at(place).map(Some),
        }
    }

    /// The fields of this plan as settings of a run: those that differ from the defaults, and some that always count.
    fn settings(&self) -> Result<Vec<(String, String)>> {
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.to_string(), String::from))
                .collect::<Vec<_>>()
                .join("; "),
            value => value.to_string(),
        };
        let defaults = crate::options::fields(&Self::default())?;
        // What says where runs are kept may hold a password, and so may the address of a database.
        let hidden = ["track", "query", "store"];
        let stated = |(field, value): &(&String, &serde_json::Value)| {
            !value.is_null()
                && !hidden.contains(&field.as_str())
                && (defaults.get(*field) != Some(value) || SETTINGS.contains(&field.as_str()))
        };
        let fields = crate::options::fields(self)?;
        Ok(fields.iter().filter(stated).map(|(field, value)| (field.clone(), text(value))).collect())
    }

    /// What is told of a run of this plan before it has results: its settings and its data.
    pub(crate) fn told(&self, panel: &Panel, name: String) -> Result<Told> {
        let mut params = self.settings()?;
        let source = panel.inner().origin.source.clone();
        params.iter_mut().filter(|(field, _)| field == "data").for_each(|(_, value)| value.clone_from(&source));
        let (first, last) = panel.span();
        let columns = panel.columns();
        let covariates =
            [Role::Known, Role::Observed, Role::Fixed].into_iter().flat_map(|role| columns.with_role(role));
        let typed = |kind: &'static str| move |name: &str| (name.to_string(), kind.to_string());
        let columns = columns
            .keys()
            .iter()
            .map(|key| typed("string")(key))
            .chain([typed("datetime")(columns.time()), typed("double")(columns.target())])
            .chain(covariates.map(typed("double")))
            .collect();
        let data = Data {
            name: Path::new(&source)
                .file_name()
                .map_or_else(|| source.clone(), |name| name.to_string_lossy().into_owned()),
            digest: panel.fingerprint(),
            source,
            columns,
            rows: panel.rows(),
            series: panel.len(),
        };
        Ok(Told {
            experiment: self.model_name(),
            name,
            tags: vec![
                ("mlflow.source.name".into(), "tradewind".into()),
                ("program".into(), program()),
                ("data".into(), data.digest.clone()),
                ("span".into(), format!("{first} to {last}")),
                ("frequency".into(), panel.frequency().to_string()),
            ],
            params,
            data: Some(data),
            ..Told::default()
        })
    }

    /// What came of a run that began a while ago; where it failed, that is kept among the runs, as far as that is possible. What was
    /// asked for wrongly never was a run.
    pub(crate) fn unless_failed<T>(
        &self,
        runs: Option<&Runs>,
        name: &str,
        began: SystemTime,
        done: Result<T>,
    ) -> Result<T> {
        if let (Some(runs), Err(error)) = (runs, &done)
            && !error.is_usage()
        {
            let told = self.settings().and_then(|params| {
                runs.record(Told {
                    experiment: self.model_name(),
                    name: name.into(),
                    tags: vec![("mlflow.source.name".into(), "tradewind".into()), ("program".into(), program())],
                    params,
                    began: Some(began),
                    failed: Some(error.clone()),
                    ..Told::default()
                })
            });
            // What the run failed by matters more than that it could not be kept.
            crate::progress::remark(
                "the run that failed is not kept",
                told.err().map(|error| error.to_string()).iter(),
            );
        }
        done
    }
}

/// The program, with its version.
fn program() -> String {
    format!("Tradewind {}", env!("CARGO_PKG_VERSION"))
}
