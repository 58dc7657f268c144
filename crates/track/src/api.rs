//! Which requests does MLflow's server take?
//!
//! One function per request that Tradewind makes, of `/api/2.0/mlflow/` as MLflow 3.17 has it. Requests that make
//! something are sent once: whether an answer that was lost made it, only a search tells.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::net::{Load, Net};
use crate::types::{Artifact, Dataset, LOCAL_ID, Metric, NAME, PARENT, Record, RunInfo, Status, Version};

const API: &str = "api/2.0/mlflow/";
/// As many runs are asked for at a time.
const PAGE: usize = 1_000;

/// A run as the server has it.
pub(crate) struct ServerRun {
    pub record: Record,
    pub artifacts: String,
    pub is_active: bool,
}

/// What one request logs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    pub params: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
    pub metrics: Vec<Metric>,
}

pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> Value {
    pairs.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// A value in the form that survives: a bare `NaN` would cost the rest of its request.
pub(crate) fn number(value: f64) -> Value {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whole numbers come as numbers or as text.
fn whole(value: &Value, key: &str) -> Option<i64> {
    let found = value.get(key)?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok())
}

fn float(value: &Value, key: &str) -> f64 {
    let found = value.get(key);
    let named = found.and_then(Value::as_str).and_then(|text| text.parse().ok());
    found.and_then(Value::as_f64).or(named).unwrap_or(f64::NAN)
}

fn map(values: &[Value]) -> BTreeMap<String, String> {
    values.iter().map(|pair| (text(pair, "key"), text(pair, "value"))).collect()
}

impl Net {
    fn strange(&self, what: &str) -> Error {
        Error::away(format!("the server {} answered without {what}: check that it is one of MLflow", self.base()))
    }

    fn post(&self, verb: &str, body: &Value) -> Result<Value> {
        self.once("POST", &format!("{API}{verb}"), &[], &Load::Json(body))
    }

    fn get(&self, verb: &str, query: &[(&str, &str)]) -> Result<Value> {
        self.once("GET", &format!("{API}{verb}"), query, &Load::Nothing)
    }

    /// The number of an experiment and whether it is there or deleted; `None` if there never was one.
    pub(crate) fn experiment_named(&self, name: &str) -> Result<Option<(String, bool)>> {
        match self.get("experiments/get-by-name", &[("experiment_name", name)]) {
            Ok(answer) => {
                let experiment = answer.get("experiment").ok_or_else(|| self.strange("an experiment"))?;
                Ok(Some((text(experiment, "experiment_id"), text(experiment, "lifecycle_stage") != "deleted")))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn experiment_name(&self, id: &str) -> Result<String> {
        let answer = self.get("experiments/get", &[("experiment_id", id)])?;
        answer.get("experiment").map(|found| text(found, "name")).ok_or_else(|| self.strange("an experiment"))
    }

    /// The number of the experiment of a name, which is made or brought back if need be.
    pub(crate) fn make_experiment(&self, name: &str) -> Result<String> {
        let found = match self.experiment_named(name)? {
            Some(found) => Some(found),
            None => match self.post("experiments/create", &json!({"name": name})) {
                Ok(answer) => return Ok(text(&answer, "experiment_id")),
                // Somebody was faster.
                Err(error) if error.code() == "RESOURCE_ALREADY_EXISTS" => self.experiment_named(name)?,
                Err(error) => return Err(error),
            },
        };
        let (id, is_active) = found.ok_or_else(|| self.strange("the experiment that it says there is"))?;
        if !is_active {
            self.post("experiments/restore", &json!({"experiment_id": id}))?;
        }
        Ok(id)
    }

    pub(crate) fn create_run(
        &self,
        experiment: &str,
        name: &str,
        start: i64,
        tags: &BTreeMap<String, String>,
    ) -> Result<(String, String)> {
        let body = json!({
            "experiment_id": experiment, "run_name": name, "start_time": start, "tags": pairs(tags)
        });
        let answer = self.post("runs/create", &body)?;
        let run = answer.get("run").and_then(|run| run.get("info")).ok_or_else(|| self.strange("a run"))?;
        Ok((text(run, "run_id"), text(run, "artifact_uri")))
    }

    pub(crate) fn log_batch(&self, run: &str, batch: &Batch) -> Result<()> {
        let metrics: Vec<Value> = batch
            .metrics
            .iter()
            .map(|Metric { key, value, step, time }| {
                json!({"key": key, "value": number(*value), "step": step, "timestamp": time})
            })
            .collect();
        let params = pairs(batch.params.iter().map(|(key, value)| (key, value)));
        let tags = pairs(batch.tags.iter().map(|(key, value)| (key, value)));
        let body = json!({"run_id": run, "params": params, "tags": tags, "metrics": metrics});
        self.post("runs/log-batch", &body).map(|_| ())
    }

    pub(crate) fn log_input(&self, run: &str, dataset: &Dataset) -> Result<()> {
        let tags: Vec<Value> =
            dataset.context.iter().map(|text| json!({"key": "mlflow.data.context", "value": text})).collect();
        let data = json!({
            "name": dataset.name, "digest": dataset.digest, "source_type": dataset.source_type,
            "source": dataset.source, "schema": dataset.schema, "profile": dataset.profile
        });
        let body = json!({"run_id": run, "datasets": [{"tags": tags, "dataset": data}]});
        self.post("runs/log-inputs", &body).map(|_| ())
    }

    pub(crate) fn end_run(&self, run: &str, status: Status, end: i64) -> Result<()> {
        self.post("runs/update", &json!({"run_id": run, "status": status.name(), "end_time": end})).map(|_| ())
    }

    pub(crate) fn delete_run(&self, run: &str) -> Result<()> {
        self.post("runs/delete", &json!({"run_id": run})).map(|_| ())
    }

    pub(crate) fn server_run(&self, run: &str) -> Result<ServerRun> {
        let answer = self.get("runs/get", &[("run_id", run)])?;
        answer.get("run").and_then(server_run).ok_or_else(|| self.strange("a run"))
    }

    /// The runs that a filter of MLflow's takes, the latest first, until `enough` says so.
    pub(crate) fn search_runs(
        &self,
        experiments: &[String],
        filter: &str,
        enough: impl Fn(&[ServerRun]) -> bool,
    ) -> Result<Vec<ServerRun>> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let body = json!({
                "experiment_ids": experiments, "filter": filter, "max_results": PAGE, "page_token": token,
                "run_view_type": "ACTIVE_ONLY", "order_by": ["attributes.start_time DESC"]
            });
            let answer = self.post("runs/search", &body)?;
            found.extend(list(&answer, "runs").iter().filter_map(server_run));
            token = text(&answer, "next_page_token");
            if token.is_empty() || enough(&found) {
                return Ok(found);
            }
        }
    }

    /// The experiments that are not deleted.
    pub(crate) fn experiments(&self) -> Result<Vec<String>> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let body = json!({"max_results": PAGE, "page_token": token, "view_type": "ACTIVE_ONLY"});
            let answer = self.post("experiments/search", &body)?;
            found.extend(list(&answer, "experiments").iter().map(|experiment| text(experiment, "experiment_id")));
            token = text(&answer, "next_page_token");
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    pub(crate) fn history(&self, run: &str, key: &str) -> Result<Vec<Metric>> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let mut query = vec![("run_id", run), ("metric_key", key), ("max_results", "25000")];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let answer = self.get("metrics/get-history", &query)?;
            found.extend(list(&answer, "metrics").iter().map(metric));
            token = text(&answer, "next_page_token");
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    /// The files below a folder of a run's artifacts.
    pub(crate) fn artifacts(&self, run: &str) -> Result<Vec<Artifact>> {
        let (mut found, mut folders) = (Vec::new(), vec![String::new()]);
        while let Some(folder) = folders.pop() {
            let mut query = vec![("run_id", run)];
            if !folder.is_empty() {
                query.push(("path", &folder));
            }
            for file in list(&self.get("artifacts/list", &query)?, "files") {
                let path = text(file, "path");
                // A server that names a folder within itself would keep us for ever.
                if file.get("is_dir").and_then(Value::as_bool).unwrap_or(false) && path.len() > folder.len() {
                    folders.push(path);
                } else {
                    let size = whole(file, "file_size").and_then(|size| u64::try_from(size).ok());
                    found.push(Artifact { path, size: size.unwrap_or(0) });
                }
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// Where the server takes and gives the files at an address of artifacts.
    pub(crate) fn artifact_path(&self, uri: &str, path: &str) -> Result<String> {
        let place = uri.strip_prefix("mlflow-artifacts:").ok_or_else(|| {
            let message = format!(
                "the server {} keeps files at {uri}, where only it can reach them: start it with --serve-artifacts",
                self.base()
            );
            Error::refused(message, "NO_ARTIFACTS")
        })?;
        // `mlflow-artifacts://host/1/…` names the server as well.
        let place = match place.strip_prefix("//") {
            Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
            None => place.trim_start_matches('/'),
        };
        Ok(format!("api/2.0/mlflow-artifacts/artifacts/{place}/{path}"))
    }

    pub(crate) fn make_model(&self, name: &str) -> Result<()> {
        match self.post("registered-models/create", &json!({"name": name})) {
            Err(error) if error.code() == "RESOURCE_ALREADY_EXISTS" => Ok(()),
            done => done.map(|_| ()),
        }
    }

    /// The versions that a filter of MLflow's takes, without their aliases.
    pub(crate) fn search_versions(&self, filter: &str) -> Result<Vec<Version>> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let mut query = vec![("filter", filter), ("max_results", "1000")];
            if !token.is_empty() {
                query.push(("page_token", &token));
            }
            let answer = self.get("model-versions/search", &query)?;
            found.extend(list(&answer, "model_versions").iter().filter_map(version));
            token = text(&answer, "next_page_token");
            if token.is_empty() {
                return Ok(found);
            }
        }
    }

    pub(crate) fn create_version(
        &self,
        model: &str,
        run: &str,
        source: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<u32> {
        let body = json!({"name": model, "run_id": run, "source": source, "tags": pairs(tags)});
        let answer = self.post("model-versions/create", &body)?;
        let made = answer.get("model_version").and_then(version).ok_or_else(|| self.strange("a version"))?;
        Ok(made.number)
    }

    pub(crate) fn aliases(&self, model: &str) -> Result<BTreeMap<String, u32>> {
        let answer = self.get("registered-models/get", &[("name", model)])?;
        let model = answer.get("registered_model").ok_or_else(|| self.strange("a model"))?;
        let aliases = list(model, "aliases").iter();
        Ok(aliases.filter_map(|alias| Some((text(alias, "alias"), text(alias, "version").parse().ok()?))).collect())
    }

    pub(crate) fn set_alias(&self, model: &str, alias: &str, number: u32) -> Result<()> {
        let body = json!({"name": model, "alias": alias, "version": number.to_string()});
        self.post("registered-models/alias", &body).map(|_| ())
    }

    pub(crate) fn delete_alias(&self, model: &str, alias: &str) -> Result<()> {
        let body = json!({"name": model, "alias": alias});
        match self.once("DELETE", &format!("{API}registered-models/alias"), &[], &Load::Json(&body)) {
            Err(error) if error.is_missing() => Ok(()),
            done => done.map(|_| ()),
        }
    }
}

fn metric(value: &Value) -> Metric {
    Metric {
        key: text(value, "key"),
        value: float(value, "value"),
        step: whole(value, "step").unwrap_or(0),
        time: whole(value, "timestamp").unwrap_or(0),
    }
}

fn server_run(run: &Value) -> Option<ServerRun> {
    let info = run.get("info")?;
    let empty = Value::Null;
    let data = run.get("data").unwrap_or(&empty);
    let tags = map(list(data, "tags"));
    let id = text(info, "run_id");
    let name = text(info, "run_name");
    let inputs = list(run.get("inputs").unwrap_or(&empty), "dataset_inputs").iter().filter_map(|input| {
        let dataset = input.get("dataset")?;
        let given = |key: &str| dataset.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Dataset {
            name: text(dataset, "name"),
            digest: text(dataset, "digest"),
            source_type: text(dataset, "source_type"),
            source: text(dataset, "source"),
            schema: given("schema"),
            profile: given("profile"),
            context: map(list(input, "tags")).remove("mlflow.data.context"),
        })
    });
    let record = Record {
        info: RunInfo {
            id: tags.get(LOCAL_ID).unwrap_or(&id).clone(),
            server_id: Some(id),
            experiment_id: text(info, "experiment_id"),
            name: if name.is_empty() { tags.get(NAME).cloned().unwrap_or_default() } else { name },
            status: Status::of_name(&text(info, "status")),
            start: whole(info, "start_time").unwrap_or(0),
            end: whole(info, "end_time").filter(|end| *end > 0),
            parent: tags.get(PARENT).cloned(),
        },
        params: map(list(data, "params")),
        metrics: list(data, "metrics").iter().map(metric).map(|metric| (metric.key, metric.value)).collect(),
        inputs: inputs.collect(),
        tags,
    };
    let is_active = text(info, "lifecycle_stage") != "deleted";
    Some(ServerRun { record, artifacts: text(info, "artifact_uri"), is_active })
}

fn version(value: &Value) -> Option<Version> {
    Some(Version {
        model: text(value, "name"),
        number: text(value, "version").parse().ok()?,
        run_id: Some(text(value, "run_id")).filter(|run| !run.is_empty()),
        source: text(value, "source"),
        tags: map(list(value, "tags")),
        aliases: Vec::new(),
        created: whole(value, "creation_timestamp").unwrap_or(0),
    })
}
