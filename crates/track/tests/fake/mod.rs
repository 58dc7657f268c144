//! A small server that answers as MLflow 3.17 does, with faults on request. It listens on 127.0.0.1 and ends with its test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// It is answered.
    None,
    /// The connection ends before anything is done.
    Before,
    /// All is done, and the connection ends without an answer.
    After,
    /// All is done, and half of the answer is sent.
    Cut,
    /// Nothing is done, and this is answered: status, headers, body.
    Answer(u16, &'static str, &'static str),
    /// Nothing is answered for so long.
    Hang(Duration),
}

#[derive(Clone, Debug, Default)]
pub struct Run {
    pub name: String,
    pub experiment: String,
    pub status: String,
    pub end: i64,
    pub params: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub metrics: Vec<(String, String, i64, i64)>,
    pub inputs: Vec<String>,
}

#[derive(Default)]
pub struct World {
    pub experiments: Vec<(String, bool)>,
    pub runs: BTreeMap<String, Run>,
    pub artifacts: BTreeMap<String, Vec<u8>>,
    pub versions: Vec<(String, String, BTreeMap<String, String>)>,
    pub aliases: BTreeMap<String, String>,
    pub heads: Vec<String>,
    pub verbs: Vec<String>,
}

type Plan = dyn Fn(usize, &str) -> Fault + Send + Sync;

pub struct Fake {
    pub url: String,
    pub world: Arc<Mutex<World>>,
    pub count: Arc<AtomicUsize>,
    plan: Arc<Mutex<Arc<Plan>>>,
    is_over: Arc<AtomicBool>,
}

impl Fake {
    /// Faults are chosen by the number of the request and its verb.
    pub fn start(plan: impl Fn(usize, &str) -> Fault + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Self {
            url,
            world: Arc::default(),
            count: Arc::default(),
            plan: Arc::new(Mutex::new(Arc::new(plan))),
            is_over: Arc::default(),
        };
        let (world, count, plan, is_over) =
            (fake.world.clone(), fake.count.clone(), fake.plan.clone(), fake.is_over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
                let (world, count, plan) = (world.clone(), count.clone(), plan.clone());
                std::thread::spawn(move || while serve(&stream, &world, &count, &plan).is_some() {});
            }
        });
        fake
    }

    pub fn healthy() -> Self {
        Self::start(|_, _| Fault::None)
    }

    pub fn change(&self, plan: impl Fn(usize, &str) -> Fault + Send + Sync + 'static) {
        *self.plan.lock().unwrap() = Arc::new(plan);
    }

    pub fn runs(&self) -> Vec<Run> {
        self.world.lock().unwrap().runs.values().filter(|run| run.status != "DELETED").cloned().collect()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.url.trim_start_matches("http://"));
    }
}

fn serve(mut stream: &TcpStream, world: &Mutex<World>, count: &AtomicUsize, plan: &Mutex<Arc<Plan>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut first = head.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let verb = path.trim_start_matches("/api/2.0/mlflow/").to_owned();
    let number = count.fetch_add(1, Ordering::SeqCst);
    let chosen = plan.lock().unwrap().clone();
    let fault = chosen(number, &verb);
    let (status, extra, text) = match &fault {
        Fault::Before => return None,
        Fault::Hang(time) => {
            std::thread::sleep(*time);
            return None;
        }
        Fault::Answer(status, extra, text) => (*status, *extra, text.as_bytes().to_vec()),
        _ => {
            let mut world = world.lock().unwrap();
            world.heads.push(head.clone());
            world.verbs.push(format!("{method} {verb}"));
            let (status, text) = world.answer(&method, &verb, query, &body);
            (status, "", text)
        }
    };
    if fault == Fault::After {
        return None;
    }
    let mut answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n{extra}\r\n", text.len()).into_bytes();
    answer.extend(if fault == Fault::Cut { &text[..text.len() / 2] } else { &text[..] });
    stream.write_all(&answer).ok()?;
    (fault != Fault::Cut).then_some(())
}

