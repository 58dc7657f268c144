//! Where does a plan stand? In a TOML or a YAML file; a plan may name a file of parameters, whose fields are laid over its own.
//!
//! The parameters are what a tool changes from run to run: `dvc exp run -S horizon=12` writes params.yaml anew and drops the quotes
//! of strings that YAML 1.2 takes for strings without them. They are therefore read as YAML 1.2: `NO` and `12:30` are texts.

use std::path::Path;

use serde_json::{Map, Value};

use super::Patch;
use crate::error::{Error, Result};

impl Patch {
    /// Reads a TOML text.
    ///
    /// # Errors
    /// When it is not TOML, names an unknown field (the nearest is suggested), or a value does not fit.
    pub fn read_text(text: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(text).map_err(|cause| {
            let line = cause.span().map_or(0, |span| text[..span.start.min(text.len())].lines().count().max(1));
            Error::usage(format!("line {line} of the plan is not TOML")).because(cause.message().to_string())
        })?;
        let value = serde_json::to_value(crate::options::plain(table.into())?);
        Self::of_value(value.map_err(|cause| Error::usage("the plan cannot be read").because(cause))?)
    }

    /// Reads a YAML text.
    ///
    /// ```
    /// use tradewind::prelude::*;
    /// let patch = Patch::read_yaml("horizon: 12\nmodels: [theta, \"ets(season=52)\"]\nmetric: wape\n")?;
    /// assert_eq!(patch.horizon, Some(12));
    /// # Ok::<(), tradewind::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`read_text`](Self::read_text).
    pub fn read_yaml(text: &str) -> Result<Self> {
        if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
            return Ok(Self::default());
        }
        let options = serde_saphyr::options! { strict_booleans: true };
        let value: Value = serde_saphyr::from_str_with_options(text, options)
            .map_err(|cause| Error::usage("the plan is not YAML").because(said(&cause.to_string())))?;
        Self::of_value(value)
    }

    fn of_value(value: Value) -> Result<Self> {
        match value {
            Value::Object(map) => crate::options::read("the plan", flat(map)),
            _ => Err(Error::usage("the plan is not a table of fields")),
        }
    }

    /// Reads a TOML file, or a YAML file where its name ends with `.yaml` or `.yml`. The fields of the file that it names as
    /// [`params`](super::Plan::params) are laid over its own.
    ///
    /// # Errors
    /// As [`read_text`](Self::read_text), and when a file cannot be read.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let patch = Self::read_one(path.as_ref())?;
        match &patch.params {
            None => Ok(patch),
            Some(params) => Ok(Self::read_one(params)?.or(patch)),
        }
    }

    fn read_one(path: &Path) -> Result<Self> {
        let text = crate::files::read_text(path)?;
        let is_yaml =
            path.extension().is_some_and(|end| end.eq_ignore_ascii_case("yaml") || end.eq_ignore_ascii_case("yml"));
        let patch = if is_yaml { Self::read_yaml(&text) } else { Self::read_text(&text) };
        patch.map_err(|error| error.within(path.display().to_string()))
    }
}

/// What the reader of YAML says, on one line: without the picture of the place and the advice to programmers.
fn said(cause: &str) -> String {
    let line = cause.lines().next().unwrap_or_default();
    line.trim_start_matches("error: ").split(", set ").next().unwrap_or_default().to_string()
}

/// Without the fields that are null, which say nothing.
fn flat(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;

    #[test]
    fn yaml_is_read_as_version_1_2() {
        let patch = Patch::read_yaml("target: NO\ntime: 12:30\nid: [on, y]\nhorizon: 12\nseason:\n").unwrap();
        assert_eq!((patch.target.as_deref(), patch.time.as_deref()), (Some("NO"), Some("12:30")));
        assert_eq!(patch.id.unwrap().names(), ["on", "y"]);
        assert_eq!((patch.horizon, patch.season), (Some(12), None));
        assert_eq!(Patch::read_yaml("# nothing\n\n").unwrap(), Patch::default());
    }

    #[test]
    fn what_is_wrong_with_yaml_is_said() {
        let error = |text: &str| Patch::read_yaml(text).unwrap_err().to_string();
        assert!(error("horizen: 3").contains("did you mean `horizon`?"), "{}", error("horizen: 3"));
        assert!(error("- a\n- b").contains("not a table of fields"));
        assert!(error("a: [1").contains("not YAML"));
        assert!(error("horizon: many").contains("horizon"));
        // The second of two would hide the first.
        let twice = error("horizon: 3\nhorizon: 4");
        assert!(twice.ends_with("line 2 column 1: duplicate mapping key: horizon"), "{twice}");
    }

    #[test]
    fn parameters_are_laid_over_a_plan() {
        let home = tempfile::tempdir().unwrap();
        let (plan, params) = (home.path().join("plan.toml"), home.path().join("params.yaml"));
        std::fs::write(&params, "horizon: 4\n").unwrap();
        std::fs::write(&plan, format!("horizon = 8\nfolds = 3\nparams = {:?}\n", params.to_string_lossy())).unwrap();
        let plan = Plan::read(&plan).unwrap();
        assert_eq!((plan.horizon, plan.folds), (4, 3));
    }
}