fn refusal(code: &str, message: &str) -> (u16, Value) {
    let status = if code == "RESOURCE_DOES_NOT_EXIST" { 404 } else { 400 };
    (status, json!({"error_code": code, "message": message}))
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    value.as_array().into_iter().flatten().map(|pair| (text(&pair["key"]), text(&pair["value"]))).collect()
}

impl World {
    fn answer(&mut self, method: &str, verb: &str, query: &str, body: &[u8]) -> (u16, Vec<u8>) {
        if let Some(place) = verb.strip_prefix("/api/2.0/mlflow-artifacts/artifacts/") {
            if method == "PUT" {
                self.artifacts.insert(place.to_owned(), body.to_vec());
                return (200, b"{}".to_vec());
            }
            return (200, self.artifacts.get(place).cloned().unwrap_or_default());
        }
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let (status, value) = self.verb(method, verb, query, &body);
        (status, value.to_string().into_bytes())
    }

    fn verb(&mut self, method: &str, verb: &str, query: &str, body: &Value) -> (u16, Value) {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let asked = |key: &str| {
            let found = query.split('&').find_map(|part| part.strip_prefix(&format!("{key}=")));
            let found = found.unwrap_or_default();
            percent_encoding::percent_decode_str(found).decode_utf8_lossy().into_owned()
        };
        let none = || refusal("RESOURCE_DOES_NOT_EXIST", "there is no such thing");
        match verb {
            "experiments/get-by-name" => {
                match self.experiments.iter().position(|known| known.0 == asked("experiment_name")) {
                    Some(id) => {
                        let stage = if self.experiments[id].1 { "active" } else { "deleted" };
                        (200, json!({"experiment": {"experiment_id": id.to_string(), "lifecycle_stage": stage}}))
                    }
                    None => none(),
                }
            }
            "experiments/get" => {
                let id: usize = asked("experiment_id").parse().unwrap();
                (200, json!({"experiment": {"experiment_id": id.to_string(), "name": self.experiments[id].0}}))
            }
            "experiments/create" => {
                if self.experiments.iter().any(|known| known.0 == text("name")) {
                    return refusal("RESOURCE_ALREADY_EXISTS", "it exists");
                }
                self.experiments.push((text("name"), true));
                (200, json!({"experiment_id": (self.experiments.len() - 1).to_string()}))
            }
            "experiments/search" => {
                let all: Vec<Value> =
                    (0..self.experiments.len()).map(|id| json!({"experiment_id": id.to_string()})).collect();
                (200, json!({"experiments": all}))
            }
            "experiments/restore" => {
                let id: usize = text("experiment_id").parse().unwrap();
                self.experiments[id].1 = true;
                (200, json!({}))
            }
            "runs/create" => {
                let id = format!("server{}", self.runs.len());
                let experiment = text("experiment_id");
                match experiment.parse::<usize>().ok().and_then(|id| self.experiments.get(id)) {
                    None => return none(),
                    Some((_, false)) => return refusal("INVALID_STATE", "the experiment is not active"),
                    Some(_) => {}
                }
                let run = Run {
                    name: text("run_name"),
                    experiment,
                    status: "RUNNING".to_owned(),
                    tags: pairs(&body["tags"]).into_iter().collect(),
                    ..Run::default()
                };
                let answer = json!({"run": self.json(&id, &run)});
                self.runs.insert(id, run);
                (200, answer)
            }
            "runs/get" => match self.runs.get(&asked("run_id")) {
                Some(run) => (200, json!({"run": self.json(&asked("run_id"), run)})),
                None => none(),
            },
            "runs/search" => {
                let filter = text("filter");
                let wanted: Vec<(String, String)> = filter
                    .split(" and ")
                    .filter_map(|part| {
                        let (what, value) = part.strip_prefix("tags.`")?.split_once("` = '")?;
                        Some((what.to_owned(), value.trim_end_matches('\'').to_owned()))
                    })
                    .collect();
                let found: Vec<Value> = self
                    .runs
                    .iter()
                    .filter(|(_, run)| run.status != "DELETED")
                    .filter(|(_, run)| wanted.iter().all(|(key, value)| run.tags.get(key) == Some(value)))
                    .map(|(id, run)| self.json(id, run))
                    .collect();
                (200, json!({"runs": found}))
            }
            "runs/log-batch" => {
                let Some(run) = self.runs.get_mut(&text("run_id")) else { return none() };
                let params = pairs(&body["params"]);
                if params.iter().any(|(key, value)| key == "bad" || run.params.get(key).is_some_and(|old| old != value))
                {
                    return refusal("INVALID_PARAMETER_VALUE", "a param is not allowed");
                }
                run.params.extend(params);
                run.tags.extend(pairs(&body["tags"]));
                for metric in body["metrics"].as_array().into_iter().flatten() {
                    let whole = |key: &str| metric[key].as_i64().unwrap();
                    let value = match &metric["value"] {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    let new = (metric["key"].as_str().unwrap().to_owned(), value, whole("step"), whole("timestamp"));
                    if !run.metrics.contains(&new) {
                        run.metrics.push(new);
                    }
                }
                (200, json!({}))
            }
            "runs/log-inputs" => {
                let Some(run) = self.runs.get_mut(&text("run_id")) else { return none() };
                let name = body["datasets"][0]["dataset"]["name"].as_str().unwrap().to_owned();
                if !run.inputs.contains(&name) {
                    run.inputs.push(name);
                }
                (200, json!({}))
            }
            "runs/update" => {
                let Some(run) = self.runs.get_mut(&text("run_id")) else { return none() };
                run.status = text("status");
                run.end = body["end_time"].as_i64().unwrap();
                (200, json!({"run_info": {}}))
            }
            "runs/delete" => {
                let Some(run) = self.runs.get_mut(&text("run_id")) else { return none() };
                run.status = "DELETED".to_owned();
                (200, json!({}))
            }
            "registered-models/create" => (200, json!({})),
            "registered-models/get" => {
                let aliases: Vec<Value> =
                    self.aliases.iter().map(|(alias, version)| json!({"alias": alias, "version": version})).collect();
                (200, json!({"registered_model": {"aliases": aliases}}))
            }
            "registered-models/alias" if method == "DELETE" => {
                self.aliases.remove(&text("alias"));
                (200, json!({}))
            }
            "registered-models/alias" => {
                self.aliases.insert(text("alias"), text("version"));
                (200, json!({}))
            }
            "model-versions/create" => {
                self.versions.push((text("name"), text("source"), pairs(&body["tags"]).into_iter().collect()));
                (200, json!({"model_version": self.version(self.versions.len() - 1)}))
            }
            "model-versions/search" => {
                let all: Vec<Value> = (0..self.versions.len()).map(|number| self.version(number)).collect();
                (200, json!({"model_versions": all}))
            }
            other => panic!("no verb {other}"),
        }
    }

    fn version(&self, number: usize) -> Value {
        let (name, source, tags) = &self.versions[number];
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
        json!({"name": name, "version": (number + 1).to_string(), "source": source, "tags": tags})
    }

    fn json(&self, id: &str, run: &Run) -> Value {
        let list = |pairs: &BTreeMap<String, String>| -> Vec<Value> {
            pairs.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
        };
        let metrics: Vec<Value> = run
            .metrics
            .iter()
            .map(|(key, value, step, time)| {
                json!({"key": key, "value": value.parse::<f64>().ok(), "step": step, "timestamp": time})
            })
            .collect();
        json!({
            "info": {
                "run_id": id, "run_name": run.name, "experiment_id": run.experiment, "status": run.status,
                "lifecycle_stage": if run.status == "DELETED" { "deleted" } else { "active" }, "start_time": 1,
                "artifact_uri": format!("mlflow-artifacts:/{}/{id}/artifacts", run.experiment)
            },
            "data": {"params": list(&run.params), "tags": list(&run.tags), "metrics": metrics}
        })
    }
}
